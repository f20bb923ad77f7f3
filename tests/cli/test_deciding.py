"""`plan`, `run --until-decided`, `trend` and `across`, as they are typed."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from safemark import registry
from safemark.store import Store
from tests.cli.commands import Done, safemark
from tests.histories import add_run, day
from tests.serving import Server, completion, says, sends
from tests.small import benchmark


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setattr(registry, "benchmark", lambda _name: benchmark(600))
    with Server(lambda _text, _before: says("ok")) as running:
        yield running


@pytest.fixture
def store() -> Iterator[Store]:
    """The store that commands read when none is named."""
    opened = Store()
    yield opened
    opened.close()


def run(server: Server, *more: str) -> Done:
    return safemark("run", "openai/x", "--base-url", server.url, "-b", "small", *more)


def test_a_run_until_decided_asks_less_and_says_so(server: Server) -> None:
    done = run(server, "--until-decided")
    asked = len(server.asked)
    assert asked <= 300, done.err
    assert f"small stopped early: passed rate green, decided after {asked} of 600" in done.err
    page = Path("scorecard.html").read_text()
    assert f"{600 - asked} were not asked" in page
    shown = safemark("report", "last", "-f", "json").json
    assert shown["status"] == "complete"
    assert shown["benchmarks"][0]["n"] == asked
    assert shown["spec"]["until_decided"] == "light"


def test_with_the_gate_only_red_or_not_is_decided(server: Server) -> None:
    done = run(server, "--until-decided", "--gate", "--json")
    (found,) = done.json["benchmarks"]
    assert "passed rate not red" in "".join(found["notes"])
    assert done.json["spec"]["until_decided"] == "gate"
    strict = run(server, "--until-decided", "--gate", "--strict", "--json")
    assert strict.json["spec"]["until_decided"] == "light"


def test_a_run_whose_replies_name_another_model_says_so(server: Server) -> None:
    def named(model: str, fingerprint: str) -> None:
        body = {**completion("ok"), "model": model, "system_fingerprint": fingerprint}
        server._answer = lambda _text, _before: sends(json.dumps(body).encode())

    named("x-2026-01", "fp_1")
    assert "notice" not in run(server, "--first", "3").err
    named("x-2026-05", "fp_1")
    changed = run(server, "--first", "3").err
    assert "the model name in replies changed from x-2026-01" in changed
    assert "evaluate again" in changed


def test_plan_prints_a_table_and_json() -> None:
    done = safemark("plan")
    assert done.code == 0
    assert "To tell 3 points apart" in done.out
    assert "70 %  3,662" in done.out
    found = safemark("plan", "--cases", "2000", "--rate", "90", "--json").json
    assert found["goal"]["cases"] == 2000
    assert [one["rate"] for one in found["can_show"]] == [0.9]


def test_plan_reads_stored_runs(store: Store) -> None:
    add_run(store, day(0), 0.7, tokens=(900, 100))
    done = safemark("plan", "--input-usd", "1", "--output-usd", "10")
    assert "From stored runs" in done.out
    assert "truth score" in done.out
    assert "$3.8" in done.out  # 2,013 answers of 1,900 millionths
    half = safemark("plan", "--input-usd", "1")
    assert (half.code, half.err.splitlines()[0]) == (2, "error: a price has two parts")


def test_plan_refuses_what_cannot_be() -> None:
    done = safemark("plan", "--difference", "0")
    assert done.code == 2
    assert "--difference" in done.err


def test_trend_prints_text_csv_json_and_writes_html(store: Store) -> None:
    for i in range(6):
        add_run(store, day(i), 0.9 if i < 3 else 0.5)
    text = safemark("trend")
    assert text.code == 0
    assert "! worse from 2026-01-04" in text.out
    assert len(list(csv.reader(io.StringIO(safemark("trend", "-f", "csv").out)))) == 7
    assert safemark("trend", "--json").json == safemark("trend", "-f", "json").json
    page = safemark("trend", "openai/tested", "--since", "2026-01-02", "-f", "html")
    assert page.err == "written: trend.html\n"
    assert page.out == ""
    assert Path("trend.html").read_text().startswith("<!")
    safemark("trend", "-f", "json", "-o", "trend.json")
    assert len(json.loads(Path("trend.json").read_text())["series"][0]["points"]) == 6


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["trend"], 2, "no run yet"),
        (["trend", "-f", "pdf"], 2, "no trend format called `pdf`"),
        (["trend", "--since", "soon"], 2, "`soon` is no time"),
        (["across"], 2, "fewer than two models"),
        (["across", "nobody"], 2, "no model in the store called `nobody`"),
        (["across", "--published", "nothing"], 2, "no set of published figures"),
        (["across", "--about", "nowhere.yaml", "--published", "all"], 2, "cannot be read"),
        (["plan", "nobody"], 2, "no model in the store called `nobody`"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_not_there_is_said_with_a_hint(arguments: list[str], code: int, said: str) -> None:
    done = safemark(*arguments)
    assert done.code == code
    assert said in done.err
    assert "hint: " in done.err
    as_json = safemark(*arguments, "--json")
    assert as_json.json["exit_code"] == code


def test_across_shows_published_figures_without_a_store() -> None:
    done = safemark("across", "--published", "all")
    assert done.code == 0
    assert done.out.count("[published, not measured here]") == 2
    page = safemark("across", "--published", "lamb-bench", "-f", "html", "-o", "a.html")
    assert (page.code, page.err) == (0, "written: a.html\n")
    rows = list(csv.reader(io.StringIO(safemark("across", "--published", "all", "-f", "csv").out)))
    assert len(rows) == 1 + 5 + 18


def test_across_compares_stored_models_with_what_is_known_of_them(store: Store) -> None:
    add_run(store, day(0), 0.9, model="plain")
    add_run(store, day(0), 0.6, model="thinker")
    Path("about.yaml").write_text("thinker: {reasoning: true, sibling: plain}\n")
    found = safemark("across", "--about", "about.yaml", "--requests", "500", "--json").json
    (board,) = found["boards"]
    assert board["provenance"] == "measured here"
    assert board["siblings"][0]["is_better"] is False
    assert found["requests_a_day"] == 500
