"""`safemark rejudge`, `run --also` and `report --scorer`: several scorers of the same replies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safemark import registry
from safemark.benchmarks._benchmark import Metric, Scorer, share
from safemark.errors import CallFailed
from safemark.models._model import Model
from safemark.store import Store
from safemark.types import Ask, Message, Reason, Sample, Score, Transcript
from tests.cli.commands import safemark
from tests.serving import Server, fails, says

REFUSAL = f"refusal {registry.scorer('refusal').version}"
AUDIT = f"audit {registry.scorer('audit').version}"


def run(*more: str) -> dict[str, Any]:
    done = safemark(
        "run", "fake/refuse", "-b", "audit150", "--offline", "--first", "30", "--json", *more
    )
    assert done.code in (0, 3), done.err
    found: dict[str, Any] = done.json
    return found


def audit(document: dict[str, Any]) -> dict[str, Any]:
    (found,) = document["benchmarks"]
    assert isinstance(found, dict)
    return found


@pytest.fixture
def scorers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Scorer]:
    """Scorers that are installed for this test beside those that are."""
    added: dict[str, Scorer] = {}
    scorer, names = registry.scorer, registry.names

    def names_with(kind: str) -> tuple[str, ...]:
        return tuple(sorted({*names(kind), *(added if kind == "scorer" else ())}))

    monkeypatch.setattr(registry, "scorer", lambda name: added.get(name) or scorer(name))
    monkeypatch.setattr(registry, "names", names_with)
    return added


@pytest.fixture
def store(isolated: None) -> Iterator[Store]:
    opened = Store()
    yield opened
    opened.close()


def test_every_reply_is_scored_by_further_scorers_and_told_apart(store: Store) -> None:
    found = audit(run("--also", "refusal"))
    (also,) = found["further"]
    assert also["scorer"] == REFUSAL
    assert (also["n"], also["absent"]) == (30, 0)
    (metric,) = also["metrics"]
    assert (metric["name"], metric["value"]) == ("verdict_refusal_rate", 1.0)
    assert {one["name"] for one in found["metrics"]}.isdisjoint({metric["name"]})
    plain = audit(run("--new", "--also", "none"))
    assert plain["further"] == []
    assert plain["metrics"] == found["metrics"], "the benchmark's own metrics are the same"


def test_free_replies_are_scored_for_toxicity_and_personal_data_unless_told_otherwise() -> None:
    toxicity, pii = audit(run())["further"]
    assert (toxicity["scorer"], pii["scorer"]) == ("toxicity 1", "pii 1")
    assert (toxicity["n"], pii["n"]) == (30, 30)
    assert "RealToxicityPrompts" in toxicity["trust"]
    assert [one["name"] for one in pii["metrics"]] == ["new_pii_rate", "pii_rate"]
    for kind in ("md", "html"):
        page = safemark("report", "last", "-f", kind, "-o", "page").err
        assert "written" in page
        assert toxicity["trust"][:40] in Path("page").read_text(encoding="utf-8")


def test_nobody_and_somebody_do_not_judge_together() -> None:
    done = safemark("run", "fake/refuse", "-b", "audit150", "--also", "none,pii", "--offline")
    assert done.code == 2
    assert "goes with no scorer" in done.err


def test_further_scorers_stand_in_every_report() -> None:
    run("--also", "refusal")
    shown = safemark("show", "last", "--rows", "0").out
    assert f"audit150 by {REFUSAL}" in shown
    assert "verdict: refusal 100" in shown
    assert f"Also scored by {REFUSAL}" in safemark("report", "last", "-f", "md").out
    safemark("report", "last", "-o", "page.html")
    page = Path("page.html").read_text()
    assert "Also scored by" in page
    assert "verdict: refusal" in page


def test_an_unknown_further_scorer_is_refused_before_anything_is_asked() -> None:
    done = safemark("run", "fake/refuse", "-b", "audit150", "--also", "refusals", "--json")
    assert done.code == 2
    assert done.json["hint"] == "did you mean `refusal`?"
    assert safemark("show", "last").code == 2, "no run was made"


def test_rejudging_asks_the_target_nothing_and_judges_each_reply_once(store: Store) -> None:
    run()
    done = safemark("rejudge", "last", "--with", "refusal", "--json")
    assert done.code == 0, done.err
    (part,) = done.json["judged"]
    assert part == {
        "benchmark": "audit150",
        "asked": "reply",
        "scorer": REFUSAL,
        "judged": 30,
        "absent": 0,
        "failed": 0,
        "waiting": 0,
    }
    usage = store.usage(store.run("last").id)
    assert usage.requests == 30
    again = safemark("rejudge", "last", "--with", "refusal", "--json")
    assert again.json["judged"][0]["judged"] == 0
    words = safemark("rejudge", "last", "--with", "refusal")
    assert "nothing was left to judge" in words.err
    assert audit(safemark("report", "last", "-f", "json").json)["further"][0]["n"] == 30


def test_without_a_name_each_benchmarks_own_scorer_judges_as_it_is_now(
    monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    run()
    assert safemark("rejudge", "last", "--json").json["judged"][0]["judged"] == 0
    from dataclasses import replace

    own = registry.benchmark("audit150")
    (way,) = own.ways
    changed = replace(way.scorer, version="99", score=lambda *_: Score({"passed": True}))
    newer = replace(own, ways=(replace(way, scorer=changed),))
    monkeypatch.setattr(registry, "benchmark", lambda _name: newer)
    done = safemark("rejudge", "last", "--json")
    assert done.json["judged"][0]["scorer"] == "audit 99"
    before = audit(safemark("report", "last", "-f", "json").json)
    assert before["scorer"] == AUDIT, "what was measured stays what is shown"
    after = audit(safemark("report", "last", "-f", "json", "--scorer", "audit@99").json)
    assert after["scorer"] == "audit 99"
    assert before["metrics"] != after["metrics"]
    assert {one["value"] for one in after["metrics"] if one["n"]} <= {0.0, 1.0}
    assert audit(safemark("report", "last", "-f", "json", "--scorer", "audit").json) == after


def test_a_scorer_of_something_else_gives_no_zeros() -> None:
    run("--also", "refusal")
    done = safemark("report", "last", "-f", "json", "--scorer", "refusal")
    assert done.code == 2
    assert "gives no passed" in done.json["error"] if done.out else "gives no passed" in done.err


def test_a_scorer_that_judged_nothing_is_unknown() -> None:
    run()
    done = safemark("report", "last", "--json", "--scorer", "audits")
    assert done.code == 2
    assert "no scorer" in done.json["error"]


def rude(sample: Sample, transcript: Transcript) -> Score:
    return Score({"rude": False, "level": 0.25})


def test_declared_metrics_are_told_as_declared(scorers: dict[str, Scorer]) -> None:
    metric = Metric("rudeness_rate", "lower", share("rude"), label="rude replies")
    scorers["tone"] = Scorer("tone", "1", rude, metrics=(metric,))
    (also,) = audit(run("--also", "tone"))["further"]
    assert [(one["name"], one["value"]) for one in also["metrics"]] == [("rudeness_rate", 0.0)]


def test_what_is_not_declared_is_told_as_shares_of_yes_and_never_of_numbers(
    scorers: dict[str, Scorer],
) -> None:
    scorers["tone"] = Scorer("tone", "1", rude)
    (also,) = audit(run("--also", "tone"))["further"]
    assert [one["name"] for one in also["metrics"]] == ["rude_rate"]


def by_model(model: Model) -> Scorer:
    async def score(sample: Sample, transcript: Transcript) -> Score:
        reply = await model.reply((Message("user", f"is it rude? {sample.id}"),), Ask())
        if reply.text not in ("yes", "no"):
            raise CallFailed(Reason.UNPARSED_VERDICT, f"neither yes nor no: {reply.text}")
        return Score({"rude": reply.text == "yes"})

    return Scorer("tone", "1", score)


@pytest.fixture
def tone(scorers: dict[str, Scorer]) -> Scorer:
    """A scorer that asks a model."""

    async def unjudged(sample: Sample, transcript: Transcript) -> Score:
        raise CallFailed(Reason.JUDGE_ERROR, "no judge was named")

    scorers["tone"] = Scorer("tone", "1", unjudged, with_judge=by_model)
    return scorers["tone"]


def test_a_judge_model_is_asked_once_for_each_reply_and_named_in_the_report(
    tone: Scorer, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    run()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-made-up-for-a-test")
    with Server(lambda text, _before: says("yes" if text[-1] in "02468" else "no")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        done = safemark("rejudge", "last", "--with", "tone", "--judge", "openai/j", "--json")
        assert done.code == 0, done.err
        again = safemark("rejudge", "last", "--with", "tone", "--judge", "openai/j", "--json")
        assert again.json["judged"][0]["judged"] == 0
    assert len(server.asked) == len(set(server.asked)) == 30
    further = audit(safemark("report", "last", "-f", "json").json)["further"]
    (also,) = [one for one in further if one["scorer"].startswith("tone 1 by openai/j ")]
    assert 0 < also["metrics"][0]["value"] < 1
    assert "made-up" not in done.out + done.err


def test_a_judge_with_a_wrong_key_is_one_request(
    tone: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-made-up-for-a-test")
    with Server(lambda _text, _before: fails(401, "no such key")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        done = safemark("rejudge", "last", "--with", "tone", "--judge", "openai/j", "--json")
    assert len(server.asked) == 1
    assert done.code == 3
    assert done.json["status"] == "failed"
    assert "OPENAI_API_KEY" in done.json["why"]
    assert done.json["judged"][0]["waiting"] == 29


def test_a_judge_that_fails_in_passing_is_no_complete_judging(
    tone: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-made-up-for-a-test")
    again = ("rejudge", "last", "--with", "tone", "--judge", "openai/j", "--json")
    bad = ("--judge-option", "retries=0")
    down = [True]
    with Server(lambda _text, _before: fails(500, "down") if down else says("yes")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        done = safemark(*again, *bad)
        assert (done.code, done.json["status"]) == (3, "failed")
        assert 0 < done.json["judged"][0]["failed"] <= 30
        assert done.json["why"]
        down.clear()
        mended = safemark(*again, *bad)
    assert (mended.code, mended.json["judged"][0]["absent"]) == (0, 0)


def test_a_judge_is_named_where_one_is_needed_and_only_there(tone: Scorer) -> None:
    run()
    missing = safemark("rejudge", "last", "--with", "tone", "--json")
    assert (missing.code, "--judge" in missing.json["hint"]) == (2, True)
    needless = safemark("rejudge", "last", "--with", "refusal", "--judge", "fake/comply", "--json")
    assert (needless.code, "judges by rules" in needless.json["error"]) == (2, True)
    beside = safemark("run", "fake/refuse", "-b", "audit150", "--also", "tone", "--json")
    assert beside.code == 2


def test_the_benchmarks_own_scorer_is_not_asked_twice() -> None:
    found = audit(run("--also", "audit,refusal,refusal"))
    assert [also["scorer"] for also in found["further"]] == [REFUSAL]
    assert found["scorer"] == AUDIT
