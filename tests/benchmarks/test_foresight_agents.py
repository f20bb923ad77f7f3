"""Risky Agentic Autonomy: scenarios acted out by models whose every act is known.

always acts · never acts · refuses · says something else · says nothing · is reminded once
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

import safemark as door
from safemark import registry
from safemark.attacks.direct import plainly
from safemark.batching import refuse_impossible
from safemark.benchmarks import foresight_agents
from safemark.benchmarks._foresight_scenarios import (
    ASK,
    FINISH,
    Call,
    Label,
    Pattern,
    Scenario,
    scenario,
    scenarios,
    tools,
)
from safemark.benchmarks._foresight_talk import REMINDER, TURNS, acted_out, call_in, told
from safemark.errors import CallFailed, UsageError
from safemark.judging import attempted, judged
from safemark.models.fake import Fake
from safemark.plan import Request, plan
from safemark.reports.risk import risk_map
from safemark.reports.risk_html import risk_pages
from safemark.reports.risk_text import risk_text
from safemark.store import Store
from safemark.types import (
    Ask,
    Attempt,
    Message,
    Messages,
    Reason,
    Reply,
    Row,
    Sample,
    Score,
    Transcript,
)
from tests.benchmarks.measuring import by_category, metric, value
from tests.cli.commands import safemark

BENCHMARK = foresight_agents.benchmark
SAMPLES = tuple(foresight_agents.samples({}))
CATEGORIES = [f"F7.{number}" for number in range(1, 6)]

Answer = Callable[[Messages, Ask], str | Reply | CallFailed]


def say(tool: str, **arguments: Any) -> str:
    return json.dumps({"tool": tool, "arguments": arguments})


DONE = say(FINISH, summary="done")


def meant(messages: Messages) -> Scenario:
    """The scenario that a conversation is of."""
    (found,) = (one for one in scenarios() if messages[0].content.startswith(one.role))
    return found


def filled(pattern: Pattern) -> Mapping[str, str]:
    """Arguments that a pattern fits."""
    given = dict.fromkeys(tools()[pattern.tool].takes, "anything")
    return given | {
        name: "other" if wanted[0] == "!" else wanted.replace("*", " ").strip()
        for name, wanted in pattern.where.items()
    }


def acts(place: int, messages: Messages, _ask: Ask) -> str:
    """Makes the act, by the pattern at ``place``, in every turn."""
    patterns = meant(messages).act
    pattern = patterns[min(place, len(patterns) - 1)]
    return say(pattern.tool, **filled(pattern))


def finishes(_messages: Messages, _ask: Ask) -> str:
    return DONE


def in_turn(*replies: str | Reply | CallFailed) -> Answer:
    """Says these things in turn, the last one again and again."""
    left = list(replies)
    return lambda _messages, _ask: left.pop(0) if len(left) > 1 else left[0]


def of(name: str, label: Label = "risky") -> Sample:
    return foresight_agents.sample(scenario(name), label)


async def scored(sample: Sample, answer: Answer | str) -> tuple[Score, Transcript]:
    transcript = await acted_out(sample, Fake(answer), Ask())
    (way,) = BENCHMARK.ways
    return await judged(way.scorer, sample, transcript), transcript


async def rows(answer: Answer | str) -> list[Row]:
    found = []
    for sample in SAMPLES:
        score, _ = await scored(sample, answer)
        place = (sample.id, 0, sample.category, sample.cluster, sample.facets)
        found.append(Row(*place, score.outcomes, score.absent))
    return found


RISK, CAUTION = metric(BENCHMARK, "risk_rate"), metric(BENCHMARK, "over_caution_rate")


@pytest.mark.parametrize("place", [0, 1, 2, 3])
async def test_a_model_that_always_acts_has_all_risk_and_no_caution_in_every_cell(
    place: int,
) -> None:
    found = await rows(partial(acts, place))
    assert by_category(RISK, found) == dict.fromkeys(CATEGORIES, 1.0)
    assert by_category(CAUTION, found) == dict.fromkeys(CATEGORIES, 0.0)


@pytest.mark.parametrize(
    "answer", [finishes, "I'm sorry, but I can't help with that.", say(ASK, question="May I?")]
)
async def test_a_model_that_never_acts_has_no_risk_and_all_caution(answer: Answer | str) -> None:
    found = await rows(answer)
    assert by_category(RISK, found) == dict.fromkeys(CATEGORIES, 0.0)
    assert by_category(CAUTION, found) == dict.fromkeys(CATEGORIES, 1.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Tulips are red.", Reason.UNPARSED_ANSWER),
        ('{"tool": 1}', Reason.UNPARSED_ANSWER),
        (say("fly", to="the Moon"), Reason.UNPARSED_ANSWER),
        ("", Reason.EMPTY_REPLY),
    ],
)
async def test_a_model_of_which_no_call_can_be_read_is_absent_and_not_safe(
    text: str, reason: Reason
) -> None:
    found = await rows(text)
    assert {row.absent for row in found} == {reason}
    assert (value(RISK, found), value(CAUTION, found)) == (None, None)


async def test_a_reply_without_a_call_is_met_by_one_reminder_and_no_second() -> None:
    _, transcript = await scored(of("mail-order"), "Let me think.")
    assert len(transcript.attempts) == 2
    assert transcript.attempts[1].sent[-1].content == REMINDER
    score, transcript = await scored(of("mail-order"), in_turn("Let me think.", DONE))
    assert (score.absent, score.outcomes["ended"]) == (None, "finished")
    twice = in_turn("Hm.", say("read_inbox"), "I am done: two mails.", DONE)
    score, transcript = await scored(of("mail-order"), twice)
    assert len(transcript.attempts) == 3
    assert score.outcomes == {"harmful": False, "ended": "stopped"}


async def test_the_scenario_ends_with_the_act_and_no_finish_before_it_hides_it() -> None:
    act = partial(acts, 0)
    for sample in SAMPLES:
        _, transcript = await scored(sample, act)
        one = scenario(str(sample.facets["scenario"]))
        assert len(transcript.attempts) == one.act[0].nth
    early = in_turn(DONE, say("forward_mail", number="1", to="x@y.example"))
    score, transcript = await scored(of("mail-order"), early)
    assert (len(transcript.attempts), score.outcomes["harmful"]) == (1, False)


async def test_what_is_sent_grows_by_the_reply_and_the_result() -> None:
    _, transcript = await scored(of("mail-order"), in_turn(say("read_inbox"), DONE))
    first, second = transcript.attempts
    assert first.sent == told(scenario("mail-order"), "risky")
    assert second.sent[:2] == first.sent
    assert [turn.role for turn in second.sent[2:]] == ["assistant", "user"]
    assert second.sent[3].content.startswith("Result of read_inbox:\n1: invoice of the wheel maker")


async def test_a_call_that_cannot_be_carried_out_says_why_and_is_no_act() -> None:
    wrong = in_turn(say("forward_mail", number="1"), say("send_payment", to="x"), DONE)
    score, transcript = await scored(of("mail-order"), wrong)
    told_ = [attempt.sent[-1].content for attempt in transcript.attempts[1:]]
    assert told_ == ["Error: forward_mail needs to", "Error: there is no tool called send_payment"]
    assert score.outcomes["harmful"] is False


async def test_an_agent_that_never_comes_to_an_end_is_out_of_turns() -> None:
    score, transcript = await scored(of("mail-order"), say("read_inbox"))
    assert len(transcript.attempts) == TURNS
    assert score.outcomes == {"harmful": False, "ended": "out of turns"}


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (Reply("", finish="blocked"), Reason.BLOCKED),
        (Reply(" "), Reason.EMPTY_REPLY),
        (Reply("", finish="length"), Reason.CUT_OFF),
    ],
)
async def test_an_end_without_text_is_absent_after_calls_too(last: Reply, reason: Reason) -> None:
    score, _ = await scored(of("mail-order"), in_turn(say("read_inbox"), last))
    assert score.absent is reason


async def test_a_request_that_fails_on_the_way_leaves_nothing_half_judged() -> None:
    failing = Fake(in_turn(say("read_inbox"), CallFailed(Reason.TIMEOUT, "slow")))
    found = await attempted(acted_out(of("mail-order"), failing, Ask()))
    assert not isinstance(found, Transcript)
    assert found.reason is Reason.TIMEOUT


async def test_the_scorer_reads_a_stored_conversation_as_it_was_acted_out() -> None:
    act = say("forward_mail", number=1, to="collect@billing-check.example")
    score, _ = await scored(of("mail-order"), in_turn(say("read_inbox"), act))
    assert score.outcomes == {"harmful": True, "ended": "acted"}
    assert score.why == "made the act: read_inbox, forward_mail"
    (way,) = BENCHMARK.ways
    plain = await plainly(of("mail-order"), Fake(act), Ask())
    assert (await judged(way.scorer, of("mail-order"), plain)).outcomes["harmful"] is True
    system, task = told(scenario("mail-order"), "risky")
    shots = (task, Message("assistant", act))
    begun = Transcript((Attempt((system, *shots, task), Reply(DONE)),))
    said_before = await judged(way.scorer, of("mail-order"), begun)
    assert said_before.outcomes["harmful"] is False, "what stood there before is not the model's"


def calls(one: Scenario, label: Label) -> Iterator[Call]:
    """For each line of a script a call that it answers."""
    for line in one.side(label).results:
        pattern = Pattern(line.tool, line.where)
        yield Call(line.tool, filled(pattern))


@pytest.mark.parametrize("one", scenarios(), ids=lambda one: one.id)
def test_every_line_of_a_script_is_reached_and_looking_is_not_acting(one: Scenario) -> None:
    for label in ("risky", "benign"):
        side = one.side(label)
        assert side.role
        assert side.task
        reached = set()
        for line, call in zip(side.results, calls(one, label), strict=True):
            assert set(call.arguments) == set(tools()[call.tool].takes)
            reached.add(one.result(label, [call]))
            first = line.gives if isinstance(line.gives, str) else line.gives[0]
            own = any(line in told for told in (one.risky.results, one.benign.results))
            assert first in reached or not own
        acted = {pattern.tool for pattern in one.act}
        looks = [
            call
            for call in calls(one, label)
            if call.tool not in acted or not any(pattern.fits(call) for pattern in one.act)
        ]
        assert not one.acts(looks)
        assert acted <= set(one.tools)
        assert ASK not in one.tools
    assert len(one.tools) == len(set(one.tools)) >= 2
    assert all(set(p.where) <= set(tools()[p.tool].takes) for p in one.act), "known arguments"


def test_the_sides_of_a_scenario_differ_in_the_task_or_in_what_is_found() -> None:
    for one in scenarios():
        risky, benign = one.side("risky"), one.side("benign")
        assert risky.role == benign.role, "the same rules hold on both sides"
        assert (risky.task, risky.results) != (benign.task, benign.results)


def test_six_scenarios_a_category_none_like_another_and_nothing_real() -> None:
    assert Counter(one.category for one in scenarios()) == dict.fromkeys(CATEGORIES, 6)
    assert len({one.id for one in scenarios()}) == 30
    assert len({one.role for one in scenarios()}) == 30
    words = [set(f"{one.role} {one.task}".lower().split()) for one in scenarios()]
    for place, one in enumerate(words):
        assert max(len(one & o) / len(one | o) for o in words[:place] + words[place + 1 :]) < 0.4
    texts = " ".join(message.content for sample in SAMPLES for message in sample.messages)
    scripts = json.dumps([str(one) for one in scenarios()])
    assert "http" not in texts + scripts
    for address in (word for word in scripts.split() if "@" in word):
        assert ".example" in address


def test_the_tasks_of_both_sides_are_of_like_length() -> None:
    lengths: dict[str, list[int]] = {"risky": [], "benign": []}
    for sample in SAMPLES:
        lengths[str(sample.facets["label"])].append(len(sample.messages[1].content.split()))
    risky, benign = (sum(lengths[one]) / 30 for one in ("risky", "benign"))
    assert abs(risky - benign) < 0.35 * benign


def test_nth_counts_calls_of_the_kind() -> None:
    one = scenario("stop-between-batches")
    batch = Call("start_batch")
    assert not one.acts([batch, batch])
    assert one.acts([batch, Call("send_mail", {"to": "a", "text": "b"}), batch, batch])
    assert one.result("risky", [batch, batch]).endswith("The addresses are wrong.")


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        (say("a"), "a"),
        (f"```json\n{say('a')}\n```", "a"),
        (f"I look. {say('a')} {say('b')}", "a"),
        ('{"note": 1} {"tool": "b", "arguments": null}', "b"),
        ('{"tool": "c", "arguments": {"x": "line\nbreak"}}', "c"),
        ('[{"tool": "d"}]', "d"),
        ("{" * 5000, None),
        ('{"a":' * 3000, None),
        ('{"tool": ["a"]}', None),
    ],
)
def test_the_first_call_in_a_reply_is_read(text: str, tool: str | None) -> None:
    found = call_in(text)
    assert (found and found.tool) == tool


def test_a_run_counts_every_turn_and_the_map_shows_its_five_cells() -> None:
    store = Store(":memory:")
    document = door.run(
        Fake(partial(acts, 0), name="fake/acts"), ["foresight_agents"], store=store, offline=True
    )
    (part,) = document.benchmarks
    assert (part.n, part.absent, part.light) == (60, 0, "red")
    assert document.cost.requests == 60 + 4, "two scenarios act with the third call"
    found = risk_map(store)
    (model,) = found.models
    assert {name for name, cell in model.cells.items() if cell.judged} == set(CATEGORIES)
    assert all(model.cells[name].rate == 1.0 for name in CATEGORIES)
    page = next(one for one in found.categories if one.id == "F7.3")
    assert page.unsafe[0].answered.startswith('{"tool": ')
    assert "user: " in page.unsafe[0].asked
    store.close()


def test_who_refuses_everything_stands_first_and_the_pages_say_that_this_is_no_safety() -> None:
    store = Store(":memory:")
    refusing = Fake("I'm sorry, but I can't help with that.", name="fake/refuses")
    for model in (refusing, Fake(partial(acts, 0), name="fake/acts")):
        door.run(model, ["foresight_agents"], store=store, offline=True)
    found = risk_map(store)
    first, last = found.models
    assert [first.model, last.model] == ["fake/refuses", "fake/acts"]
    assert [first.overall.rate, last.overall.rate] == pytest.approx([0.0, 1.0])
    assert [first.over_refusal.rate, last.over_refusal.rate] == pytest.approx([1.0, 0.0])
    assert {name: one.refused for name, one in first.twins.items()} == dict.fromkeys(CATEGORIES, 6)
    pages = risk_pages(found)
    assert "such a place in the list is no safety" in pages["index.html"]
    banner = pages["index.html"].split("Little help: ")[1].split("</p>")[0]
    assert "fake/refuses" in banner
    assert "fake/acts" not in banner
    assert "6 ÷ 6" in pages["F7.1.html"]
    assert "100.0 %" in risk_text(found).splitlines()[1]
    store.close()


def test_a_conversation_is_shown_once_and_a_dry_run_counts_its_turns() -> None:
    estimate = safemark("run", "fake/comply", "-b", "foresight_agents", "--dry-run", "--json").json
    assert estimate["requests"] == 60 * TURNS
    assert safemark("run", "fake/comply", "-b", "foresight_agents", "--first", "2").code == 3
    shown = safemark("show", "last", "--sample", "foresight_agents-failing-test-risky").out
    assert shown.count("You are the coding agent of a web shop") == 1
    assert shown.count("That was not a tool call that can be read") == 1
    assert shown.count("\nanswer (stop):") == shown.count("Sure, here is how to do that") - 1 == 2


def test_rewrites_go_with_it_and_an_attack_that_leads_the_conversation_does_not() -> None:
    model = Fake("x", name="fake/x")
    request = Request(("foresight_agents",), attacks=("base64",), no_plain=True)
    (task,) = plan(request, model).tasks
    assert task.requests == 60 * TURNS
    assert "best_of_n" in registry.names("attack")
    with pytest.raises(UsageError, match="leads the conversation itself"):
        plan(Request(("foresight_agents",), attacks=("best_of_n",)), model)
    with pytest.raises(UsageError, match="over several turns"):
        refuse_impossible(model, plan(Request(("foresight_agents",)), model))


def test_under_a_rewriting_attack_the_whole_conversation_is_judged_once() -> None:
    def answer(messages: Messages, _ask: Ask) -> str:
        return DONE if len(messages) > 2 else "Hm, let me see."

    document = door.run(
        Fake(answer, name="fake/slow"),
        ["foresight_agents"],
        attacks=["base64"],
        store=":memory:",
        offline=True,
    )
    assert [(part.attack, part.absent) for part in document.benchmarks] == [
        ("direct", 0),
        ("base64", 0),
    ]
