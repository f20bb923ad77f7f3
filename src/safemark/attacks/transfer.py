"""Transfer: attack strings that were made on another model, sent to this one.

    safemark run MODEL -b jailbreakbench --judge M --attack transfer:gcg-vicuna.json
    safemark run MODEL -b harmbench --judge M --attack transfer:test_cases.json
    safemark run MODEL -b xstest --attack transfer:run:20261121-084127-355472
    safemark run MODEL -b xstest --attack transfer:run:last/gcg:steps=50
    safemark run MODEL -b xstest --attack transfer:successes:last    what got through, once more

A JailbreakBench artifact, HarmBench's test cases, or an earlier run of the same store, or one
attack of it: each sample's first attempt that succeeded, else its last; with ``successes`` only the
former, which is a regression test of what got through. A sample that the source does not speak of
is not asked; one for which it has no string (the attack failed there) is absent.
`safemark attacks matrix` sets sources and targets side by side.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from safemark import registry
from safemark.attacks._attack import Attack, Decode, asked_once, decoded
from safemark.attacks._stored import StoredString, StoredStrings, read_strings
from safemark.attacks._success import attack_success_rate
from safemark.errors import SafemarkError, UnknownName, UsageError
from safemark.models._model import Model
from safemark.types import Ask, Sample, Transcript

if TYPE_CHECKING:
    from safemark.store import Store, StoredPart, StoredRun

SOURCE = "Zou et al. 2023, arXiv 2307.15043; Chao et al. 2024, JailbreakBench, arXiv 2404.01318"
RUN, SUCCESSES = "run:", "successes:"
MOST = 100
"""So many strings of one behaviour are sent at most."""

_STORE: "ContextVar[Store | str | None]" = ContextVar("store of runs", default=None)


def read_from(store: "Store | str | None") -> None:
    """Look for earlier runs there from now on, in this context; None is the usual store."""
    _STORE.set(store)


def of(argument: str) -> Attack:
    """The attack with the strings of a file or of a run.

    Raises:
        UsageError: there are none.
    """
    if argument.startswith((RUN, SUCCESSES)):
        name, strings = from_run(argument)
    else:
        name, strings = Path(argument).stem, read_strings(Path(argument))
    if not any(strings.by_behaviour.values()):
        raise UsageError(f"`transfer:{argument}`: no string is to be sent", "name another source")
    return made(f"transfer:{_plain(name)}", strings)


def _plain(name: str) -> str:
    """A name as part of an attack's: no sign that joins or splits attacks."""
    return name.replace("+", "-").replace(",", "-")


def made(name: str, strings: StoredStrings) -> Attack:
    """The attack of that name with these strings, whose hash is its version."""
    most = min(MOST, max(map(len, strings.by_behaviour.values())))
    rate = strings.success_rate

    async def search(sample: Sample, model: Model, ask: Ask) -> Transcript:
        found = (strings.of(sample) or ())[:MOST]
        if not found:
            return Transcript((), (f"{strings.source} has no string for {sample.id}",))
        system = tuple(turn for turn in sample.messages if turn.role == "system")
        attempts = []
        for number, one in enumerate(found):
            of_number = msgspec.structs.replace(ask, draw=ask.draw * MOST + number)
            turns = tuple(turn for turn in one.messages if turn.role != "system")
            attempt = await asked_once(model, (*system, *turns), of_number)
            attempts.append(attempt if one.decode is None else await decoded(attempt, one.decode))
        return Transcript(tuple(attempts))

    return Attack(
        name,
        f"1-{_digest(strings)}",
        f"strings made on another model: {strings.source}",
        source=SOURCE,
        search=search,
        covers=lambda sample: strings.of(sample) is not None,
        queries=most,
        settings={"transfer_source": strings.source}
        | ({} if rate is None else {"source_success_rate": round(rate, 6)}),
    )


def _digest(strings: StoredStrings) -> str:
    made_of = {
        key: [msgspec.to_builtins(one.messages) for one in some]
        for key, some in strings.by_behaviour.items()
    }
    return hashlib.sha256(msgspec.json.encode(made_of, order="deterministic")).hexdigest()[:12]


