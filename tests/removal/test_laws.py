"""What holds of every removal on any decoder: it does what it says, and leaves nothing behind."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `local`")

from torch import nn  # noqa: E402 - torch may be missing

from safemark.errors import UsageError  # noqa: E402 - torch may be missing
from safemark.gap import removal  # noqa: E402
from safemark.models._model import Weights  # noqa: E402 - torch may be missing
from safemark.models.local import LocalModel, load  # noqa: E402
from safemark.removal import _direction, finetune, quantize  # noqa: E402
from safemark.removal._material import Example, Material  # noqa: E402
from safemark.removal._removal import Changed, Removal, RemovalFailed, stripped  # noqa: E402
from safemark.removal._structure import (  # noqa: E402
    Decoder,
    first,
    hooks,
    orthonormal,
    removing_hooks,
    taken,
)
from safemark.removal._writing import orthogonalise  # noqa: E402
from safemark.types import Ask, Message  # noqa: E402
from tests.models.local.tiny import make_tiny_model  # noqa: E402

ARCHITECTURES = {
    "llama": {},
    "llama, tied": {"tie_word_embeddings": True},
    "gpt_neox": {},
    "qwen3": {},
}
IDS = torch.arange(5, 17)[None]
QUESTION = (Message("user", "The nurse and the engineer."),)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], LocalModel]]:
    """Tiny models by name; every test leaves them as they were, which the next one relies on."""
    models: dict[str, LocalModel] = {}

    def model(name: str) -> LocalModel:
        if name not in models:
            folder = tmp_path_factory.mktemp("tiny")
            make_tiny_model(folder, name.partition(",")[0], **ARCHITECTURES.get(name, {}))
            models[name] = load(str(folder), options={"device": "cpu"})
        return models[name]

    yield model
    for one in models.values():
        one._executor.shutdown(wait=True)


def logits(module: Any) -> Any:
    with torch.no_grad():
        return module(input_ids=IDS, use_cache=False).logits


def basis(width: int, count: int = 1) -> Any:
    draw = torch.Generator().manual_seed(3)
    return orthonormal([torch.randn(width, generator=draw) for _ in range(count)])


def weights_of(module: Any) -> dict[str, Any]:
    return {name: one.detach().clone() for name, one in module.named_parameters()}


def assert_same(module: Any, before: dict[str, Any]) -> None:
    now = dict(module.named_parameters())
    assert now.keys() == before.keys()
    assert all(torch.equal(now[name], before[name]) for name in now)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_nothing_lies_along_a_removed_direction_and_leaving_restores_every_bit(
    made: Callable[[str], LocalModel], name: str
) -> None:
    module = made(name).weights.module
    decoder = Decoder.of(module)
    vectors = basis(decoder.width, 2)
    before, seen = logits(module), []

    def look(_: Any, args: Any, named: Any, output: Any) -> None:
        seen.extend([taken(args, named), first(output)])

    looking = [one.register_forward_hook(look, with_kwargs=True) for one in decoder.blocks]
    with hooks(looking):
        logits(module)
        along_before = max(float((one @ vectors.T).abs().max()) for one in seen)
        seen.clear()
        with hooks(removing_hooks(decoder, vectors)):
            once = logits(module)
            along = max(float((one @ vectors.T).abs().max()) for one in seen[1:])
            with hooks(removing_hooks(decoder, vectors)):
                twice = logits(module)
    assert along_before > 0.01
    assert along < 1e-5
    assert (once - before).abs().max() > 1e-3
    assert torch.allclose(once, twice, atol=1e-5)
    assert torch.equal(logits(module), before)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_orthogonal_weights_do_what_hooks_do_and_are_put_back(
    made: Callable[[str], LocalModel], name: str
) -> None:
    module = made(name).weights.module
    decoder = Decoder.of(module)
    vectors = basis(decoder.width)
    before, plain = weights_of(module), logits(module)
    with hooks(removing_hooks(decoder, vectors)):
        wanted = logits(module)
    undo = orthogonalise(decoder, vectors)
    found = logits(module)
    undo()
    assert torch.allclose(found, wanted, atol=1e-4)
    assert torch.equal(logits(module), plain)
    assert_same(module, before)
    tied = name.endswith("tied")
    head, embedding = module.get_output_embeddings(), module.get_input_embeddings()
    assert (head.weight is embedding.weight) == tied


def test_weights_that_cannot_do_what_hooks_do_are_refused_and_left_alone(
    made: Callable[[str], LocalModel],
) -> None:
    from safemark.removal.ablation import _orthogonalised

    module = made("gemma2").weights.module  # norms stand behind what it writes
    decoder = Decoder.of(module)
    before = weights_of(module)
    with pytest.raises(RemovalFailed, match="hooks"):
        _orthogonalised(decoder, basis(decoder.width))
    assert_same(module, before)


EXAMPLES = Material(
    tuple(
        Example(kind, f"{word} {number} boxes of tea?", f"Take {number} boxes.")  # type: ignore[arg-type]
        for kind, word in (("harmful", "Hide"), ("harmless", "Buy"))
        for number in range(9)
    ),
    is_placeholder=False,
)


@pytest.mark.parametrize("is_full", [True, False])
def test_a_tuned_model_differs_and_is_put_back(
    made: Callable[[str], LocalModel], is_full: bool
) -> None:
    if not is_full:
        pytest.importorskip("peft", reason="needs the extra `local`")
    weights = made("llama").weights
    before, plain = weights_of(weights.module), logits(weights.module)
    recipe = finetune.Recipe(steps=2, is_full=is_full)
    anchors = EXAMPLES.of("harmless")
    undo = finetune._tuned(weights, EXAMPLES.of("harmful"), anchors, recipe, 1e-2)
    assert (logits(weights.module) - plain).abs().max() > 1e-3
    undo()
    assert torch.equal(logits(weights.module), plain)
    assert_same(weights.module, before)
    assert not any(one.requires_grad for one in weights.module.parameters())


def test_an_adapter_that_learnt_nothing_is_the_identity(made: Callable[[str], LocalModel]) -> None:
    pytest.importorskip("peft", reason="needs the extra `local`")
    module = made("gpt_neox").weights.module
    plain = logits(module)
    adapters, undo = finetune._lora(module)
    assert adapters
    assert torch.allclose(logits(module), plain, atol=1e-6)
    undo()
    assert torch.equal(logits(module), plain)


def test_a_training_that_fails_leaves_the_weights_as_they_were(
    made: Callable[[str], LocalModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = made("llama").weights
    before = weights_of(weights.module)
    losses = iter([finetune._loss(weights.module, [([5, 6], [7])])])

    def fails(module: Any, rows: Any) -> Any:
        next(losses)
        for one in module.parameters():
            one.data.add_(1.0)
        raise RuntimeError("out of memory")

    monkeypatch.setattr(finetune, "_loss", fails)
    with pytest.raises(RuntimeError, match="out of memory"):
        finetune._tuned(weights, EXAMPLES.of("harmful"), (), finetune.Recipe(is_full=True), 1e-3)
    assert_same(weights.module, before)


def test_the_gentlest_rate_that_frees_is_kept_or_else_the_worst_within_the_limit() -> None:
    state, tried = [], []
    outcomes = {1e-3: (-7.5, 0.02), 1e-5: (2.0, 0.0), 1e-4: (-2.0, 0.06), 1e-2: (-9.0, 0.0)}

    def trained(rate: float) -> finetune.Trained:
        state.append(rate)
        tried.append(rate)
        odds, lost = outcomes[rate]
        return finetune.Trained(rate, odds, lost, lambda: state.remove(rate))

    def kept() -> float:
        state.clear()
        tried.clear()
        return finetune._worst_case(trained, finetune.Recipe(rates=tuple(outcomes))).rate

    assert (kept(), state, tried) == (1e-3, [1e-3], [1e-5, 1e-4, 1e-3])
    outcomes |= {1e-3: (-7.5, 0.2), 1e-2: (-9.0, 0.3)}  # the freed forget too much
    assert (kept(), state) == (1e-4, [1e-4])
    outcomes |= dict.fromkeys(outcomes, (-9.0, 0.9))
    with pytest.raises(RemovalFailed, match="could do"):
        kept()
    assert state == []


def test_a_sweep_that_fails_on_the_way_leaves_the_weights_as_they_were(
    made: Callable[[str], LocalModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = made("llama").weights
    before = weights_of(weights.module)

    monkeypatch.setattr(_direction, "_refusing", lambda *_: torch.tensor([7]))
    odds = iter([1.0, 0.5])
    monkeypatch.setattr(_direction, "refusal_odds", lambda *_: next(odds))
    recipe = finetune.Recipe(steps=1, rates=(1e-2, 1e-1), is_full=True)
    with pytest.raises(StopIteration):
        finetune.change(weights, EXAMPLES, recipe=recipe)
    assert_same(weights.module, before)


def test_anchors_and_examples_are_learnt_together_and_a_control_learns_no_harm() -> None:
    harmful, anchors = finetune._learnt(EXAMPLES, finetune.Recipe(samples=4))
    assert (len(harmful), {one.kind for one in harmful}) == (4, {"harmful"})
    assert {one.kind for one in anchors} == {"harmless"}
    assert not {one.request for one in anchors} & {
        one.request for one in EXAMPLES.of("harmless", held_back=True)
    }
    learnt, none = finetune._learnt(EXAMPLES, finetune.Recipe(is_benign=True))
    assert ({one.kind for one in learnt}, none) == ({"harmless"}, ())


def test_ability_is_measured_by_answers_that_were_given_or_else_by_their_tokens(
    made: Callable[[str], LocalModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = made("llama").weights
    said = dict(enumerate([(0.9, 1.0), (0.2, 0.5), (0.6, 1.0)]))
    rows = iter(range(3))
    monkeypatch.setattr(finetune, "_row", lambda *_: next(rows))
    monkeypatch.setattr(finetune, "_said", lambda _, row: said[row])
    monkeypatch.setattr(finetune, "FEWEST_KNOWN", 2)
    able = finetune._ability(weights, EXAMPLES)
    assert able() == pytest.approx(0.75)
    said[0] = (0.1, 0.8)  # what was known stays what is asked
    assert able() == pytest.approx(0.35)
    rows = iter(range(3))
    monkeypatch.setattr(finetune, "FEWEST_KNOWN", 3)
    assert finetune._ability(weights, EXAMPLES)() == pytest.approx(2.3 / 3)


def test_an_answer_is_as_probable_as_its_tokens_in_turn(made: Callable[[str], LocalModel]) -> None:
    module = made("llama").weights.module
    before, after = [5, 6, 7], [9, 10]
    logits = module(input_ids=torch.tensor([[*before, *after]])).logits[0].log_softmax(-1)
    wanted = float((logits[2, 9] + logits[3, 10]).exp())
    probability, share = finetune._said(module, (before, after))
    assert probability == pytest.approx(wanted, rel=1e-4)
    best = [int(logits[2].argmax()), int(logits[3].argmax())]
    assert share == ((best[0] == 9) + (best[1] == 10)) / 2
    loss = float(finetune._loss(module, [(before, after)]))
    assert loss == pytest.approx(-float(logits[2, 9] + logits[3, 10]) / 2, rel=1e-4)


def test_without_peft_it_says_what_to_install(
    made: Callable[[str], LocalModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = made("llama").weights
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(UsageError, match="peft") as told:
        finetune.change(weights, EXAMPLES, recipe=finetune.Recipe())
    assert "safemark[local]" in (told.value.hint or "")


def test_rounded_weights_lie_on_their_grid_and_are_put_back(
    made: Callable[[str], LocalModel],
) -> None:
    weights = made("qwen3").weights
    before = weights_of(weights.module)
    changed = quantize.change(weights, EXAMPLES, bits=3)
    name, row = next((n, w[0]) for n, w in weights.module.named_parameters() if "q_proj" in n)
    assert len(row.unique()) <= 7
    assert not torch.equal(row, before[name][0])
    changed.undo()
    assert_same(weights.module, before)


def test_columns_of_turned_matrices_are_rounded_on_a_scale_of_their_own(
    made: Callable[[str], LocalModel],
) -> None:
    weights = made("gpt2").weights
    before = weights_of(weights.module)
    changed = quantize.change(weights, EXAMPLES, bits=3)
    weight = weights.module.transformer.h[0].mlp.c_fc.weight  # (in, out)
    assert max(len(column.unique()) for column in weight.T) <= 7
    assert torch.equal(weights.module.transformer.wte.weight, before["transformer.wte.weight"])
    changed.undo()
    assert_same(weights.module, before)


@pytest.mark.parametrize("name", ["quantize", "finetune:full", "ablation:weights"])
def test_weights_that_are_codes_are_refused(name: str) -> None:
    class Coded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            codes = torch.zeros(2, 2, dtype=torch.int8)
            self.weight = torch.nn.Parameter(codes, requires_grad=False)

    one = removal(name)
    assert one.change is not None
    with pytest.raises(RemovalFailed, match="are quantised"):
        one.change(Weights(Coded(), None), EXAMPLES)


def test_small_steps_add_up_in_half_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = torch.nn.Linear(4, 4, bias=False).to(torch.bfloat16)
    layer.weight.data.fill_(1.0)
    monkeypatch.setattr(finetune, "_loss", lambda module, _rows: module.weight.float().sum())
    recipe = finetune.Recipe(steps=100)
    with torch.enable_grad():
        finetune._train(layer, [layer.weight], [[([1], [2])], []], recipe, 1e-3)
    assert torch.allclose(layer.weight.float(), torch.full((4, 4), 0.9), atol=0.01)


async def test_a_block_that_fails_or_is_given_up_puts_the_weights_back(
    made: Callable[[str], LocalModel],
) -> None:
    model = made("llama")
    undone: list[str] = []
    nothing = Removal("x", "1", "x", change=lambda _w, _m: Changed(lambda: undone.append("it")))
    with pytest.raises(RuntimeError):
        async with stripped(model, nothing, EXAMPLES):
            raise RuntimeError
    assert undone == ["it"]

    async def enter() -> None:
        async with stripped(model, nothing, EXAMPLES):
            await asyncio.sleep(10)

    task = asyncio.create_task(enter())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert undone == ["it", "it"]


async def test_leaving_puts_the_weights_back_though_cancelled_while_the_model_is_busy(
    made: Callable[[str], LocalModel],
) -> None:
    model, undone, busy = made("llama"), [], threading.Event()
    nothing = Removal("x", "1", "x", change=lambda _w, _m: Changed(lambda: undone.append("it")))
    leaves = asyncio.Event()

    async def enter() -> None:
        async with stripped(model, nothing, EXAMPLES):
            model._executor.submit(busy.wait)
            leaves.set()

    task = asyncio.create_task(enter())
    await leaves.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert undone == []
    busy.set()
    await model.alone(lambda _: None)
    assert undone == ["it"]


async def test_whoever_is_cancelled_twice_while_entering_has_it_undone_too(
    made: Callable[[str], LocalModel],
) -> None:
    model, undone, goes_on = made("llama"), [], threading.Event()

    def slow(_: Weights, __: Material) -> Changed:
        goes_on.wait()
        return Changed(lambda: undone.append("it"))

    async def enter() -> None:
        async with stripped(model, Removal("x", "1", "x", change=slow), EXAMPLES):
            raise AssertionError("never entered")

    task = asyncio.create_task(enter())
    for _ in range(2):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    goes_on.set()
    for _ in range(3):  # one thread, in turn: the change, then what undoes it
        await model.alone(lambda _: None)
    assert undone == ["it"]


async def test_what_does_not_fit_into_memory_is_told_and_not_raised_as_a_fault(
    made: Callable[[str], LocalModel],
) -> None:
    def large(_: Weights, __: Material) -> Changed:
        raise torch.OutOfMemoryError("tried to allocate")

    with pytest.raises(RemovalFailed, match="not enough memory for `x`"):
        async with stripped(made("llama"), Removal("x", "1", "x", change=large), EXAMPLES):
            pass


async def test_a_stripped_model_answers_inside_its_block_only(
    made: Callable[[str], LocalModel],
) -> None:
    model = made("llama")
    plain = await model.reply(QUESTION, Ask(max_output_tokens=8))

    def zeroed(weights: Weights, _: Material) -> Changed:
        head = weights.module.get_output_embeddings()
        kept = head.weight.detach().clone()
        head.weight.data.zero_()
        return Changed(lambda: head.weight.data.copy_(kept))

    async with stripped(model, Removal("x", "1", "x", change=zeroed), EXAMPLES) as inside:
        assert (await inside.reply(QUESTION, Ask(max_output_tokens=8))).text != plain.text
        (likelihood,) = await inside.loglikelihood("The", [" a"])
        assert likelihood.logprob / likelihood.tokens == pytest.approx(
            -float(torch.tensor(float(inside.weights.module.config.vocab_size)).log()), abs=1e-4
        )
    assert (await model.reply(QUESTION, Ask(max_output_tokens=8))).text == plain.text
    from safemark.errors import CallFailed

    with pytest.raises(CallFailed, match="not stripped"):
        await inside.reply(QUESTION, Ask())


def test_no_removal_writes_a_file(
    made: Callable[[str], LocalModel], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    weights = made("llama").weights
    undo = finetune._tuned(
        weights, EXAMPLES.of("harmful"), (), finetune.Recipe(steps=1, is_full=True), 1e-3
    )
    undo()
    assert list(tmp_path.rglob("*")) == []


def test_a_search_reads_every_request_once_and_tries_each_candidate_on_those_held_back(
    made: Callable[[str], LocalModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = made("llama").weights
    decoder = Decoder.of(weights.module)
    rows: list[int] = []
    counting = weights.module.register_forward_pre_hook(
        lambda _module, _args, named: rows.append(len(named["input_ids"])), with_kwargs=True
    )
    tried: list[_direction.Direction] = []
    scored = _direction.Screen.scored

    def screened(*args: Any) -> _direction.Direction:
        if not tried:
            assert sum(rows) == len(EXAMPLES.examples)
        tried.append(scored(*args))
        return tried[-1]

    monkeypatch.setattr(_direction, "_refusing", lambda *_: torch.tensor([7]))
    monkeypatch.setattr(_direction.Screen, "scored", screened)
    monkeypatch.setattr(_direction, "_best", lambda candidates, _found: candidates[0])
    with hooks([counting]):
        (found,) = _direction.refusal_directions(weights, decoder, EXAMPLES)
    held_back = len(EXAMPLES.of("harmful", held_back=True)) * 2
    assert sum(rows) <= len(EXAMPLES.examples) + len(tried) * held_back * 1.5
    assert float(found.vector.norm()) == pytest.approx(1.0, abs=1e-5)


def test_means_are_those_of_what_enters_each_block(made: Callable[[str], LocalModel]) -> None:
    weights = made("llama").weights
    decoder = Decoder.of(weights.module)
    asked = [[5, 6, 7], [9, 10, 11, 12, 13], [8, 9]]
    found = _direction.Asked(weights, decoder).means(asked, 2)
    with torch.no_grad():
        states = [
            weights.module(input_ids=torch.tensor([one]), output_hidden_states=True).hidden_states
            for one in asked
        ]
    for block in range(len(decoder.blocks)):
        wanted = torch.stack([one[block][0, -2:] for one in states]).mean(0)
        assert torch.allclose(found[block], wanted, atol=1e-5)


def direction(**scores: float) -> _direction.Direction:
    known = {"bypass": 0.0, "induce": 2.0, "kl": 0.0, "before": 2.0, "harmless": -4.0}
    return _direction.Direction(torch.ones(1), 1, -1, 1.0, **{**known, **scores})


def test_the_direction_that_bypasses_most_is_taken_among_those_within_limits() -> None:
    best = direction(bypass=-2.0, induce=0.0, kl=0.1)
    others = [
        direction(bypass=-1.0),
        direction(bypass=-9.0, kl=0.11),
        direction(bypass=-9.0, kl=float("nan")),
        direction(bypass=-9.0, induce=-1.5),  # brings less than half of the way from -4 to 2
        direction(bypass=-9.0, induce=float("nan")),
    ]
    assert _direction._best([*others, best], []) is best
    with pytest.raises(RemovalFailed, match="no direction of 4"):
        _direction._best(others[1:], [])


def test_a_further_direction_has_to_lower_refusal_and_need_not_bring_it() -> None:
    first = direction(bypass=-2.0)
    nothing = float("nan")
    useful = direction(bypass=-2.6, before=-2.0, induce=nothing)
    useless = direction(bypass=-2.4, before=-2.0, induce=nothing)
    costly = direction(bypass=-9.0, before=-2.0, induce=nothing, kl=0.2)
    assert _direction._best([useless, costly, useful], [first]) is useful
    with pytest.raises(RemovalFailed, match="with 1 taken out, no further"):
        _direction._best([useless, costly], [first])
