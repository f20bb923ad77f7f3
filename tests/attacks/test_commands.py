"""Attacks from the command line to the page, and the files that go in and out."""

import json
from itertools import combinations
from math import exp
from pathlib import Path

import msgspec
import pytest

import safemark
from safemark.attacks._success import ASR
from safemark.models.fake import Fake
from safemark.reports.attack_charts import AttackBoard, attack_boards
from safemark.reports.attacked import at_k, forecast
from safemark.reports.document import Axis, BenchmarkDocument, CostCurve, CurvePoint
from safemark.reports.html import html
from safemark.store import Store
from safemark.types import Ask, Messages
from tests.cli.commands import safemark as command

FEW = ("-b", "audit150", "--limit", "12", "--also", "none", "--out", "out")
HOSTILE = "<script>alert(1)</script>"


def run(*arguments: str) -> str:
    done = command("run", "fake/comply", *FEW, *arguments, "--json")
    assert done.code in (0, 1, 3), done.err
    return str(done.json["run"])


def test_a_command_with_attacks_goes_on_where_it_ended_and_can_be_asked_again() -> None:
    done = command("run", "fake/refuse", *FEW, "--attack", "base64", "--attack", "rot13+role_play")
    assert "audit150 + base64" in done.out
    shown = command("report", "last", "-f", "json").json
    assert [part["attack"] for part in shown["benchmarks"]] == [
        "direct",
        "base64",
        "rot13+role_play",
    ]
    assert shown["spec"]["attack"] == ["base64", "rot13+role_play"]
    assert shown["spec"]["attacked_by"] == ["base64@1", "rot13+role_play@1+1"]
    assert shown["benchmarks"][1]["attacked"]["kind"] == "attack"
    page = Path("out/scorecard.html").read_text(encoding="utf-8")
    assert "--attack base64 --attack rot13+role_play" in page
    assert "success is judged by rules" in page


def test_plain_questions_can_be_left_away() -> None:
    shown = command("report", run("--attack", "hex", "--no-plain"), "-f", "json").json
    assert [part["attack"] for part in shown["benchmarks"]] == ["hex"]
    assert shown["benchmarks"][0]["attacked"]["differences"] == []
    toxicity = next(one for one in shown["dimensions"] if one["name"] == "toxicity")
    assert toxicity["light"] == "grey", "what was asked under attack lights no plain dimension"


