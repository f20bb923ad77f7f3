"""Packed likelihoods against the plainest reference: one sequence, one forward pass."""

import asyncio
import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from safemark.errors import CallFailed
from safemark.models.local import LocalModel, load, passes, scoring, workers
from safemark.models.local.prompts import Pair
from safemark.models.local.tree import Packing
from safemark.types import Likelihood, Message, Reason
from tests.models.local.conftest import MakeModel
from tests.models.local.tiny import TEXT, WINDOW
from tests.waiting import PATIENCE_S

CLOSE = 1e-4
WORDS = " ".join(TEXT).split()


def text(draw: random.Random, words: int) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(words))


def encode_as_lm_eval(tokenizer: Any, context: str, continuation: str) -> tuple[list[int], ...]:
    """`TemplateLM._encode_pair` and `loglikelihood` of lm-evaluation-harness 0.4.13, retold."""
    prefix = tokenizer.bos_token_id

    def encode(string: str) -> list[int]:
        if string.startswith(tokenizer.decode(prefix)):
            return list(tokenizer.encode(string, add_special_tokens=False))
        return list(tokenizer.encode(string))

    if context == "":
        code = tokenizer.encode(continuation, add_special_tokens=False)
        return (code[:1], code[1:]) if code[0] == prefix else ([prefix], code)
    spaces = len(context) - len(context.rstrip())
    if spaces:
        continuation = context[-spaces:] + continuation
        context = context[:-spaces]
    whole, before = encode(context + continuation), encode(context)
    return before, whole[len(before) :]


def one_by_one(model: LocalModel, context: str, continuation: str) -> Likelihood:
    module, tokenizer = model.weights
    before, after = encode_as_lm_eval(tokenizer, context, continuation)
    longest = getattr(module.config, "max_position_embeddings", 2048)
    ids = (before + after)[-(longest + 1) :]
    with torch.inference_mode():
        steps = module(torch.tensor([ids[:-1]])).logits[0, -len(after) :].log_softmax(-1)
    total = sum(steps[at, token].item() for at, token in enumerate(after))
    return Likelihood(total, len(after), steps.argmax(-1).tolist() == after)


def assert_same(found: Sequence[Likelihood], right: Sequence[Likelihood]) -> None:
    assert [one.tokens for one in found] == [one.tokens for one in right]
    assert [one.is_greedy for one in found] == [one.is_greedy for one in right]
    for one, other in zip(found, right, strict=True):
        assert one.logprob == pytest.approx(other.logprob, abs=CLOSE)


def a_mixture(seed: int) -> list[tuple[str, list[str]]]:
    """Contexts with a shared primer, contexts of their own, empty ones, trailing spaces, twins."""
    draw = random.Random(seed)
    primer = text(draw, 30)
    asked = [
        (f"{primer} {text(draw, 4)}", [" " + text(draw, n) for n in (1, 3, 2)]) for _ in range(8)
    ]
    asked += [(text(draw, n), [" " + text(draw, 2), " yes"]) for n in range(1, 12)]
    asked += [("", [text(draw, 6), text(draw, 3)]) for _ in range(3)]
    asked += [(text(draw, 3) + " \n", [text(draw, 2)]), ("   ", ["no"])]
    return [*asked, asked[0], asked[9]]


async def ask_all(
    model: LocalModel, asked: Sequence[tuple[str, list[str]]]
) -> list[tuple[Likelihood, ...]]:
    return list(await asyncio.gather(*(model.loglikelihood(*one) for one in asked)))


@pytest.mark.parametrize(
    "architecture", ["llama", "gpt_neox", "qwen2", "qwen3", "mistral", "gemma2", "gpt2"]
)
async def test_packed_likelihoods_equal_one_forward_per_text(
    tiny: MakeModel, architecture: str
) -> None:
    model = tiny(architecture)
    asked = a_mixture(1)

    found = await ask_all(model, asked)

    assert "shared prefixes computed once" in " ".join(model.notes)
    for (context, continuations), likelihoods in zip(asked, found, strict=True):
        if context.strip() or not context:
            right = [one_by_one(model, context, after) for after in continuations]
            assert_same(likelihoods, right)


