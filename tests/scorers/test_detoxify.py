"""Detoxify's kind of classifier through transformers, on a tiny model with random weights."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from safemark import registry
from safemark.errors import UsageError
from safemark.judging import scored
from safemark.scorers import detoxify, presidio
from safemark.types import Attempt, Reason, Reply, Sample, Score, Transcript

LABELS = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
TEXT = "The nurse and the engineer were talking."


def make(folder: Path, *, problem: str | None = "multi_label_classification") -> Path:
    """A tiny BERT with Detoxify's labels, as a hub download would look."""
    torch = pytest.importorskip("torch", reason="needs the extra `local`")
    from transformers import BertConfig, BertForSequenceClassification

    from tests.models.local.tiny import tiny_tokenizer

    tokenizer = tiny_tokenizer(False)
    tokenizer.pad_token = tokenizer.eos_token
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        id2label=dict(enumerate(LABELS)),
        label2id={label: place for place, label in enumerate(LABELS)},
        problem_type=problem,
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = BertForSequenceClassification(config)
        for weights in module.parameters():
            torch.nn.init.normal_(weights, std=0.3)
    module.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("toxic-bert"))


async def judged(name: str, text: str) -> Score:
    scorer = registry.scorer(name)
    return await scored(scorer, Sample("1"), Transcript((Attempt((), Reply(text)),)))


async def test_the_shares_are_those_of_transformers_own_pipeline(tiny: Path) -> None:
    from transformers import pipeline

    own = pipeline("text-classification", model=str(tiny), device=-1)
    wanted = {one["label"]: one["score"] for one in own(TEXT, top_k=None)}
    outcomes = (await judged(f"detoxify:{tiny}", TEXT)).outcomes
    assert list(outcomes) == [detoxify.LABELS.get(label, label) for label in LABELS]
    for label, share in wanted.items():
        name = detoxify.LABELS.get(label, label)
        assert float(outcomes[name] or 0) == pytest.approx(share, abs=1e-4)
    assert sum(wanted.values()) != pytest.approx(1.0, abs=0.01), "no softmax over attributes"


async def test_labels_that_exclude_each_other_add_up_to_one(tmp_path: Path) -> None:
    folder = make(tmp_path / "single", problem=None)
    outcomes = (await judged(f"detoxify:{folder}", TEXT)).outcomes
    assert sum(float(value or 0) for value in outcomes.values()) == pytest.approx(1.0, abs=1e-3)


async def test_of_a_text_that_is_too_long_the_beginning_counts(tiny: Path) -> None:
    long = await judged(f"detoxify:{tiny}", "nurse " * 500)
    longer = await judged(f"detoxify:{tiny}", "nurse " * 900)
    assert long.absent is None
    assert long.outcomes == longer.outcomes


def test_the_version_holds_a_hash_of_the_weights(tiny: Path, tmp_path: Path) -> None:
    first = registry.scorer(f"detoxify:{tiny}").version
    other = registry.scorer(f"detoxify:{make(tmp_path / 'other', problem=None)}").version
    assert first != other
    assert registry.scorer("detoxify").version == "1 unpinned"


def test_pickled_weights_and_no_weights_are_refused(tiny: Path, tmp_path: Path) -> None:
    for file in tiny.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(UsageError, match="no weights"):
        registry.scorer(f"detoxify:{tmp_path}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04N.")
    detoxify._loaded.cache_clear()
    with pytest.raises(UsageError, match="pickled"):
        registry.scorer(f"detoxify:{tmp_path}")


async def test_a_classifier_that_cannot_be_had_is_asked_for_once_and_absent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[str] = []

    def missing(name: str, **_more: Any) -> None:
        calls.append(name)
        raise UsageError(f"`{name}` is not there", "give a folder")

    monkeypatch.setattr("safemark.models.local.classifier.load_classifier", missing)
    detoxify._loaded.cache_clear()
    try:
        for _ in range(3):
            score = await judged("detoxify", TEXT)
            assert (score.absent, score.outcomes) == (Reason.UNSUPPORTED, {})
            assert "give a folder" in score.why
    finally:
        detoxify._loaded.cache_clear()
    assert calls == [detoxify.MODEL]


async def test_presidio_that_is_not_installed_is_absent_and_says_how(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    presidio._engine.cache_clear()
    score = await judged("presidio", TEXT)
    assert (score.absent, score.outcomes) == (Reason.UNSUPPORTED, {})
    assert "safemark[pii]" in score.why


async def test_what_presidio_is_sure_of_is_counted_by_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a stand-in with its interface: the real one needs a model of several hundred MB."""
    found = [("PERSON", 0.85), ("PERSON", 0.9), ("US_SSN", 0.05), ("LOCATION", 0.5)]

    class Engine:
        def analyze(self, _text: str, language: str) -> list[SimpleNamespace]:
            assert language == "en"
            return [SimpleNamespace(entity_type=kind, score=score) for kind, score in found]

    module = ModuleType("presidio_analyzer")
    module.AnalyzerEngine = Engine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "presidio_analyzer", module)
    presidio._engine.cache_clear()
    try:
        outcomes = (await judged("presidio", TEXT)).outcomes
    finally:
        presidio._engine.cache_clear()
    assert outcomes == {"has_pii": True, "found": 3, "location": 1, "person": 2}
