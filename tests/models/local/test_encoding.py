"""Token ids of texts in parts: those of the whole texts, or no parts at all."""

import random
from collections.abc import Callable

import pytest
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from safemark.models.local import encoding
from safemark.models.local.encoding import Encoder, parts
from tests.models.local.tiny import TEXT

LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN_2 = LLAMA_3.replace(r"\p{N}{1,3}", r"\p{N}")


def made(*steps: pre_tokenizers.PreTokenizer) -> Tokenizer:
    """A byte-level BPE tokenizer that finds words so."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(list(steps))
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<s>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([*TEXT, *sampled(random.Random(0), 200)], trainer)
    return tokenizer


def split(rule: str) -> Tokenizer:
    return made(
        pre_tokenizers.Split(Regex(rule), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    )


def gpt_2() -> Tokenizer:
    return made(pre_tokenizers.ByteLevel(add_prefix_space=False))


def by_digit() -> Tokenizer:
    return made(
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    )


def with_bos() -> Tokenizer:
    tokenizer = gpt_2()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 0)]
    )
    return tokenizer


def composed() -> Tokenizer:
    tokenizer = split(QWEN_2)
    tokenizer.normalizer = normalizers.NFC()
    return tokenizer


def sampled(draw: random.Random, count: int) -> list[str]:
    """Texts of words, numbers, quotes, blanks of every kind, marks that combine, and beginnings
    in common.
    """
    pieces = [
        *" ".join(TEXT).split(), "it's", "WE'LL", "'d", "1234567", "3.14,", "--", "...", "\u00e9tat",
        "e\u0301", "\u4e2d\u6587", "\U0001f600", "<s>", "a<s>b", "A.", "x,", "\u0130",
    ]  # fmt: skip
    blanks = [" "] * 8 + ["  ", "\n", "\n\n", " \n", "\t", "\u00a0", "\r\n", "\u2003 ", ""]
    primer = "".join(draw.choice(pieces) + draw.choice(blanks) for _ in range(120))
    made = []
    for _ in range(count):
        tail = "".join(
            draw.choice(pieces) + draw.choice(blanks) for _ in range(draw.randint(0, 90))
        )
        made.append((primer if draw.random() < 0.5 else "") + tail)
    return made


@pytest.mark.parametrize(
    "make", [gpt_2, by_digit, with_bos, composed, lambda: split(LLAMA_3), lambda: split(QWEN_2)]
)
@pytest.mark.parametrize("special", [True, False])
def test_a_texts_tokens_are_those_of_its_parts(
    make: Callable[[], Tokenizer], special: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "STRETCH", 7)  # cuts everywhere
    tokenizer = make()
    encoder = Encoder(tokenizer)
    texts = sampled(random.Random(1), 300)
    assert sum(len(parts(text)) for text in texts) > 10 * len(texts)

    found = encoder.ids(texts, special=special)

    assert encoder._in_parts
    right = [tokenizer.encode(text, add_special_tokens=special).ids for text in texts]
    assert found == [tuple(ids) for ids in right]


def test_what_texts_begin_with_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    primer = " ".join(TEXT * 4)
    seen: list[str] = []

    class Counting(Encoder):
        def _encoded(self, texts, *, special):  # type: ignore[no-untyped-def]
            seen.extend(texts)
            return super()._encoded(texts, special=special)

    Counting(gpt_2()).ids([f"{primer} Question {n}?" for n in range(50)], special=True)

    assert sum(map(len, seen)) < 2 * len(primer) + 50 * 3 * encoding.STRETCH


def prefixed() -> Tokenizer:
    return made(pre_tokenizers.ByteLevel(add_prefix_space=True))


def in_one_piece() -> Tokenizer:
    return made(pre_tokenizers.Metaspace())


def unknown_rule() -> Tokenizer:
    return split(r"\p{N}| ?[^\p{N}]+")


def without_a_rule() -> Tokenizer:
    return made(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))


def lower_case() -> Tokenizer:
    tokenizer = gpt_2()
    tokenizer.normalizer = normalizers.Lowercase()
    return tokenizer


def greedy_token() -> Tokenizer:
    tokenizer = gpt_2()
    tokenizer.add_tokens([AddedToken("nurse", rstrip=True)])
    return tokenizer


def long_token() -> Tokenizer:
    tokenizer = gpt_2()
    tokenizer.add_tokens([AddedToken("the engineer")])
    return tokenizer


def ends_with_a_token() -> Tokenizer:
    tokenizer = gpt_2()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <s>", special_tokens=[("<s>", 0)]
    )
    return tokenizer


def by_chance() -> Tokenizer:
    tokenizer = gpt_2()
    tokenizer.model.dropout = 0.5
    return tokenizer


@pytest.mark.parametrize(
    "make",
    [
        prefixed, in_one_piece, unknown_rule, without_a_rule, lower_case, greedy_token, long_token,
        ends_with_a_token, by_chance,
    ],
)  # fmt: skip
def test_other_tokenizers_get_whole_texts(make: Callable[[], Tokenizer]) -> None:
    tokenizer = make()
    encoder = Encoder(tokenizer)
    texts = [" ".join(TEXT * 2)]

    assert not encoder._in_parts
    if make is not by_chance:
        assert encoder.ids(texts, special=True) == [tuple(tokenizer.encode(texts[0]).ids)]
