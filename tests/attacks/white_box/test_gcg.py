"""Gradient search for suffixes: every number beside one computed plainly, on small random models."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from safemark import registry
from safemark.attacks import gcg
from safemark.attacks._attack import Helpers
from safemark.attacks._white_box.frame import Frame, framed
from safemark.attacks._white_box.gcg import Search, Settings, rank_correlation
from safemark.attacks._white_box.losses import Losses
from safemark.attacks._white_box.work import begun, network_of
from safemark.errors import CallFailed, UsageError
from safemark.models.fake import Fake
from safemark.models.local import LocalModel
from safemark.types import Ask, Message, Reason, Sample

ASKED = (Message("user", "Who was late for the meeting"),)
TARGET = "The nurse was late."
LENGTH = 5
SMALL = Settings(width=24, top=16, length=LENGTH)
ARCHITECTURES = ("llama", "gpt_neox", "gpt2", "mistral", "gemma2")


def losses_of(model: LocalModel) -> Losses:
    weights = model.weights
    return Losses(network_of(weights), framed(weights.tokenizer, ASKED, TARGET), LENGTH)


def whole(frame: Frame, suffix: list[int]) -> list[int]:
    return [*frame.before, *suffix, *frame.after, *frame.target]


def plain_loss(module: Any, frame: Frame, suffix: list[int]) -> float:
    """The loss by the definition: one full forward pass, no cache, nothing of ours."""
    with torch.no_grad():
        logits = module(input_ids=torch.tensor([whole(frame, suffix)])).logits[0].log_softmax(-1)
    first = len(frame.before) + len(suffix) + len(frame.after) - 1
    steps = [logits[first + place, token] for place, token in enumerate(frame.target)]
    return -float(torch.stack(steps).mean())


def hand_written_slope(module: Any, frame: Frame, suffix: list[int]) -> Any:
    """The gradient with respect to one-hot rows, through the whole text."""
    embedding = module.get_input_embeddings()
    table = embedding(torch.arange(embedding.num_embeddings))  # some scale what they look up
    ids = torch.tensor(whole(frame, suffix))
    rows = torch.nn.functional.one_hot(ids, len(table)).float().requires_grad_()
    logits = module(inputs_embeds=(rows @ table)[None]).logits[0]
    count = len(frame.target)
    loss = torch.nn.functional.cross_entropy(logits[-count - 1 : -1], ids[-count:])
    (slope,) = torch.autograd.grad(loss, rows)
    return slope[len(frame.before) : len(frame.before) + len(suffix)]


# gradient and losses


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_slope_is_that_of_the_whole_text_by_hand(
    tiny: Callable[..., LocalModel], architecture: str
) -> None:
    model = tiny(architecture)
    losses = losses_of(model)
    suffix = torch.tensor([40, 50, 60, 70, 80])
    loss, slope, works = losses.slope(suffix)
    module = model.weights.module
    by_hand = hand_written_slope(module, losses.frame, suffix.tolist())
    assert slope.shape == (LENGTH, module.get_input_embeddings().num_embeddings)
    assert (slope - by_hand).abs().max() <= 1e-5 * max(1.0, float(by_hand.abs().max()))
    assert loss == pytest.approx(plain_loss(module, losses.frame, suffix.tolist()), abs=1e-5)
    assert not works


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_candidates_cost_what_a_plain_forward_says(
    tiny: Callable[..., LocalModel], architecture: str
) -> None:
    model = tiny(architecture)
    losses = losses_of(model)
    base = torch.tensor([40, 50, 60, 70, 80])
    losses.slope(base)
    candidates = base.repeat(12, 1)
    for line in range(12):  # each place, some twice, in no order; one has two changes
        candidates[line, (3 * line) % LENGTH] = 100 + line
    candidates[0, 4] = 99
    found = losses.of(candidates, base)
    module = model.weights.module
    known = [plain_loss(module, losses.frame, one.tolist()) for one in candidates]
    assert found.tolist() == pytest.approx(known, abs=1e-5)
    assert len(set(known)) == 12
    losses.check(candidates[:4], base)
    assert losses.shares


def test_only_what_follows_the_change_is_computed(tiny: Callable[..., LocalModel]) -> None:
    losses = losses_of(tiny())
    base = torch.tensor([40, 50, 60, 70, 80])
    losses.slope(base)
    before = losses.computed
    candidates = base.repeat(64, 1)
    candidates[:, 4] = torch.arange(100, 164)  # all change the last place
    losses.of(candidates, base)
    behind = len(losses.frame.after) + len(losses.frame.target) - 1
    assert losses.computed - before == 64 * (1 + behind)


def test_a_model_on_which_sharing_is_wrong_is_computed_plainly(
    tiny: Callable[..., LocalModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny()
    losses = losses_of(model)
    base = torch.tensor([40, 50, 60, 70, 80])
    losses.slope(base)
    losses._inside = [(keys * 3, values) for keys, values in losses._inside]
    candidates = base.repeat(4, 1)
    candidates[torch.arange(4), torch.arange(4)] = 99
    losses.check(candidates, base)
    assert not losses.shares
    module = model.weights.module
    known = [plain_loss(module, losses.frame, one.tolist()) for one in candidates]
    assert losses.of(candidates, base).tolist() == pytest.approx(known, abs=1e-5)
    by_hand = hand_written_slope(module, losses.frame, base.tolist())
    assert (losses.slope(base)[1] - by_hand).abs().max() <= 1e-5


def test_a_batch_that_does_not_fit_is_halved(
    tiny: Callable[..., LocalModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = losses_of(tiny())
    base = torch.tensor([40, 50, 60, 70, 80])
    losses.slope(base)
    candidates = base.repeat(32, 1)
    candidates[:, 2] = torch.arange(100, 132)
    known = losses.of(candidates, base)
    sizes: list[int] = []
    forward = losses._forward

    def narrow(some: Any, first: int) -> Any:
        sizes.append(len(some))
        if len(some) > 8:
            raise torch.OutOfMemoryError("out of memory")
        return forward(some, first)

    monkeypatch.setattr(losses, "_forward", narrow)
    assert losses.of(candidates, base).tolist() == pytest.approx(known.tolist(), abs=1e-6)
    assert sizes == [32, 16, 8, 8, 8, 8]


def test_a_text_that_does_not_fit_says_so(tiny: Callable[..., LocalModel]) -> None:
    weights = tiny().weights
    long = (Message("user", "meeting " * 300),)
    with pytest.raises(CallFailed, match="tokens, the model takes") as raised:
        begun(weights, [(long, TARGET)], None, SMALL, ("s",))
    assert raised.value.reason is Reason.CONTEXT_TOO_LONG


# the search


def search(model: LocalModel, seed: object = 1, settings: Settings = SMALL) -> Search:
    return begun(model.weights, [(ASKED, TARGET)], None, settings, (seed,))


def test_the_best_loss_falls_and_the_same_seed_finds_the_same(
    tiny: Callable[..., LocalModel],
) -> None:
    model = tiny()
    one, again, other = search(model), search(model), search(model, 2)
    for _ in range(6):
        for each in (one, again, other):
            each.step()
    assert all(
        later <= earlier for earlier, later in zip(one.history, one.history[1:], strict=False)
    )
    assert one.history[-1] < one.history[0] - 0.05
    assert (one.text, one.history) == (again.text, again.history)
    assert other.text != one.text
    frame = losses_of(model).frame
    known = plain_loss(model.weights.module, frame, one.best.tolist())
    assert one.best_loss == pytest.approx(known, abs=1e-5)


def test_candidates_differ_from_each_other_and_survive_as_text(
    tiny: Callable[..., LocalModel],
) -> None:
    model = tiny()
    found = search(model)
    _, slope = found._slope()
    candidates, _ = found._candidates(slope)
    assert 0 < len(candidates) <= SMALL.width
    lines = [tuple(line) for line in candidates.tolist()]
    assert len(set(lines)) == len(lines)
    assert all(sum(a != b for a, b in zip(line, found.suffix, strict=True)) == 1 for line in lines)
    frame = losses_of(model).frame
    tokenizer = model.weights.tokenizer
    for line in lines:
        text = frame.text_before + frame.text(line) + frame.text_after
        read = tokenizer.encode(text, add_special_tokens=False)
        assert read == [*frame.before, *line, *frame.after]
        assert frame.text(line).isascii()


def test_tokens_that_grow_together_are_filtered(tiny: Callable[..., LocalModel]) -> None:
    frame = losses_of(tiny()).frame
    tokenizer = tiny().weights.tokenizer
    letters = [tokenizer.convert_tokens_to_ids(letter) for letter in "nurse"]
    apart = [tokenizer.convert_tokens_to_ids(letter) for letter in "0(0(0"]
    assert frame.kept(torch.tensor([letters, apart])).tolist() == [False, True]


def test_the_steepest_token_is_among_the_candidates(tiny: Callable[..., LocalModel]) -> None:
    """With as many candidates as there are, the search takes the best single change there is."""
    model = tiny()
    all_of_them = Settings(width=100_000, top=100_000, length=LENGTH)
    found = search(model, settings=all_of_them)
    start = found.suffix
    frame = losses_of(model).frame
    rows = model.weights.module.get_input_embeddings().num_embeddings
    allowed = frame.allowed(rows).nonzero().flatten().tolist()
    changes = [
        [*start[:place].tolist(), token, *start[place + 1 :].tolist()]
        for place in range(LENGTH)
        for token in allowed
        if token != start[place]
    ]
    survivors = torch.tensor(changes)[frame.kept(torch.tensor(changes))]
    reference = losses_of(model)
    reference.slope(start)
    least = float(reference.of(survivors, start).min())
    found.step()
    assert found.best_loss == pytest.approx(least, abs=1e-5)
    assert found.tried == len(survivors)


def test_momentum_adds_the_slopes_before(tiny: Callable[..., LocalModel]) -> None:
    model = tiny()
    plain, heavy = (
        search(model, settings=Settings(24, 16, LENGTH, momentum)) for momentum in (0.0, 0.5)
    )
    first = plain._slope()[1]
    assert torch.equal(heavy._slope()[1], first)
    assert torch.allclose(heavy._slope()[1], 1.5 * first)
    assert torch.equal(plain._slope()[1], first)


def test_a_universal_search_takes_texts_in_one_by_one(tiny: Callable[..., LocalModel]) -> None:
    model = tiny()
    other = (Message("user", "Is the Earth flat"),)
    pairs = [(ASKED, TARGET), (other, "No.")]
    found = begun(model.weights, pairs, None, SMALL, ("s",))
    found.step()
    assert found.taking_part == 1
    found.taking_part = 2
    found.best_loss = float("inf")
    found._remember(found._slope()[0], found.suffix)
    for _ in range(3):
        found.step()
    frames = [framed(model.weights.tokenizer, asked, aim) for asked, aim in pairs]
    known = [plain_loss(model.weights.module, one, found.best.tolist()) for one in frames]
    assert found.best_loss == pytest.approx(sum(known) / 2, abs=1e-5)


def test_rank_correlation() -> None:
    rising = torch.tensor([1.0, 2.0, 5.0, 9.0])
    assert rank_correlation(rising, rising**2) == pytest.approx(1)
    assert rank_correlation(rising, -rising) == pytest.approx(-1)
    assert rank_correlation(rising, torch.tensor([2.0, 1.0, 9.0, 5.0])) == pytest.approx(0.6)


def test_probe_sampling_computes_fewer_and_their_true_losses(
    tiny: Callable[..., LocalModel],
) -> None:
    model = tiny()
    weights = model.weights
    wide = Settings(width=64, top=32, length=LENGTH)
    drafted = begun(weights, [(ASKED, TARGET)], None, wide, ("s",), draft=weights)
    fully = begun(weights, [(ASKED, TARGET)], None, wide, ("s",))
    drafted.step()
    fully.step()
    # the draft agrees wholly with itself: the probe, and the one best besides
    assert drafted.tried <= fully.tried // 16 + 2
    assert drafted.best_loss == pytest.approx(fully.best_loss, abs=1e-5)
    other = weights._replace(tokenizer=_Vocabulary())
    with pytest.raises(UsageError, match="another tokenizer"):
        begun(weights, [(ASKED, TARGET)], None, wide, ("s",), draft=other)


class _Vocabulary:
    def get_vocab(self) -> dict[str, int]:
        return {"a": 0}


# the attack


SAMPLE = Sample("s", ASKED, facets={"target": TARGET})


async def test_the_target_is_asked_with_the_best_suffix_at_each_checkpoint(
    tiny: Callable[..., LocalModel],
) -> None:
    model = tiny()
    attack = registry.attack("gcg:steps=5/width=12/top=16/length=4")
    assert attack.needs == ("weights",)
    assert attack.search is not None
    found = await attack.search(SAMPLE, model, Ask(max_output_tokens=4))
    assert len(found.attempts) == attack.queries == 4  # after 1, 2, 4 and 5 steps
    for attempt in found.attempts:
        text = attempt.sent[-1].content
        assert text.startswith(ASKED[0].content)
        assert len(text) > len(ASKED[0].content)
        assert attempt.reply is not None
        assert 0 < attempt.spent.calls <= 24
        assert (attempt.spent.tokens or 0) > attempt.spent.calls
        assert attempt.spent.seconds > 0
    again = await attack.search(SAMPLE, model, Ask(max_output_tokens=4))
    assert [one.sent for one in again.attempts] == [one.sent for one in found.attempts]


async def test_the_search_ends_when_the_greedy_answer_is_the_target(
    tiny: Callable[..., LocalModel],
) -> None:
    model = tiny()
    reply = await model.reply((Message("user", ASKED[0].content + " x x x x"),), Ask())
    first = model.weights.tokenizer.encode(reply.text, add_special_tokens=False)[:1]
    easy = model.weights.tokenizer.decode(first)
    sample = Sample("s", ASKED, facets={"target": easy})
    attack = registry.attack("gcg:steps=20/width=48/top=64/length=4")
    assert attack.search is not None
    found = await attack.search(sample, model, Ask(max_output_tokens=4))
    last = found.attempts[-1].reply
    assert last is not None
    assert last.text.startswith(easy)
    assert len(found.attempts) < attack.queries


async def test_a_universal_suffix_is_made_once_and_kept_and_asked_behind_others(
    tiny: Callable[..., LocalModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFEMARK_CACHE", str(tmp_path))
    model = tiny()
    attack = registry.attack("gcg:steps=2/width=8/top=16/length=4/universal=2")
    assert attack.prepare is not None
    texts = ("Who was late", "Is the Earth flat", "Where is the moon")
    samples = [Sample(f"s-{i}", (Message("user", text),)) for i, text in enumerate(texts)]
    ready = await attack.prepare(samples, model)
    (file,) = (tmp_path / "attacks").iterdir()
    made = json.loads(file.read_text())
    assert ready.covers is not None
    (new,) = filter(ready.covers, samples)
    assert ready.settings["learnt_on"] == 2
    assert ready.settings["works_on_of_these"] == made["works"] == 0
    assert made["candidates"] > 0
    assert ready.search is not None
    assert ready.id != attack.id
    found = await ready.search(new, model, Ask(max_output_tokens=2))
    text = new.messages[0].content
    assert [one.sent[-1].content for one in found.attempts] == [f"{text}{made['suffix']}"]
    file.write_text(json.dumps({**made, "suffix": " kept"}))
    kept = await attack.prepare(samples[::-1], model)
    assert kept.search is not None
    assert kept.id != ready.id
    again = await kept.search(new, model, Ask(max_output_tokens=2))
    assert again.attempts[0].sent[-1].content == f"{text} kept"
    file.write_text("{")
    assert (await attack.prepare(samples, model)).id == ready.id, "a broken file is made anew"
    with pytest.raises(UsageError, match="learns on 2 requests and asks others, of 2"):
        await attack.prepare(samples[:2], model)


def test_what_is_learnt_on_is_drawn_by_id_and_none_of_its_cluster_is_asked() -> None:
    samples = [Sample(f"s-{i}", ASKED, cluster=f"c-{i // 2}") for i in range(20)]
    learnt, is_new = gcg.parted(samples, 5)
    again, _ = gcg.parted(samples[::-1], 5)
    assert {one.id for one in learnt} == {one.id for one in again}
    assert len(learnt) == 5
    assert {one.id for one in learnt} != {one.id for one in samples[:5]}
    seen = {one.cluster for one in learnt}
    assert [is_new(one) for one in samples] == [one.cluster not in seen for one in samples]
    twins = [Sample(f"s-{i}", ASKED, cluster="c") for i in range(20)]
    with pytest.raises(UsageError, match="asks others"):
        gcg.parted(twins, 5)


def test_how_many_texts_a_suffix_works_on_is_that_of_greedy_answers(
    tiny: Callable[..., LocalModel],
) -> None:
    model = tiny()
    module = model.weights.module
    found = begun(model.weights, [(ASKED, TARGET)], None, SMALL, ("s",))
    frame = found._losses[0].frame
    ids = torch.tensor([[*frame.before, *found.best.tolist(), *frame.after]])
    with torch.no_grad():
        greedy = int(module(input_ids=ids).logits[0, -1].argmax())
    assert found.worked() == 0
    found._losses[0].target = torch.tensor([greedy])
    found._losses[0]._tail = torch.tensor(list(frame.after))
    assert found.worked() == 1


async def test_a_suffix_made_on_one_model_is_sent_to_another(
    tiny: Callable[..., LocalModel],
) -> None:
    attack = registry.attack("gcg:steps=1/width=8/top=16/length=4/transfer")
    assert (attack.wants, attack.needs) == (frozenset({"attacker"}), ())
    assert attack.with_models is not None
    target = Fake("Yes.")
    ready = attack.with_models(Helpers(tiny()))
    assert ready.wants == frozenset()
    assert ready.helped_by
    assert ready.search is not None
    found = await ready.search(SAMPLE, target, Ask())
    assert len(target.asked) == len(found.attempts) == 1
    with pytest.raises(UsageError, match="has none here"):
        attack.with_models(Helpers(Fake()))


async def test_a_target_without_weights_is_an_error_that_says_what_to_give() -> None:
    attack = registry.attack("gcg:steps=1")
    assert attack.search is not None
    with pytest.raises(UsageError, match="not in this process"):
        await attack.search(SAMPLE, Fake(), Ask())


@pytest.mark.parametrize(
    "argument", ["stepz=3", "steps=0", "steps=x", "steps=3/steps=4", "transfer/probe", "probe=2"]
)
def test_settings_that_there_are_not(argument: str) -> None:
    with pytest.raises(UsageError):
        gcg.of(argument)


def test_the_defaults_are_the_published_ones() -> None:
    settings = gcg.attack.settings
    named = [settings[name] for name in ("steps", "width", "top", "length", "momentum")]
    assert named == [250, 512, 256, 20, 0]
    assert registry.attack("gcg:width=64/steps=9").name == "gcg:steps=9/width=64"