async def test_a_model_that_refuses_our_masks_is_scored_in_plain_rows(tiny: MakeModel) -> None:
    model = tiny("bloom")
    asked = a_mixture(2)[:12]

    found = await ask_all(model, asked)

    assert "plain padded rows" in " ".join(model.notes)
    for (context, continuations), likelihoods in zip(asked, found, strict=True):
        assert_same(likelihoods, [one_by_one(model, context, after) for after in continuations])


async def test_a_mask_that_forgets_the_window_is_found_out(
    tiny_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "window", lambda config: None)
    model = load(str(tiny_folder("mistral")), options={"device": "cpu"})
    context = " ".join(WORDS[: 2 * WINDOW])

    found = await model.loglikelihood(context, [" yes", " no"])

    assert "plain padded rows" in " ".join(model.notes)
    assert_same(found, [one_by_one(model, context, after) for after in (" yes", " no")])


async def test_a_window_longer_than_the_first_check_is_found_out_when_a_text_reaches_it(
    tiny_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_folder("mistral", sliding_window=70)
    monkeypatch.setattr(passes, "window", lambda config: None)
    monkeypatch.setattr(scoring, "window", lambda config: None)
    model = load(str(folder), options={"device": "cpu"})
    asked = [(text(random.Random(n), 2 + 6 * n), [" yes", " no"]) for n in range(9)]

    found = await ask_all(model, asked)

    assert "up to 48 tokens; longer texts in plain rows" in " ".join(model.notes)
    for (context, continuations), likelihoods in zip(asked, found, strict=True):
        assert_same(likelihoods, [one_by_one(model, context, after) for after in continuations])


async def test_masks_that_go_wrong_in_longer_texts_are_found_out_before_anything_is_answered(
    tiny_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(str(tiny_folder()), options={"device": "cpu"})
    masks = passes._masks

    def forgetful(network: Any, rows: Any, position: Any, past: int, width: int) -> Any:
        mask = masks(network, rows, position, past, width)
        assert isinstance(mask, torch.Tensor)
        everything_before = torch.full((width, width), torch.finfo(mask.dtype).min).triu(1)
        mask[..., past:] = everything_before
        return mask

    monkeypatch.setattr(passes, "_masks", forgetful)
    primer = text(random.Random(0), 40)
    asked = [(f"{primer} {n}", [" yes", " no", " unknown"]) for n in range(6)]

    found = await ask_all(model, asked)

    assert "up to 48 tokens; longer texts in plain rows" in " ".join(model.notes)
    for (context, continuations), likelihoods in zip(asked, found, strict=True):
        assert_same(likelihoods, [one_by_one(model, context, after) for after in continuations])


async def test_a_longer_text_costs_one_plain_forward_of_itself_once(
    tiny_folder: Callable[..., Path],
) -> None:
    model = load(str(tiny_folder()), options={"device": "cpu"})
    scorer = model._scorer
    assert scorer
    context = text(random.Random(3), 40)
    (length,) = (len(one) for one in model.weights.tokenizer([context])["input_ids"])
    spent = []
    for _ in range(2):
        before = scorer.network.tokens_computed
        await model.loglikelihood(context, [" yes", " no"])
        spent.append(scorer.network.tokens_computed - before)

    assert spent == [2 * length, length]


@pytest.mark.parametrize(
    ("architecture", "parts"), [("llama", 3), ("gpt_neox", 1), ("gpt2", 1), ("gemma2", 3)]
)
def test_in_the_last_layer_only_what_is_read_is_computed_but_for_keys_and_values(
    tiny: MakeModel, architecture: str, parts: int
) -> None:
    scorer = tiny(architecture)._scorer
    assert scorer
    network = scorer.network
    ids = torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]])
    rows: list[torch.Size] = []
    assert network.narrows
    with torch.inference_mode():
        right = network.logits(None, ids)[[2, 5]]
        hooks = [
            part.register_forward_hook(lambda _, __, found: rows.append(found.shape))
            for part in network.read_alone
        ]
        found = network.logits([2, 5], ids)
        for hook in hooks:
            hook.remove()

    assert [shape[:2] for shape in rows] == [(1, 2)] * parts
    assert torch.allclose(found, right, atol=CLOSE)


