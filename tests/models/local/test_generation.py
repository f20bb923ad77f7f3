"""Replies: the same in any company, and ended where they should end."""

import asyncio
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from safemark.errors import CallFailed
from safemark.models.local import LocalModel, generation, load, steps
from safemark.types import Ask, Message, Messages, Reason, Reply
from tests.models.local.conftest import MakeModel
from tests.models.local.tiny import TEXT, WINDOW

WORDS = " ".join(TEXT).split()


def questions(count: int) -> list[Messages]:
    draw = random.Random(7)
    return [
        (Message("user", " ".join(draw.choice(WORDS) for _ in range(draw.randrange(1, 25)))),)
        for _ in range(count)
    ]


async def together(model: LocalModel, asked: list[tuple[Messages, Ask]]) -> list[Reply]:
    return list(await asyncio.gather(*(model.reply(*one) for one in asked)))


def plain_greedy(model: LocalModel, text: str, count: int) -> list[int]:
    """Greedy tokens by the plainest loop: everything anew for each token."""
    module, tokenizer = model.weights
    ids = tokenizer.encode(text, add_special_tokens=False)
    start = len(ids)
    with torch.inference_mode():
        while len(ids) - start < count:
            ids.append(int(module(torch.tensor([ids])).logits[0, -1].argmax()))
            if ids[-1] == tokenizer.eos_token_id:
                break
    return list(ids[start:])


@pytest.mark.parametrize("architecture", ["llama", "gpt_neox", "qwen3", "mistral", "gemma2"])
async def test_a_greedy_batch_answers_as_one_by_one(tiny: MakeModel, architecture: str) -> None:
    model = tiny(architecture)
    asked = [(question, Ask(max_output_tokens=24)) for question in questions(9)]

    replies = await together(model, asked)

    tokenizer = model.weights[1]
    for (question, _), reply in zip(asked, replies, strict=True):
        text = f"<|user|>\n{question[0].content}<|end|>\n<|assistant|>\n"
        tokens = plain_greedy(model, text, 24)
        assert reply.usage.output_tokens == len(tokens)
        assert reply.text == tokenizer.decode(tokens, skip_special_tokens=True)


async def test_a_sampled_answer_does_not_depend_on_its_company(tiny: MakeModel) -> None:
    model = tiny()
    asked = [
        (question, Ask(temperature=0.9, top_p=0.9, max_output_tokens=12, seed=4, draw=draw))
        for question in questions(5)
        for draw in range(3)
    ]

    in_company = await together(model, asked)
    alone = [await model.reply(*one) for one in asked]

    assert in_company == alone
    assert len({reply.text for reply in in_company}) == 15


@pytest.mark.parametrize("architecture", ["llama", "gpt_neox"])
async def test_draws_of_long_prompts_keep_what_they_begin_with_once(
    tiny: MakeModel, architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny(architecture, max_length=512)
    draw = random.Random(2)
    primer = " ".join(draw.choice(WORDS) for _ in range(60))
    ends = ("", " late", " the Earth is round", " who was late")
    longs: list[Messages] = [(Message("user", primer + end),) for end in ends]
    asked = [
        (question, Ask(temperature=0.9, max_output_tokens=5 + draw, seed=1, draw=draw))
        for question in (*longs, *questions(3))
        for draw in range(3)
    ]
    monkeypatch.setattr(model._generator, "_batch_size", 8)  # so that rows come later
    kept: list[list[int]] = []
    go_on = steps.Slots.go_on

    def counted(slots: steps.Slots, tokens: list[int]) -> torch.Tensor:
        kept.extend(family.rows[:] for family in slots._families)
        return go_on(slots, tokens)

    monkeypatch.setattr(steps.Slots, "go_on", counted)
    together_found = await together(model, asked)
    monkeypatch.setattr(model._generator, "_least_in_common", float("inf"))
    families = len(kept)
    apart = [await model.reply(*one) for one in asked]

    assert together_found == apart
    assert families == len(kept) > 10
    assert max(map(len, kept)) > 3


def test_families_are_those_that_save_most() -> None:
    few, many, other = (1,) * 70, (1,) * 300, (2,) * 300
    prompts = [(*many, 5), (*few, 6), other, (*many, 7), (*other, 8), (3,) * 80]

    found = [(sorted(members), count) for members, count in steps.in_families(prompts, 64)]

    assert found == [([0, 3], 300), ([2, 4], 300)]
    assert not list(steps.in_families(prompts, math.inf))


async def test_the_seed_and_the_draw_change_a_sampled_answer(tiny: MakeModel) -> None:
    (question,) = questions(1)
    asks = [Ask(1.0, 12, seed=seed, draw=draw) for seed in (1, 2) for draw in (0, 1)]

    replies = await together(tiny(), [(question, ask) for ask in asks])

    assert len({reply.text for reply in replies}) == 4


def test_sampling_follows_the_distribution() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).repeat(4000, 1)
    rows: list[Any] = [
        generation._Row(n, None, Ask(temperature=1.0, top_p=0.9), 1, n)  # type: ignore[arg-type]
        for n in range(4000)
    ]
    for row in rows:
        row.restart()

    tokens = generation._sampled(rows, logits)

    shares = torch.bincount(tokens, minlength=4) / 4000
    assert shares.tolist() == pytest.approx([0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95, 0], abs=0.03)


