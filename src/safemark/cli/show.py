"""``safemark show``: what was asked, answered and judged in a run, and why."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from safemark.cli._options import Json, OneBenchmark, RunId, StoreUrl
from safemark.cli._output import emit, emit_json, harmless, is_coloured, say, table, width
from safemark.errors import UnknownName

if TYPE_CHECKING:
    from safemark.store import Store, StoredPart, StoredRun, Text
    from safemark.types import Attempt, Messages, Reply, Row


def show(
    run: RunId,
    sample: Annotated[
        str | None, typer.Option("--sample", metavar="ID", help="One sample, whole.")
    ] = None,
    benchmark: OneBenchmark = None,
    absent: Annotated[
        bool, typer.Option("--absent", help="List samples without an outcome.")
    ] = False,
    rows: Annotated[int, typer.Option("--rows", min=0, help="How many samples to list.")] = 20,
    store: StoreUrl = None,
    as_json: Json = False,
) -> int:
    """Show what was asked, answered, judged, and why."""
    from safemark.store import Store

    with Store(store) as opened:
        found = opened.run(run)
        parts = [p for p in opened.parts(found.id) if benchmark in (None, p.benchmark)]
        if benchmark is not None and not parts:
            known = [part.benchmark for part in opened.parts(found.id)]
            raise UnknownName(f"benchmark in {found.id}", benchmark, known)
        if sample is not None:
            return _show_sample(opened, found, parts, sample, as_json)
        return _show_run(opened, found, parts, absent, rows, as_json)


def _show_run(
    store: "Store",
    run: "StoredRun",
    parts: "list[StoredPart]",
    absent: bool,
    most: int,
    as_json: bool,
) -> int:
    from safemark.reports.scorecard import document
    from safemark.reports.terminal import terminal

    listed: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        alike = [other for other in parts if other.benchmark == part.benchmark]
        once = len({(other.version, other.asked) for other in alike}) == 1
        name = part.benchmark if once else f"{part.benchmark}@{part.version}:{part.asked}"
        name = name if part.attack == "direct" else f"{name} + {part.attack}"
        listed[name] = _listed(store, part, absent, most)
    if as_json:
        emit_json({"document": document(store, run), "samples": listed})
        return 0
    emit(terminal(document(store, run), width(), is_coloured()))
    for name, samples in listed.items():
        if samples:
            emit(f"\n{name}")
            cells = [[s["id"], s["outcome"], s["category"] or ""] for s in samples]
            emit(table(cells, ["sample", "outcome", "category"]))
    say(f"\none of them, whole: safemark show {run.id} --sample ID")
    return 0


def _listed(store: "Store", part: "StoredPart", absent: bool, most: int) -> list[dict[str, Any]]:
    scorer = store.scorer_of(part)
    return [
        {
            "id": row.sample_id,
            "repeat": row.repeat,
            "outcome": _outcome(row),
            "category": row.category,
            "absent": row.absent,
            "outcomes": row.outcomes,
        }
        for row in store.rows(part, scorer, most=most, absent_only=absent)
    ]


def _outcome(row: "Row") -> str:
    if row.absent is not None:
        return f"absent: {row.absent}"
    from safemark.attacks._success import of_answer

    told = of_answer(row.outcomes).items()
    return ", ".join(f"{name} {_word(value)}" for name, value in told)[:60]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _show_sample(
    store: "Store",
    run: "StoredRun",
    parts: "list[StoredPart]",
    sample_id: str,
    as_json: bool,
) -> int:
    found = [
        {
            "benchmark": part.benchmark,
            "asked": part.asked,
            "attack": part.attack,
            "repeat": repeat,
            "text": text,
            "scores": [
                {"scorer": name, "version": version, "judge": judge, "score": score}
                for name, version, judge, score in store.scores(part.id, position)
            ],
        }
        for part in parts
        for position, _, repeat, text in store.texts(part.id, sample_id=sample_id)
    ]
    if not found:
        known = [id_ for part in parts for id_ in store.outcomes(part, 0).sample]
        listing = f"safemark show {run.id} --rows {len(known)}"
        raise UnknownName(f"sample in {run.id}", sample_id, known[:100_000], listing)
    if as_json:
        emit_json(found)
    else:
        emit("\n\n".join(_whole(sample_id, record) for record in found))
    return 0


def _whole(sample_id: str, record: dict[str, Any]) -> str:
    text: Text = record["text"]
    place = f"{record['benchmark']} · asked by {record['asked']} · {record['attack']}"
    lines = [f"{sample_id}  ({place}, repeat {record['repeat']})"]
    before: Attempt | None = None
    for attempt in text.transcript.attempts:
        lines += _attempt(attempt, _new_turns(before, attempt))
        before = attempt
    lines += [f"\nthe attacker failed: {why}" for why in text.transcript.attacker_failures]
    for scored in record["scores"]:
        score = scored["score"]
        said = f"absent: {score.absent}" if score.absent else ""
        told = ", ".join(f"{name} {_word(value)}" for name, value in score.outcomes.items())
        by = f" with {scored['judge']}" if scored["judge"] else ""
        lines.append(f"\njudged by {scored['scorer']} {scored['version']}{by}: {said}{told}")
        if score.why:
            lines.append(f"  why: {score.why}")
    return harmless("\n".join(lines))


def _new_turns(before: "Attempt | None", attempt: "Attempt") -> "Messages":
    """What an attempt was sent, without the conversation that the one before it shows."""
    shown = () if before is None else before.sent
    rest = attempt.sent[len(shown) :]
    if before is None or not rest or attempt.sent[: len(shown)] != shown:
        return attempt.sent
    is_reply = before.reply is not None and rest[0].content == before.reply.text
    return rest[1:] if is_reply and rest[0].role == "assistant" else rest


def _attempt(attempt: "Attempt", turns: "Messages") -> list[str]:
    lines = [f"\n{message.role}:\n{_indented(message.content)}" for message in turns]
    if attempt.context:
        lines.append(f"\ncontext:\n{_indented(attempt.context)}")
    for text, likelihood in zip(attempt.continuations, attempt.likelihoods, strict=False):
        lines.append(f"  {likelihood.logprob:10.3f} nats  {text.strip()}")
    if attempt.reply is not None:
        if attempt.reply.thinking:
            lines.append(f"\nthinking:\n{_indented(attempt.reply.thinking)}")
        lines.append(f"\nanswer ({_how(attempt.reply)}):\n{_indented(attempt.reply.text)}")
    if attempt.decoded is not None:
        lines.append(f"\ndecoded, as judged:\n{_indented(attempt.decoded)}")
    if attempt.absent is not None:
        lines.append(f"\nno answer: {attempt.absent}: {attempt.why}")
    return lines


def _how(reply: "Reply") -> str:
    """How an answer ended and came about: the server's own word, tries, settings not sent."""
    parts: list[str] = [reply.finish]
    if reply.finish_reason:
        parts.append(f"the server says: {reply.finish_reason}")
    if reply.retries:
        parts.append(f"{reply.retries} retr{'y' if reply.retries == 1 else 'ies'} before it")
    if reply.left_out:
        parts.append(f"not sent, as the server refuses it: {', '.join(reply.left_out)}")
    return "; ".join(parts)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))