async def test_weights_that_change_between_two_questions_are_heard(
    tiny_folder: Callable[..., Path],
) -> None:
    model = load(str(tiny_folder()), options={"device": "cpu"})
    scorer = model._scorer
    assert scorer
    asked = [(f"The nurse {n}", [" yes", " no"]) for n in range(40)]
    scorer._budget = passes.Budget(32)  # many passes
    before = await ask_all(model, asked)

    await model.alone(lambda weights: [one.mul_(1.5) for one in weights.module.parameters()])
    after = await ask_all(model, asked)

    assert_same(after[0], [one_by_one(model, *asked[0][:1], end) for end in asked[0][1]])
    assert abs(after[0][0].logprob - before[0][0].logprob) > CLOSE
    await model.alone(lambda _: None)  # what computes is at its end
    assert scorer.network._grouped is None


async def test_logits_that_are_changed_after_the_projection_keep_that_change(
    tiny: MakeModel,
) -> None:
    model = tiny("gemma2", final_logit_softcapping=3.0)

    (found,) = await model.loglikelihood("The nurse", [" and the engineer"])

    assert_same([found], [one_by_one(model, "The nurse", " and the engineer")])


@pytest.mark.parametrize("architecture", ["llama", "mistral"])
async def test_passes_side_by_side_give_the_same_numbers(
    tiny: MakeModel, architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny(architecture)
    monkeypatch.setattr(workers, "fitting", lambda *_: 3)
    threads: set[int] = set()
    several = threading.Event()
    forward = passes.Pass._forward

    def seen(*given: Any) -> None:
        threads.add(threading.get_ident())
        if len(threads) > 1:
            several.set()
        several.wait(PATIENCE_S)  # until another has taken a job
        forward(*given)

    monkeypatch.setattr(passes.Pass, "_forward", seen)
    monkeypatch.setattr(model._scorer, "_budget", passes.Budget(64))
    draw = random.Random(9)
    primers = [text(draw, 30) for _ in range(4)]
    asked = [(f"{primers[n % 4]} {n}", [" yes", " no way", " unknown"]) for n in range(24)]

    found = await ask_all(model, asked)

    assert 1 < len(threads) <= 3
    await model.alone(lambda _: None)  # what computes is at its end
    assert "safemark-pass" not in {one.name for one in threading.enumerate()}
    for (context, continuations), likelihoods in zip(asked, found, strict=True):
        assert_same(likelihoods, [one_by_one(model, context, after) for after in continuations])


async def test_identical_requests_are_computed_once(tiny: MakeModel) -> None:
    model = tiny()
    await model.loglikelihood("warm", [" up"])
    before = model._scorer.network.tokens_computed if model._scorer else 0

    await asyncio.gather(*(model.loglikelihood("The Earth is", [" round"]) for _ in range(64)))

    scorer = model._scorer
    assert scorer
    tokens = len(model.weights[1].encode("The Earth is round")) - 1
    assert scorer.network.tokens_computed - before == tokens


async def test_continuations_share_their_context(tiny: MakeModel) -> None:
    model = tiny()
    scorer = model._scorer
    assert scorer
    context = text(random.Random(5), 25)
    length = len(model.weights[1].encode(context))
    await model.loglikelihood(context, [" a"])
    before = scorer.network.tokens_computed

    await model.loglikelihood(context, [" yes", " no", " unknown"])

    assert length <= scorer.network.tokens_computed - before < length + 20


async def test_a_long_text_loses_tokens_from_the_left(tiny: MakeModel) -> None:
    model = tiny()
    context = text(random.Random(3), 400)
    said = "texts of more than 256 tokens lost their beginning"
    await model.loglikelihood("The nurse", [" who was late"])
    assert said not in model.notes

    (found,) = await model.loglikelihood(context, [" who was late"])

    assert len(model.weights[1].encode(context)) > 257
    assert_same([found], [one_by_one(model, context, " who was late")])
    assert said in model.notes


async def test_a_text_without_a_context_that_does_not_fit_is_scored_in_parts(
    tiny: MakeModel,
) -> None:
    model = tiny(max_length=64)
    module, tokenizer = model.weights
    long = text(random.Random(8), 90)
    ids = tokenizer.encode(long)

    (found, short) = await model.loglikelihood("", [long, "The Earth"])

    total, greedy = 0.0, True
    for first in range(0, len(ids), 64):  # as lm-evaluation-harness rolls its windows
        end = min(first + 64, len(ids))
        given = [tokenizer.bos_token_id, *ids][max(0, end - 64) : end]
        with torch.inference_mode():
            steps = module(torch.tensor([given])).logits[0, first - end :].log_softmax(-1)
        total += sum(steps[at, token].item() for at, token in enumerate(ids[first:end]))
        greedy = greedy and steps.argmax(-1).tolist() == ids[first:end]
    assert len(ids) > 2 * 64 + 1
    assert len(ids) % 64
    assert_same([found], [Likelihood(total, len(ids), greedy)])
    assert_same([short], [one_by_one(model, "", "The Earth")])


async def test_a_continuation_longer_than_the_context_window_fails_alone(tiny: MakeModel) -> None:
    model = tiny()
    long = text(random.Random(3), 400)

    outcomes = await asyncio.gather(
        model.loglikelihood("Q:", [long]),
        model.loglikelihood("Q:", [""]),
        model.loglikelihood("Q:", [" yes"]),
        return_exceptions=True,
    )

    assert isinstance(outcomes[0], CallFailed)
    assert outcomes[0].reason is Reason.CONTEXT_TOO_LONG
    assert isinstance(outcomes[1], CallFailed)
    assert outcomes[1].reason is Reason.BAD_REQUEST
    assert isinstance(outcomes[2], tuple)


async def test_no_continuations_no_likelihoods(tiny: MakeModel) -> None:
    assert await tiny().loglikelihood("The Earth", []) == ()


async def test_a_tokenizer_that_adds_bos_does_so_once(tiny: MakeModel) -> None:
    model = tiny(add_bos=True)
    asked = [
        ("The Earth is", [" round", " flat"]),
        ("<s>The Earth is ", ["round"]),
        ("", ["The Earth"]),
        ("", ["<s>The Earth"]),
    ]

    found = await ask_all(model, asked)

    for (context, continuations), likelihoods in zip(asked, found, strict=True):
        assert_same(likelihoods, [one_by_one(model, context, after) for after in continuations])
    assert encode_as_lm_eval(model.weights[1], "The", " Earth")[0][0] == 0


async def test_messages_are_rendered_with_the_assistants_turn_opened(tiny: MakeModel) -> None:
    model = tiny()
    rendered = "<|user|>\nIs the Earth flat?<|end|>\n<|assistant|>\n"

    found = await model.loglikelihood((Message("user", "Is the Earth flat?"),), ["No", "Yes"])

    assert_same(found, [one_by_one(model, rendered, after) for after in ("No", "Yes")])


async def test_logits_that_are_not_numbers_are_said_to_be_so(
    tiny_folder: Callable[..., Path],
) -> None:
    model = load(str(tiny_folder()), options={"device": "cpu"})
    module, tokenizer = model.weights
    bad = tokenizer.encode(" flat")[0]
    module.model.embed_tokens.weight.data[bad] = float("nan")
    module.lm_head.weight.data = module.lm_head.weight.data.nan_to_num()

    outcomes = await asyncio.gather(
        model.loglikelihood("The Earth is flat", [" yes"]),
        model.loglikelihood("The nurse", [" yes"]),
        return_exceptions=True,
    )

    assert isinstance(outcomes[0], CallFailed)
    assert outcomes[0].reason is Reason.NOT_A_NUMBER
    assert isinstance(outcomes[1], tuple)


async def test_out_of_memory_halves_the_batch(
    tiny_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(str(tiny_folder()), options={"device": "cpu"})
    scorer = model._scorer
    assert scorer
    asked = a_mixture(4)[8:]
    right = await ask_all(model, asked)
    logits = type(scorer.network).logits
    sizes = []

    def small(network: Any, read: Any, ids: Any, **inputs: Any) -> Any:
        sizes.append(ids.numel())
        if ids.numel() > 100:
            raise torch.OutOfMemoryError
        return logits(network, read, ids, **inputs)

    monkeypatch.setattr(type(scorer.network), "logits", small)
    found = await ask_all(model, asked)

    assert max(sizes) > 100 >= sizes[-1]
    for some, other in zip(found, right, strict=True):
        assert_same(some, other)


async def test_out_of_memory_with_one_text_fails_that_text_alone(
    tiny_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(str(tiny_folder()), options={"device": "cpu"})
    scorer = model._scorer
    assert scorer
    await model.loglikelihood(text(random.Random(1), 60), [" yes"])
    logits = type(scorer.network).logits

    def small(network: Any, read: Any, ids: Any, **inputs: Any) -> Any:
        if ids.numel() > 20:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return logits(network, read, ids, **inputs)

    monkeypatch.setattr(type(scorer.network), "logits", small)
    long, short = text(random.Random(2), 40), "The Earth"
    outcomes = await asyncio.gather(
        model.loglikelihood(long, [" yes"]),
        model.loglikelihood(short, [" yes"]),
        return_exceptions=True,
    )

    assert isinstance(outcomes[0], CallFailed)
    assert outcomes[0].reason is Reason.SERVER_ERROR
    assert isinstance(outcomes[1], tuple)


async def test_a_cancelled_call_does_not_stop_the_others(tiny: MakeModel) -> None:
    model = tiny()
    calls = [asyncio.create_task(model.loglikelihood(f"Q{n}:", [" yes"])) for n in range(9)]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()

    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [isinstance(one, tuple) for one in outcomes] == [False, True] * 4 + [False]


@pytest.mark.parametrize("packing", [Packing(16, 4), Packing(64, 1000), Packing(1, 1)])
def test_how_a_tree_is_cut_changes_no_number(tiny: MakeModel, packing: Packing) -> None:
    scorer = tiny()._scorer
    assert scorer
    draw = random.Random(9)
    trunk = [draw.randrange(5, 300) for _ in range(40)]
    pairs = []
    for _ in range(30):
        context = trunk[: draw.randrange(1, 40)] + [draw.randrange(5, 300) for _ in range(4)]
        pairs.append(Pair(tuple(context), tuple(draw.randrange(5, 300) for _ in range(3))))
    found: dict[int, Any] = {}
    usual: dict[int, Any] = {}

    scorer.score(pairs, usual.__setitem__, lambda _: True)
    other = scoring.Scorer(scorer.network, passes.Budget(64), packing)
    other.score(pairs, found.__setitem__, lambda _: True)

    assert_same([found[n] for n in range(30)], [usual[n] for n in range(30)])


@pytest.mark.parametrize("architecture", ["llama", "mistral"])
async def test_half_precision_packs_too(
    tiny_folder: Callable[..., Path], architecture: str
) -> None:
    options = {"device": "cpu", "dtype": "bfloat16"}
    model = load(str(tiny_folder(architecture)), options=options)

    (found,) = await model.loglikelihood("The nurse and the", [" engineer"])

    assert "shared prefixes computed once" in " ".join(model.notes)
    assert found.logprob == pytest.approx(
        one_by_one(model, "The nurse and the", " engineer").logprob, abs=0.2
    )


async def test_half_precision_packs_long_texts_too(tiny_folder: Callable[..., Path]) -> None:
    options = {"device": "cpu", "dtype": "bfloat16"}
    model = load(str(tiny_folder()), options=options)
    context = text(random.Random(3), 60)
    after = [" " + text(random.Random(n), 12) for n in range(3)]

    found = await model.loglikelihood(context, after)

    assert "longer texts in plain rows" not in " ".join(model.notes)
    for one, continuation in zip(found, after, strict=True):
        right = one_by_one(model, context, continuation)
        assert one.logprob == pytest.approx(right.logprob, abs=0.5)