async def test_output_ends_at_the_limit(tiny: MakeModel) -> None:
    (question,) = questions(1)

    reply = await tiny().reply(question, Ask(max_output_tokens=3))

    assert (reply.finish, reply.usage.output_tokens) == ("length", 3)


async def test_output_ends_before_a_stop_string(tiny: MakeModel) -> None:
    model = tiny()
    (question,) = questions(1)
    whole = await model.reply(question, Ask(max_output_tokens=20))
    stop = whole.text[5:8]

    reply = await model.reply(question, Ask(max_output_tokens=20, stop=("never", stop)))

    assert reply.text == whole.text[: whole.text.index(stop)]
    assert reply.finish == "stop"


async def test_output_ends_with_the_turn(tiny_folder: Callable[..., Path]) -> None:
    model = load(str(tiny_folder()), options={"device": "cpu"})
    module, tokenizer = model.weights
    (question,) = questions(1)
    whole = await model.reply(question, Ask(max_output_tokens=8))
    rendered = model._prompts.rendered(question)
    third = plain_greedy(model, rendered, 3)[2]
    generator = model._generator
    assert generator
    generator._ends = frozenset({third})

    reply = await model.reply(question, Ask(max_output_tokens=8))

    assert reply.finish == "stop"
    assert reply.usage.output_tokens == 3
    assert whole.text.startswith(reply.text)
    assert module.generation_config.eos_token_id == tokenizer.eos_token_id


