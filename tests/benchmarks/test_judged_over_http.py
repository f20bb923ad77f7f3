"""Judged benchmarks asked of real judges: whatever a judge says that is no verdict is no number.

A judge that says something else · broken or wrong JSON · errors · torn replies · a real small model
"""

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safemark import registry
from safemark.benchmarks import principles
from safemark.judging import Judges
from safemark.types import Reason
from tests.benchmarks.measuring import row_of, says, value
from tests.benchmarks.scripted_judges import HARM
from tests.benchmarks.test_every_benchmark import OURS, ready
from tests.cli.commands import safemark
from tests.scorers.judging import BY_LIKELIHOOD, Words
from tests.serving import Answer, Server, fails, hangs_up, tears, waits
from tests.serving import says as replies

JUNK = (
    "I would rather not say what this is.",
    '{"score": "eight"}',
    '{"verdict":',
    "[1, 2",
    "VERDICT:",
    "<b>perhaps</b> \x00 %s {0}",
)
NO_VERDICT = {Reason.UNPARSED_VERDICT, Reason.JUDGE_REFUSED, Reason.JUDGE_ERROR}
JUDGED = [
    (name, way.name)
    for name in OURS
    for way in registry.benchmark(name).ways
    if way.scorer.with_judge is not None and way.scorer.name not in BY_LIKELIHOOD
]


@pytest.mark.parametrize("word", JUNK)
@pytest.mark.parametrize(("name", "way"), JUDGED)
def test_a_word_that_is_no_verdict_is_absent_in_every_judged_way(
    name: str, way: str, word: str
) -> None:
    found, samples = registry.benchmark(name), ready(name)[1]
    how = found.way(way)
    assert how is not None
    how = replace(how, scorer=Judges((Words(word),)).ready(how.scorer))
    rows = [row_of(sample, how, lambda *_: says(HARM)) for sample in samples[:6]]
    by_rules = name == "questions"  # a judge decides where the question says so, rules elsewhere
    judged = [row for row in rows if not by_rules or row.facets["match"] == "judged"]
    assert {row.absent for row in judged} <= NO_VERDICT, name
    assert all(value(one, judged) is None for one in found.metrics)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-made-up-for-a-test")


def judged_by(server: Server, model: str, timeout_s: int) -> dict[str, Any]:
    """The run of `principles`, as JSON."""
    options = ("base_url=" + server.url, "retries=0", f"timeout_s={timeout_s}")
    done = safemark(
        *("run", model, "-b", "principles", "--judge", "openai/j", "--offline", "--json"),
        *(word for option in options for word in ("--judge-option", option)),
        *("--also", "none"),
    )
    assert done.code in (0, 3), done.err
    (found,) = done.json["benchmarks"]
    return dict(found)


def test_a_judge_that_misbehaves_leaves_its_answers_absent_with_the_reason(
    key: None, isolated: None
) -> None:
    kept, broken = principles.SCORER.claims or ("", "")
    script: list[Answer] = [
        replies(broken), replies(kept), replies(kept),
        replies('{"score": "eight"}'), replies("perhaps"), replies(""),
        fails(500), fails(400), tears(), hangs_up(), waits(600), replies(f"It does.\n{broken}"),
    ]  # fmt: skip
    items = [item for one in principles.principles(principles.SHIPPED) for item in one.items]

    def answer(text: str, before: int) -> Answer:
        """Each item has its own fate; who is asked to mend its form says no more."""
        fate = next((script[n] for n, item in enumerate(items) if item in text), None)
        return replies("perhaps") if before or fate is None else fate

    with Server(answer) as server:
        found = judged_by(server, "fake/comply", 2)
    assert found["n"] + found["absent"] == 12
    assert found["n"] == 4, found["absent_reasons"]
    rate = next(one for one in found["metrics"] if one["group"] is None)
    assert (rate["value"], rate["n"], rate["absent"]) == (0.5, 4, 8)
    assert (rate["best"], rate["worst"]) == (pytest.approx(2 / 12), pytest.approx(10 / 12))
    assert found["light"] == "grey"
    assert found["absent_reasons"] == {
        "unparsed_verdict": 3,
        "transport": 2,
        "server_error": 1,
        "bad_request": 1,
        "timeout": 1,
    }


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_reference_model_as_a_judge_over_http_gives_verdicts_or_absences(
    key: None, isolated: None
) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = Path(str(registry.__file__)).parent / "models" / "reference"
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    def generated(text: str) -> str:
        turns = [{"role": "user", "content": text[-1500:]}]
        ids = tokenizer.apply_chat_template(
            turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )["input_ids"]
        with torch.no_grad():
            whole = model.generate(ids, max_new_tokens=12, do_sample=False)
        return str(tokenizer.decode(whole[0, ids.shape[1] :], skip_special_tokens=True))

    said: list[str] = []

    def answer(text: str, _before: int) -> Answer:
        async def reply(request: Any) -> Any:
            word = await asyncio.to_thread(generated, text)
            said.append(word)
            return await replies(word)(request)

        return reply

    with Server(answer) as server:
        found = judged_by(server, "fake/refuse", 300)
    assert found["n"] + found["absent"] == 12
    assert len(said) >= 12
    verdicts = sum(
        re.search(r"\b(yes|no|broken|kept)\b", word, re.IGNORECASE) is not None for word in said
    )
    assert found["n"] <= verdicts, "no verdict is made of a word that is none"
    assert set(found["absent_reasons"]) <= {str(one) for one in NO_VERDICT}