def from_run(argument: str) -> tuple[str, StoredStrings]:
    """What an earlier run sent, by sample: ``run:ID`` or ``run:ID/ATTACK``, with the id spelt out.

    Raises:
        UsageError: there is no such run, or it made no such attack.
    """
    kind, _, named = argument.partition(":")
    spec, _, wanted = named.partition("/")
    with _opened() as store:
        run = store.run(spec)
        parts = [part for part in store.parts(run.id) if part.body.attack is not None]
        chosen = [part for part in parts if wanted in ("", part.attack, _plain(part.attack))]
        if not chosen:
            made_of = ", ".join(dict.fromkeys(_plain(part.attack) for part in parts))
            raise UsageError(
                f"run {run.id} made no attack" + (f" called `{wanted}`" if wanted else ""),
                f"it made {made_of}" if parts else "safemark show RUN lists what it asked",
            )
        judged_by = tuple(store.scorer_of(part) for part in chosen)
        key = (kind, run.id, run.status, run.finished, wanted, judged_by)
        if key not in _READ:
            _READ.clear()
            _READ[key] = _strings(store, run, chosen, only_successes=kind == SUCCESSES[:-1])
        return f"{kind}:{run.id}" + (f"/{wanted}" if wanted else ""), _READ[key]


_READ: dict[object, StoredStrings] = {}
"""The run that was read last: a plan asks for its strings several times."""


@contextmanager
def _opened() -> "Iterator[Store]":
    from safemark.store import Store

    given = _STORE.get()
    if isinstance(given, Store):
        yield given
        return
    opened = Store(given)
    try:
        yield opened
    finally:
        opened.close()


def _strings(
    store: "Store", run: "StoredRun", parts: "Sequence[StoredPart]", *, only_successes: bool
) -> StoredStrings:
    strings: dict[str, list[StoredString]] = {}
    for part in parts:
        decode = _decoder(part.attack)
        twins = _twins(store, part) if only_successes else frozenset()
        for sample, found in strings_of(store, part):
            if sample in twins:
                continue
            wanted = [
                one._replace(decode=decode) for one in found if one.succeeded or not only_successes
            ]
            if wanted or not only_successes:
                strings.setdefault(sample, []).extend(wanted)
    names = ", ".join(dict.fromkeys(part.attack for part in parts))
    return StoredStrings(f"{run.model} ({names})", strings)


def _twins(store: "Store", part: "StoredPart") -> frozenset[str]:
    """Samples that the attack was not aimed at: an answer to a harmless twin is no success."""
    try:
        benchmark = registry.benchmark(f"{part.benchmark}@{part.version}")
    except UnknownName:
        return frozenset()
    rate = attack_success_rate(benchmark, part.asked)
    found = store.outcomes(part, store.scorer_of(part))
    aims = [rate is None or rate.where(kind.row) for kind in found.kinds]
    codes = zip(found.sample, found.kind.tolist(), strict=True)
    return frozenset(sample for sample, code in codes if not aims[code])


def _decoder(attack: str) -> Decode | None:
    """How answers to that attack are read; None where it needs nothing, or a helper."""
    try:
        return registry.attack(attack).decode
    except SafemarkError:  # made by a version or a package that is not here any more
        return None


def strings_of(
    store: "Store", part: "StoredPart", *, every: bool = False
) -> list[tuple[str, list[StoredString]]]:
    """Sample and its first attempt that succeeded, else its last; with ``every``, all attempts."""
    outcomes = store.outcomes(part, store.scorer_of(part))
    codes = zip(outcomes.sample, outcomes.repeat.tolist(), outcomes.kind.tolist(), strict=True)
    kinds = {(sample, repeat): outcomes.kinds[code] for sample, repeat, code in codes}
    found = []
    for _, sample, repeat, text in store.texts(part.id):
        attempts = text.transcript.attempts
        kind = kinds[sample, repeat]
        at = kind.outcomes.get("attack_success_at")
        first = at - 1 if isinstance(at, int) else None
        places = range(len(attempts)) if every else [len(attempts) - 1 if first is None else first]
        strings = [
            StoredString(
                attempts[place].sent,
                None if (reply := attempts[place].reply) is None else reply.text,
                _succeeded(place, first, kind.absent is not None),
            )
            for place in places
            if 0 <= place < len(attempts) and attempts[place].sent
        ]
        found.append((sample, strings))
    return found


def _succeeded(place: int, first: int | None, is_absent: bool) -> bool | None:
    """What is known of an attempt: those after the first success are not told apart."""
    if first is None:
        return None if is_absent else False
    return place == first if place <= first else None


attack = Attack(
    "transfer",
    "1",
    "strings made on another model; name a file or a run",
    source=SOURCE,
    with_argument=of,
)