async def test_the_templates_own_end_of_turn_ends_a_reply(tiny: MakeModel) -> None:
    template = (
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|system|>{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    model = tiny(chat_template=template)

    ends = model._prompts.turn_ends()

    assert ends == {model.weights[1].convert_tokens_to_ids("<|system|>")}


async def test_prefill_continues_the_assistants_turn_and_is_not_repeated(tiny: MakeModel) -> None:
    model = tiny()
    (question,) = questions(1)
    text = f"<|user|>\n{question[0].content}<|end|>\n<|assistant|>\nSure, the"

    reply = await model.reply(question, Ask(max_output_tokens=8, prefill="Sure, the"))

    tokens = plain_greedy(model, text, 8)
    assert reply.text == model.weights[1].decode(tokens, skip_special_tokens=True)


async def test_a_prompt_that_leaves_no_room_fails_alone(tiny: MakeModel) -> None:
    model = tiny()
    long = (Message("user", "nurse " * 300),)
    (short,) = questions(1)

    outcomes = await asyncio.gather(
        model.reply(long, Ask(max_output_tokens=4)),
        model.reply(short, Ask(max_output_tokens=4)),
        return_exceptions=True,
    )

    assert isinstance(outcomes[0], CallFailed)
    assert outcomes[0].reason is Reason.CONTEXT_TOO_LONG
    assert isinstance(outcomes[1], Reply)


async def test_output_ends_where_the_context_is_full(tiny: MakeModel) -> None:
    model = tiny(max_length=64)
    (question,) = ((Message("user", "The nurse and the engineer were"),),)

    reply = await model.reply(question, Ask(max_output_tokens=None))

    usage = reply.usage
    assert reply.finish == "length"
    assert (usage.input_tokens or 0) + (usage.output_tokens or 0) == 64


async def test_equal_greedy_prompts_are_computed_once(
    tiny: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny()
    generator = model._generator
    assert generator
    rows: list[int] = []
    logits = type(generator.network).logits

    def counted(network: Any, read: Any, ids: Any, **inputs: Any) -> Any:
        rows.append(ids.shape[0])
        return logits(network, read, ids, **inputs)

    monkeypatch.setattr(type(generator.network), "logits", counted)
    (question,) = questions(1)
    greedy = [Ask(max_output_tokens=3, draw=draw) for draw in range(6)]
    sampled = [Ask(temperature=1.0, max_output_tokens=3, draw=draw) for draw in range(6)]
    replies = await together(model, [(question, ask) for ask in (*greedy, *sampled)])

    assert len(set(replies[:6])) == 1
    assert rows == [1, 7, 7]


async def test_rows_leave_the_batch_as_they_end(
    tiny: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny()
    generator = model._generator
    assert generator
    rows: list[int] = []
    logits = type(generator.network).logits

    def counted(network: Any, read: Any, ids: Any, **inputs: Any) -> Any:
        rows.append(ids.shape[0])
        return logits(network, read, ids, **inputs)

    monkeypatch.setattr(type(generator.network), "logits", counted)
    asked = [(q, Ask(max_output_tokens=n + 1)) for n, q in enumerate(questions(4))]
    alone = [await model.reply(*one) for one in asked]
    rows.clear()

    assert await together(model, asked) == alone
    assert rows == [1, 3, 2, 1], "four prompts in one packed row, then the rows that are left"


async def test_rows_that_end_make_room_for_those_that_wait(
    tiny: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny()
    generator = model._generator
    assert generator
    asked = [(q, Ask(max_output_tokens=2 + 5 * (n % 3))) for n, q in enumerate(questions(12))]
    alone = [await model.reply(*one) for one in asked]
    monkeypatch.setattr(generator, "_batch_size", 4)
    widths = []
    go_on = steps.Slots.go_on

    def counted(slots: steps.Slots, tokens: list[int]) -> torch.Tensor:
        widths.append(len(tokens))
        return go_on(slots, tokens)

    monkeypatch.setattr(steps.Slots, "go_on", counted)

    assert await together(model, asked) == alone
    wanted = sum((reply.usage.output_tokens or 0) - 1 for reply in alone)
    assert sum(widths) == wanted, "no row is computed once it has ended"
    assert max(widths) == 4
    assert len(widths) < 1.3 * wanted / 4, "the batch stays full"


async def test_prefixes_that_prompts_share_are_computed_once(
    tiny: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny()
    generator = model._generator
    assert generator
    system = "The nurse and the engineer were talking about the meeting. " * 4
    asked = [(q, Ask(system=system, max_output_tokens=1)) for q in questions(8)]
    alone = [await model.reply(*one) for one in asked]
    prompts = [model._prompts.prompt(q, ask.system, None).tokens for q, ask in asked]
    distinct = {prompt[:end] for prompt in prompts for end in range(1, len(prompt) + 1)}
    before = generator.network.tokens_computed

    assert await together(model, asked) == alone
    computed = generator.network.tokens_computed - before
    assert computed < 1.2 * len(distinct) < 0.5 * sum(map(len, prompts))


async def test_a_text_that_may_outgrow_the_window_is_left_to_transformers(
    tiny: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny("mistral")
    monkeypatch.setattr(steps.Slots, "add", lambda *_: pytest.fail("no window in these masks"))

    reply = await model.reply(questions(1)[0], Ask(max_output_tokens=WINDOW))

    assert reply.usage.output_tokens == WINDOW or reply.finish == "stop"


async def test_a_model_that_refuses_our_masks_is_not_refilled(tiny: MakeModel) -> None:
    assert "batches that are not refilled" in " ".join(tiny("bloom").notes)
    assert "refilled" not in " ".join(tiny("gpt_neox").notes)


async def test_logits_that_are_not_numbers_fail_their_row_alone(
    tiny_folder: Callable[..., Path],
) -> None:
    model = load(str(tiny_folder()), options={"device": "cpu"})
    module, tokenizer = model.weights
    module.model.embed_tokens.weight.data[tokenizer.encode(" flat")[0]] = float("nan")

    outcomes = await asyncio.gather(
        model.reply((Message("user", "The Earth is flat"),), Ask(max_output_tokens=2)),
        model.reply((Message("user", "The nurse"),), Ask(max_output_tokens=2)),
        return_exceptions=True,
    )

    assert isinstance(outcomes[0], CallFailed)
    assert outcomes[0].reason is Reason.NOT_A_NUMBER
    assert isinstance(outcomes[1], Reply)


async def test_out_of_memory_halves_the_batch_and_fails_only_what_does_not_fit_alone(
    tiny_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(str(tiny_folder()), options={"device": "cpu"})
    generator = model._generator
    assert generator
    asked = [
        (question, Ask(temperature=0.7, max_output_tokens=5, seed=1)) for question in questions(6)
    ]
    alone = [await model.reply(*one) for one in asked]
    logits = type(generator.network).logits

    def small(network: Any, read: Any, ids: Any, **inputs: Any) -> Any:
        if ids.shape[0] > 2 or ids.shape[1] > 60:
            raise torch.OutOfMemoryError
        return logits(network, read, ids, **inputs)

    monkeypatch.setattr(type(generator.network), "logits", small)
    long = (Message("user", "nurse " * 80),)
    outcomes = await asyncio.gather(
        *(model.reply(*one) for one in asked),
        model.reply(long, Ask(max_output_tokens=5)),
        return_exceptions=True,
    )

    fits = [(reply.usage.input_tokens or 0) <= 60 for reply in alone]
    assert [isinstance(one, Reply) for one in outcomes] == [*fits, False]
    assert [one for one, fit in zip(outcomes, fits, strict=False) if fit] == [
        one for one, fit in zip(alone, fits, strict=True) if fit
    ]
    assert isinstance(outcomes[-1], CallFailed)
    assert outcomes[-1].reason is Reason.SERVER_ERROR


async def test_a_cancelled_reply_leaves_its_batch(tiny: MakeModel) -> None:
    model = tiny()
    calls = [asyncio.create_task(model.reply(q, Ask(max_output_tokens=6))) for q in questions(4)]
    await asyncio.sleep(0)
    calls[1].cancel()

    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [isinstance(one, Reply) for one in outcomes] == [True, False, True, True]


@pytest.mark.parametrize("fault", ["refills", "pads", "caches"])
async def test_without_refilling_padding_or_cache_the_answers_are_the_same(
    tiny_folder: Callable[..., Path], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(str(tiny_folder()), options={"device": "cpu"})
    asked = [(question, Ask(max_output_tokens=6)) for question in questions(5)]
    usual = await together(model, asked)
    generator = model._generator
    assert generator
    monkeypatch.setattr(generator, "_refills", False)
    monkeypatch.setattr(generator, "_pads", fault == "refills")
    monkeypatch.setattr(generator, "_caches", fault != "caches")

    assert await together(model, asked) == usual


async def test_bloom_that_has_no_positions_generates(tiny: MakeModel) -> None:
    model = tiny("bloom")
    asked = [(question, Ask(max_output_tokens=6)) for question in questions(4)]

    replies = await together(model, asked)

    for (question, _), reply in zip(asked, replies, strict=True):
        tokens = plain_greedy(model, model._prompts.rendered(question), 6)
        assert reply.text == model.weights[1].decode(tokens, skip_special_tokens=True)
