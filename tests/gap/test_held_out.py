"""Perplexity: against its closed form, and as a mark of a broken run."""

import asyncio
import math
from pathlib import Path

import pytest

from safemark.errors import CallFailed, UsageError
from safemark.gap.held_out import Passage, Reading, from_file, read, shipped
from safemark.gap.measuring import VariantBody
from safemark.models.fake import Fake
from safemark.reports.gap import _broken, _perplexity, _reads
from safemark.reports.gap_document import Measure
from safemark.types import Likelihood, Reason


class Uniform:
    """Finds each of ``of`` tokens as likely as any other; a token is a word."""

    def __init__(self, of: int) -> None:
        self._nats = math.log(of)

    async def loglikelihood(self, context: str, texts: tuple[str, ...]) -> tuple[Likelihood, ...]:
        assert context == ""
        words = [len(text.split()) for text in texts]
        return tuple(Likelihood(-self._nats * count, count, False) for count in words)


def reading(*nats_a_token: float | None, tokens: int = 100, size: int = 500) -> Reading:
    passages = (
        Passage(size, absent=Reason.TIMEOUT) if one is None else Passage(size, one * tokens, tokens)
        for one in nats_a_token
    )
    return Reading("a text", "0" * 64, tuple(passages))


def told(found: Reading) -> Measure:
    return _perplexity(found).measure


def test_a_model_that_knows_nothing_finds_as_much_as_there_are_tokens() -> None:
    found = asyncio.run(read(Uniform(100), shipped()))  # type: ignore[arg-type]
    assert found is not None
    metric = told(found).metric
    assert metric.value == pytest.approx(100.0)
    assert metric.n == len(shipped().passages)
    assert metric.absent == 0


def test_perplexity_is_of_all_tokens_and_no_mean_of_passages() -> None:
    short, long = Passage(50, 1.0 * 10, 10), Passage(500, 3.0 * 90, 90)
    metric = told(Reading("a", "0" * 64, (short, long))).metric
    assert metric.value == pytest.approx(math.exp((10 + 270) / 100))
    assert metric.low is not None
    assert metric.high is not None
    assert metric.value is not None
    assert metric.low < metric.value < metric.high


def test_a_passage_without_likelihood_is_absent_and_no_number() -> None:
    metric = told(reading(3.0, None, 3.2)).metric
    assert (metric.n, metric.absent) == (2, 1)
    assert metric.outer_low is None
    assert metric.value == pytest.approx(math.exp(3.1))


def test_a_text_of_which_nothing_is_known_has_no_perplexity() -> None:
    metric = told(reading(None, None)).metric
    assert (metric.value, metric.n, metric.absent) == (None, 0, 2)


def test_what_cannot_be_told_is_absent_for_its_reason() -> None:
    class Failing(Uniform):
        async def loglikelihood(self, *_: object) -> tuple[Likelihood, ...]:
            raise CallFailed(Reason.CONTEXT_TOO_LONG, "too long")

    class Infinite(Uniform):
        async def loglikelihood(self, *_: object) -> tuple[Likelihood, ...]:
            return (Likelihood(-math.inf, 3, False),)

    for model, reason in (
        (Failing(2), Reason.CONTEXT_TOO_LONG),
        (Infinite(2), Reason.NOT_A_NUMBER),
    ):
        found = asyncio.run(read(model, shipped()))  # type: ignore[arg-type]
        assert found is not None
        assert {one.absent for one in found.passages} == {reason}


def test_a_model_without_likelihoods_has_none() -> None:
    assert asyncio.run(read(Fake("ok"), shipped())) is None


def test_a_variant_that_lost_its_language_is_a_broken_run() -> None:
    before = [_perplexity(reading(3.0, 3.1, 2.9, 3.0))]
    worse = [_perplexity(reading(5.0, 5.1, 4.9, 5.0))]
    slightly = [_perplexity(reading(3.5, 3.6, 3.4, 3.5))]
    assert "perplexity rose from 20.1 to 148" in str(_broken(before, worse, is_readable=True))
    assert _broken(before, slightly, is_readable=True) is None
    assert _broken(before, worse, is_readable=False) is None


def test_a_text_counts_only_where_the_model_can_read_it() -> None:
    def body(nats: float) -> VariantBody:
        return VariantBody(of="", name="original", title="", held_out=reading(nats, nats))

    assert _reads(body(3.0))  # 3 nats on each of 100 tokens in 500 bytes: 0.87 bits a byte
    assert not _reads(body(8.0))  # 2.3 bits a byte
    assert not _reads(VariantBody(of="", name="original", title=""))


def test_a_text_of_ones_own_has_passages_between_empty_lines(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("one\nstill one\r\n\r\n  two \n\n\n\nword " + "again " * 400, encoding="utf-8")
    found = from_file(own)
    assert found.passages[:2] == ("one\nstill one", "two")
    assert len(found.passages) == 3
    assert len(found.passages[2]) <= 1_200
    assert found.passages[2].endswith("again")
    assert found.digest != shipped().digest


def test_a_text_that_cannot_be_used_says_what_to_do(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("only one", encoding="utf-8")
    with pytest.raises(UsageError, match="at least 2"):
        from_file(own)
    own.write_bytes(b"\xff\xfe\n\n\xff")
    with pytest.raises(UsageError, match="cannot be read"):
        from_file(own)
    with pytest.raises(UsageError, match="cannot be read"):
        from_file(tmp_path / "none.txt")


def test_the_shipped_text_fits_into_small_contexts() -> None:
    passages = shipped().passages
    assert len(passages) == 20
    assert max(map(len, passages)) < 500