def test_a_dry_run_counts_the_attempts_and_the_helpers() -> None:
    told = command(
        *("run", "fake/refuse", *FEW, "--dry-run", "--json", "--attack", "best_of_n:10"),
        *("--attack", "goat:2", "--attacker", "fake/echo"),
    ).json
    asked = {part["attack"]: part["requests"] for part in told["benchmarks"]}
    assert asked == {"direct": 12, "best_of_n:10": 120, "goat:2": 24}
    assert told["helper_requests_at_most"] == 12 * 2 * 5
    assert told["helpers"] == ["fake/echo"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--attack", "bsae64"), "did you mean `base64`?"),
        (("--attack", "best_of_n+base64"), "put rewrites first"),
        (("--attack", "crescendo"), "--attacker MODEL"),
        (("--attack", "crescendo", "--attacker", "fake/echo"), "--attack-judge MODEL"),
        (("--no-plain",), "nothing would be asked"),
        (("--attack", "base64", "--until-decided"), "leave `--until-decided`"),
        (("--attack", "goat", "--attacker", "fake/echo", "--batch"), "leave `--batch` away"),
        (("--attack", "transfer:nowhere.json"), "name a file"),
        (("--attack", "transfer"), "name a file or a run"),
        (("--attack", "templates", "--no-plain"), "name the file"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_can(arguments: tuple[str, ...], said: str) -> None:
    done = command("run", "fake/refuse", *FEW, *arguments)
    assert done.code == 2, done.out
    assert said in done.err


def test_attacks_are_listed_with_what_they_need() -> None:
    listed = {row["name"]: row for row in command("list", "attacks", "--json").json}
    assert listed["base64"]["kind"] == "rewrite"
    assert listed["crescendo"] == {
        "name": "crescendo",
        "kind": "search",
        "queries": 20,
        "needs": ["attacker", "judge"],
        "title": "small steps over up to ten turns, refused ones taken back",
    }


# from Python


def test_helpers_are_given_as_objects_and_their_use_is_counted() -> None:
    def step(messages: Messages, _ask: Ask) -> str:
        return json.dumps({"message": f"step {len(messages)}"})

    attacker = Fake(step, name="attacker")
    shown = safemark.run(
        Fake("I can't help with that.", name="target"),
        ["audit150"],
        first=2,
        also=("none",),
        attacks=["goat:2"],
        attacker=attacker,
        store=":memory:",
    )
    attacked = shown.benchmarks[1]
    assert attacked.attack == "goat:2"
    assert attacked.attacked is not None
    assert attacked.attacked.attempts == 2.0
    assert attacked.attacked.helped_by[0].startswith("attacker ")
    (used,) = [use for use in shown.cost.judges if use.name == "attacker"]
    assert used.requests == 4
    assert "<dt>Attack&#39;s helper</dt><dd>attacker: 4 requests" in html(shown)


def test_a_transcript_that_got_through_is_shown_folded_and_harmless() -> None:
    store = Store(":memory:")
    answer = f"Sure, here is how. First do step one. {HOSTILE}"
    model = Fake(answer, name=f"model {HOSTILE}")
    shown = safemark.run(
        model,
        ["audit150"],
        limit=30,
        also=("none",),
        attacks=["role_play"],
        store=store,
    )
    page = html(shown)
    assert HOSTILE not in page
    board = attack_boards(shown)[0]
    assert {rung.name for rung in board.rungs} == {"role_play", "no attack"}
    assert "Content note" in page
    attack = board.rungs[0].attack
    assert attack is not None
    assert page.count('<details class="transcript">') == len(attack.examples) > 0
    assert "<script" not in page
    assert page.count('<details class="under">') == 1, "what was asked plainly is not folded"


# charts


def curved(name: str, axis: Axis, *points: tuple[float, float]) -> BenchmarkDocument:
    """A part whose success rate grows with what is spent."""
    shown = safemark.run(
        Fake("no", name="target"),
        ["audit150"],
        limit=12,
        also=("none",),
        attacks=["base64"],
        no_plain=True,
        store=":memory:",
    )
    (part,) = shown.benchmarks
    assert part.attacked is not None
    curve = CostCurve(axis, [CurvePoint(x, y, None, None) for x, y in points], 10, 0, 1.0)
    attacked = msgspec.structs.replace(part.attacked, curves=[curve])
    return msgspec.structs.replace(part, attack=name, attacked=attacked)


def board(*parts: BenchmarkDocument) -> AttackBoard:
    shown = safemark.run(Fake("no"), ["audit150"], limit=2, also=("none",), store=":memory:")
    (found,) = attack_boards(msgspec.structs.replace(shown, benchmarks=list(parts)))
    return found


def test_a_curve_rises_where_the_rate_does_and_stays_in_its_frame() -> None:
    slow = curved("slow", "queries", (10.0, 0.5), (1000.0, 1.0))
    quick = curved("quick", "queries", (1.0, 0.25))
    (chart,) = board(slow, quick).charts
    lines = {line.name: line.points.split() for line in chart.lines}
    across = {mark.text: mark.at for mark in chart.across}
    assert list(across) == ["1", "10", "100", "1,000"]
    gaps = [b - a for a, b in zip([*across.values()], [*across.values()][1:], strict=False)]
    assert max(gaps) - min(gaps) < 0.3, "far apart, costs stand on a logarithmic axis"
    up = {mark.text: mark.at for mark in chart.up}
    assert lines["slow"] == [
        f"{across['10']:g},{up['0']:g}",
        f"{across['10']:g},{up['50']:g}",
        f"{across['1,000']:g},{up['50']:g}",
        f"{across['1,000']:g},{up['100']:g}",
        f"{across['1,000']:g},{up['100']:g}",
    ]
    assert lines["quick"][-1] == f"{across['1,000']:g},{up['25']:g}"
    assert "slow: 100.0 % within 1,000 queries" in chart.text


def test_one_attempt_draws_no_curve_over_attempts() -> None:
    assert board(curved("one", "attempts", (1.0, 0.5))).charts == ()


def test_one_query_draws_no_curve_over_queries() -> None:
    assert board(curved("one", "queries", (1.0, 0.5))).charts == ()


def rated(name: str, value: float | None, n: int, plain: float) -> BenchmarkDocument:
    """A part with that rate of ``n`` samples, which asked plainly had the rate ``plain``."""
    shown = safemark.run(
        Fake("no", name="target"),
        ["audit150"],
        limit=12,
        also=("none",),
        attacks=["base64"],
        store=":memory:",
    )
    part = shown.benchmarks[1]
    assert part.attacked is not None
    rates = [
        msgspec.structs.replace(one, value=value, n=n) if one.name == ASR else one
        for one in part.metrics
    ]
    changes = [
        msgspec.structs.replace(one, plain=plain, pairs=n)
        for one in part.attacked.differences
        if one.metric == ASR
    ]
    attacked = msgspec.structs.replace(part.attacked, differences=changes)
    return msgspec.structs.replace(part, attack=name, attacked=attacked, metrics=rates)


def test_a_long_ladder_is_folded_and_what_is_not_known_stands_last() -> None:
    one = rated("high", 0.9, 3, 1 / 3)
    parts = [
        rated("unknown", None, 0, 0.0),
        one,
        *(msgspec.structs.replace(one, attack=f"low-{i:02}") for i in range(16)),
        rated("most", 0.9, 5, 0.2),
    ]
    found = board(*parts)
    names = [rung.name for rung in found.rungs]
    assert names[:2] == ["most", "high"]
    assert len(names) == 16 + 1
    assert (names[-1], found.rungs[-1].rate.value) == ("no attack", 0.2)
    assert [rung.name for rung in found.more] == ["low-14", "low-15", "unknown"]
    shown = safemark.run(Fake("no"), ["audit150"], limit=2, also=("none",), store=":memory:")
    page = html(msgspec.structs.replace(shown, benchmarks=parts))
    assert page.count("3 attacks further down") == 2
    assert html(msgspec.structs.replace(shown, benchmarks=parts[1:2])).count("further down") == 0


def test_only_so_many_lines_are_drawn_and_the_rest_is_said() -> None:
    parts = [curved(f"attack-{i}", "queries", (1.0, 0.5), (9.0, 0.6)) for i in range(10)]
    (chart,) = board(*parts).charts
    assert (len(chart.lines), chart.left_out) == (8, 2)


# numbers


def test_the_chance_that_k_draws_hold_a_success_is_that_of_counting() -> None:
    wins = [True, False, False, True, False]
    for k in range(1, 6):
        draws = list(combinations(wins, k))
        assert at_k(5, 2, k) == pytest.approx(sum(any(d) for d in draws) / len(draws))


def test_a_power_law_is_found_and_carried_on() -> None:
    law = [CurvePoint(float(n), exp(-2.0 * n**-0.5), None, None) for n in (1, 2, 4, 8, 16)]
    found = forecast(law)
    assert found is not None
    assert [found.a, found.b] == pytest.approx([2.0, 0.5])
    assert found.at[0][0] == 160
    assert found.at[0][1] == pytest.approx(exp(-2.0 * 160**-0.5))
    assert forecast(law[:2]) is None
    flat = [CurvePoint(float(n), value, None, None) for n, value in ((1, 1.0), (2, 1.0), (4, 0.0))]
    assert forecast(flat) is None


# files


def test_runs_are_set_side_by_side() -> None:
    first = run("--attack", "base64")
    done = command("run", "fake/refuse", *FEW, "--attack", "base64", "--attack", "hex", "--json")
    second = done.json["run"]
    found = command("attacks", "matrix", first, second, "--json").json
    assert found["models"] == ["fake/comply", "fake/refuse"]
    assert [row["attack"] for row in found["rows"]] == ["base64", "hex"]
    assert found["rows"][1]["cells"][0] is None
    rates = [cell["value"] for cell in found["rows"][0]["cells"]]
    assert rates[0] > rates[1] == 0.0
    assert "fake/refuse" in command("attacks", "matrix", first, second).out
    plain = command("run", "fake/echo", *FEW, "--json").json["run"]
    assert command("attacks", "matrix", plain).code == 2


def test_a_run_goes_out_in_harmbenchs_layout_and_comes_back_as_a_transfer() -> None:
    made = run("--attack", "base64")
    written = command("attacks", "export", made, "exported", "--json").json["files"]
    assert sorted(str(Path(path).relative_to("exported/audit150")) for path in written) == [
        f"{method}/{kind}"
        for method in ("DirectRequest", "base64")
        for kind in (
            "completions/fake-comply.json",
            "results/fake-comply.json",
            "test_cases/test_cases.json",
        )
    ]
    cases = Path("exported/audit150/base64/test_cases/test_cases.json")
    assert len(json.loads(cases.read_text())) == 12
    again = run("--attack", f"transfer:{cases}", "--no-plain")
    (part,) = command("report", again, "-f", "json").json["benchmarks"]
    assert part["attack"] == "transfer:test_cases"
    told = command(
        "attacks",
        "import",
        "exported/audit150/base64/results/fake-comply.json",
        "-o",
        "lines.jsonl",
        "--json",
    ).json
    assert told["completions"] == 12
    line = json.loads(Path("lines.jsonl").read_text().split("\n")[0])
    assert set(line) >= {"id", "prompt", "response", "label"}
    scored = command("score", "lines.jsonl", "--with", "refusal", "--json")
    assert scored.code == 0, scored.err


def test_an_earlier_run_is_looked_for_in_the_store_that_is_named() -> None:
    other = ("--store", "sqlite:///other.db")
    sent = command("run", "fake/comply", *FEW, "--attack", "in_json", *other, "--json").json["run"]
    again = ("run", "fake/refuse", *FEW, "--no-plain", "--attack")
    assert "holds no run yet" in command(*again, "transfer:run:last").err
    for name, dry in (("last", ()), (sent, ("--dry-run",))):
        done = command(*again, f"transfer:run:{name}/in_json", *other, *dry, "--json")
        (part,) = done.json["benchmarks"]
        assert part["attack"] == f"transfer:run:{sent}/in_json", done.err
    wrong = command(*again, f"transfer:run:{sent}/hex", *other)
    assert (wrong.code, "it made in_json" in wrong.err) == (2, True)


def test_an_attack_with_settings_is_exported_under_a_name_for_a_folder() -> None:
    made = run("--attack", "many_shot:1", "--attack", "many_shot:1+prefill:a/b")
    files = command("attacks", "export", made, "exported", "--json").json["files"]
    methods = {Path(file).relative_to("exported/audit150").parts[0] for file in files}
    assert methods == {"DirectRequest", "many_shot-1", "many_shot-1-prefill-a-b"}


def test_a_config_file_names_attacks_and_show_tells_the_decoded_answer() -> None:
    Path("run.yaml").write_text(
        "benchmark: audit150\nlimit: 12\nattack: [base64, hex]\nalso: none\n"
    )
    done = command("run", "fake/comply", "--config", "run.yaml", "--out", "out")
    assert done.code in (0, 1, 3), done.err
    listed = command("show", "last", "--json").json["samples"]
    assert list(listed) == ["audit150", "audit150 + base64", "audit150 + hex"]
    sample = listed["audit150 + hex"][0]["id"]
    whole = command("show", "last", "--sample", sample).out
    assert "\\x" in whole
