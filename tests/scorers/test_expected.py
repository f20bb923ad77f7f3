"""Scorers that are told what to look for: contains, similarity, schema."""

import json
from pathlib import Path

import pytest

from safemark import registry
from safemark.benchmarks._benchmark import Scorer
from safemark.errors import UsageError
from safemark.scorers import _likeness as likeness
from safemark.scorers.contains import holds
from safemark.types import Attempt, Message, Reason, Reply, Sample, Score, Transcript


def judged(name: str, text: str, **sample: object) -> Score:
    scorer = registry.scorer(name)
    asked = Sample("1", (Message("user", "?"),), **sample)  # type: ignore[arg-type]
    score = scorer.score(asked, Transcript((Attempt(asked.messages, Reply(text)),)))
    assert isinstance(score, Score)
    return score


@pytest.mark.parametrize(
    ("text", "wanted", "is_there"),
    [
        ("The answer is Paris.", "paris", True),
        ("The answer is PARIS\n FRANCE", "Paris France", True),
        ("a comparison", "paris", False),
        ("Strasse, straße", "STRASSE", True),
        ("it costs 3.5", "3", True),
        ("C++ it is", "c++", True),
        ("東京です", "東京", False),  # no spaces: words cannot be told apart
        ("anything", "  ", False),
    ],
)
def test_a_text_is_found_as_whole_words_whatever_its_case(
    text: str, wanted: str, is_there: bool
) -> None:
    assert holds(text, wanted) is is_there


@pytest.mark.parametrize(
    ("name", "text", "is_there"),
    [
        ("contains:Paris", "it is paris", True),
        ("contains:Paris", "it is Rome", False),
        ("contains:yes|yeah", "Yeah.", True),
        (r"contains:/\d{4}/", "in 1969", True),
        (r"contains:/\d{4}/", "in 69", False),
        ("contains:a:b", "a:b", True),
    ],
)
def test_what_the_scorer_is_told_is_looked_for(name: str, text: str, is_there: bool) -> None:
    assert judged(name, text).outcomes == {"contains": is_there}


def test_without_a_text_the_samples_own_is_looked_for() -> None:
    assert judged("contains", "It is B.", target="b").outcomes == {"contains": True}
    picked = judged("contains", "Rome", choices=("Paris", "Rome"), target=1)
    assert picked.outcomes == {"contains": True}


@pytest.mark.parametrize("name", ["contains", "similarity"])
def test_where_nothing_is_expected_nothing_is_said(name: str) -> None:
    score = judged(name, "text")
    assert (score.absent, score.outcomes) == (Reason.UNSUPPORTED, {})


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("contains:", "nothing to look for"),
        ("contains:|", "nothing to look for"),
        ("contains:/(/", "no regular expression"),
        ("schema:/nowhere.json", "cannot be read"),
        ("refusal:x", "takes no argument"),
    ],
)
def test_an_argument_that_cannot_be_used_is_refused_at_once(name: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        registry.scorer(name)


def test_the_version_says_what_was_looked_for() -> None:
    versions = {registry.scorer(f"contains:{word}").version for word in ("a", "b", "a")}
    assert len(versions) == 2
    assert registry.scorer("contains").version not in versions


# Figures: rouge_score 0.1.2 (rougeL, no stemmer) and sacrebleu 2.5.1 (effective order, "exp").
LIKENESS = [
    ("the cat sat on the mat", "a cat sat on a mat", 0.6667, 0.3247),
    ("Paris is the capital of France.", "The capital of France is Paris.", 0.6667, 0.2907),
    ("It cost $3,000.50 in 2019-20.", "It cost $3,000 in 2019.", 0.8571, 0.2336),
    ("no", "yes", 0.0, 0.0),
    ("Yes", "yes", 1.0, 0.0),
    ("one two three four five six", "one two three four five six", 1.0, 1.0),
    (
        "The quick brown fox jumps over the lazy dog, twice!",
        "A quick brown dog jumps over the lazy fox.",
        0.6316,
        0.2709,
    ),
    ("Answer: 42", "42", 0.6667, 0.2752),
]


@pytest.mark.parametrize(("reply", "reference", "rouge", "bleu"), LIKENESS)
def test_rouge_and_bleu_are_those_of_the_published_implementations(
    reply: str, reference: str, rouge: float, bleu: float
) -> None:
    assert likeness.rouge_l(reply, reference) == pytest.approx(rouge, abs=5e-5)
    assert likeness.bleu(reply, reference) == pytest.approx(bleu, abs=5e-5)


def test_the_longest_common_subsequence_is_that_of_the_plain_recursion() -> None:
    def plain(first: str, second: str) -> int:
        row = [0] * (len(second) + 1)
        for a in first:
            before = 0
            for place, b in enumerate(second, 1):
                before, row[place] = (
                    row[place],
                    before + 1 if a == b else max(row[place], row[place - 1]),
                )
        return row[-1]

    for first, second in [
        ("abcbdab", "bdcaba"),
        ("", "a"),
        ("aaaa", "aa"),
        ("abc" * 40, "cab" * 30),
    ]:
        assert likeness._common_subsequence(list(first), list(second)) == plain(first, second)


def test_similarity_knows_the_same_words_in_other_clothes() -> None:
    outcomes = judged("similarity:the Eiffel Tower", "Eiffel tower!").outcomes
    assert (outcomes["is_same"], outcomes["token_f1"]) == (True, 1.0)


@pytest.mark.parametrize(
    ("text", "is_json", "is_bare"),
    [
        ('{"a": 1}', True, True),
        (" [1, 2]\n", True, True),
        ('```json\n{"a": 1}\n```', True, False),
        ('Here: {"a": 1}', False, False),
        ('{"a": NaN}', False, False),
        ("{'a': 1}", False, False),
        ("[" * 100_000, False, False),
    ],
)
def test_json_is_told_from_what_looks_like_it(text: str, is_json: bool, is_bare: bool) -> None:
    assert judged("schema", text).outcomes == {"is_json": is_json, "is_bare_json": is_bare}


def schema(folder: Path, value: object) -> Scorer:
    (folder / "s.json").write_text(json.dumps(value), encoding="utf-8")
    return registry.scorer(f"schema:{folder / 's.json'}")


@pytest.mark.parametrize(
    ("text", "fits"),
    [('{"name": "x"}', True), ('{"name": 1}', False), ("{}", False), ("no", False)],
)
def test_a_reply_is_held_against_the_schema(tmp_path: Path, text: str, fits: bool) -> None:
    wanted = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    scorer = schema(tmp_path, wanted)
    score = scorer.score(Sample("1"), Transcript((Attempt((), Reply(text)),)))
    assert isinstance(score, Score)
    assert score.outcomes["fits_schema"] is fits


def test_what_is_no_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no JSON Schema"):
        schema(tmp_path, {"type": "objct"})
    with pytest.raises(UsageError, match="no JSON Schema"):
        schema(tmp_path, 7)


def test_a_schema_fetches_nothing(tmp_path: Path) -> None:
    """A reference to another place is an absent outcome, never a request."""
    scorer = schema(tmp_path, {"$ref": "http://127.0.0.1:9/other.json"})
    with pytest.raises(Exception, match="Unresolvable"):
        scorer.score(Sample("1"), Transcript((Attempt((), Reply("{}")),)))
