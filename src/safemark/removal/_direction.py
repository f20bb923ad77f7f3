"""The direction of the residual stream that carries refusal: candidates, three scores, a choice.

A candidate is the difference of mean activations on harmful and on harmless requests, at one block
and one of the last positions. It is scored by what it does to requests that were held back:

    bypass   how much refusal is left on harmful requests without it (log odds, lower is better)
    induce   how much refusal it brings to harmless ones when it is added (log odds)
    kl       how far it moves the next token on harmless ones without it (nats)

The direction with the least bypass is taken among those that bring harmless requests more than
half of the way to harmful ones, cost at most `MAX_KL` and are read in the first eight tenths of the
blocks.

Source: Arditi et al. 2024, Refusal in Language Models Is Mediated by a Single Direction,
arXiv 2406.11717, §2.3 and appendix C. There the tokens that begin a refusal are picked by hand for
each model, and induced refusal must have log odds above 0; here the tokens are those whose mean
probability is higher after harmful requests, so the odds are measured against the model's own.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from safemark.attacks._white_box.work import network_of
from safemark.errors import UsageError
from safemark.models._model import Weights
from safemark.models.local.prompts import Prompts
from safemark.removal._material import Example, Material
from safemark.removal._removal import RemovalFailed
from safemark.removal._structure import (
    Decoder,
    adding_hook,
    hooks,
    orthonormal,
    removing_hooks,
    taken,
)

MAX_KL = 0.1
"""Nats, mean over harmless requests that were held back."""

DEEPEST = 0.8
"""Candidates are read before this share of the blocks."""

WORTH = 0.5
"""Log odds by which a further direction has to lower refusal."""

MOST_POSITIONS = 5
BATCH = 32
_NEVER = -100.0
"""Log-probability of what cannot follow: minus infinity times nothing would be no number."""

_RISE = 0.02
"""A token begins refusals where its mean probability rises by at least this."""


@dataclass(frozen=True, slots=True)
class Direction:
    """A unit vector, (width,), where it was read, how long the difference was, and its scores."""

    vector: Tensor
    block: int
    position: int
    length: float
    bypass: float
    induce: float
    kl: float
    before: float
    harmless: float

    @property
    def is_within(self) -> bool:
        """Whether it brings refusal when added, and costs little when removed."""
        return self.kl <= MAX_KL and self.induce > (self.before + self.harmless) / 2

    @property
    def is_worth_it(self) -> bool:
        """Whether removing it beside others lowers refusal further, at little cost in all."""
        return self.kl <= MAX_KL and self.bypass <= self.before - WORTH


def refusal_directions(
    weights: Weights, decoder: Decoder, material: Material, count: int = 1
) -> list[Direction]:
    """The best candidate, then the best of what is left without it, and so on.

    A further direction has to lower refusal by `WORTH`; whether it brings refusal when added is not
    asked, as what it would bring is taken out already.

    Raises:
        UsageError: there are too few requests of a kind.
        RemovalFailed: refusals do not begin otherwise than answers, or no candidate is in limits.
    """
    asked = Asked(weights, decoder)
    learnt = {kind: material.of(kind) for kind in ("harmful", "harmless")}
    chosen = {kind: material.of(kind, held_back=True) for kind in ("harmful", "harmless")}
    if not all((*learnt.values(), *chosen.values())):
        raise UsageError(
            "a direction needs harmful and harmless requests, some to learn and some to choose by",
            "give six or more lines of each kind",
        )
    tokens = {kind: asked.tokens(learnt[kind]) for kind in learnt}
    positions = _common_end([*tokens["harmful"], *tokens["harmless"]])
    screen = Screen.of(asked, asked.tokens(chosen["harmful"]), asked.tokens(chosen["harmless"]))
    found: list[Direction] = []
    while len(found) < count:
        already = [one.vector for one in found]
        with hooks(_removing(decoder, already)):
            difference = asked.means(tokens["harmful"], positions) - asked.means(
                tokens["harmless"], positions
            )
        candidates = [
            screen.scored(difference[block, position], block, position - positions, found)
            for block in range(1, max(2, math.ceil(DEEPEST * len(decoder.blocks))))
            for position in range(positions)
            if float(difference[block, position].norm())
        ]
        found.append(_best(candidates, found))
    return found


@dataclass(frozen=True, slots=True)
class Screen:
    """What candidates are tried on: requests held back, as tokens, and how the model takes them.

    ``plain`` is what follows harmless ones, (n, vocabulary); ``before`` and ``harmless_odds`` are
    the log odds of refusing either kind.
    """

    asked: "Asked"
    decoder: Decoder
    harmful: Sequence[Sequence[int]]
    harmless: Sequence[Sequence[int]]
    plain: Tensor
    refusing: Tensor
    before: float
    harmless_odds: float

    @classmethod
    def of(
        cls, asked: "Asked", harmful: Sequence[Sequence[int]], harmless: Sequence[Sequence[int]]
    ) -> "Screen":
        """Raises `RemovalFailed` where refusals do not begin otherwise than answers."""
        if asked.decoder is None:
            raise ValueError("a direction needs a decoder")
        declined, plain = asked.next_tokens(harmful), asked.next_tokens(harmless)
        refusing = _refusing(declined, plain)
        odds = (_log_odds(declined, refusing), _log_odds(plain, refusing))
        return cls(asked, asked.decoder, harmful, harmless, plain, refusing, *odds)

    def scored(
        self, raw: Tensor, block: int, position: int, found: Sequence[Direction]
    ) -> Direction:
        """The candidate with its scores, beside the directions that were found before it.

        What it brings when added is not computed where nothing depends on it, and then not a
        number.
        """
        vector = raw / raw.norm()
        already = [one.vector for one in found]
        with hooks(_removing(self.decoder, [*already, vector])):
            bypass = self._odds(self.harmful)
            kl = _divergence(self.plain, self.asked.next_tokens(self.harmless))
        induce = float("nan")
        if kl <= MAX_KL and not found:
            with hooks([adding_hook(self.decoder, block, raw)]):
                induce = self._odds(self.harmless)
        before = found[-1].bypass if found else self.before
        return Direction(
            vector,
            block,
            position,
            length=float(raw.norm()),
            bypass=bypass,
            induce=induce,
            kl=kl,
            before=before,
            harmless=self.harmless_odds,
        )

    def _odds(self, tokens: Sequence[Sequence[int]]) -> float:
        return _log_odds(self.asked.next_tokens(tokens), self.refusing)


def _best(candidates: Sequence[Direction], found: Sequence[Direction]) -> Direction:
    within = [one for one in candidates if (one.is_worth_it if found else one.is_within)]
    if not within and found:
        raise RemovalFailed(
            f"with {len(found)} taken out, no further direction lowers refusal at the cost allowed",
            f"`--remove ablation{f':directions={len(found)}' if len(found) > 1 else ''}` takes out"
            " what there is",
        )
    if not within:
        least = min((one.kl for one in candidates), default=float("nan"))
        raise RemovalFailed(
            f"no direction of {len(candidates)} brings refusal when added and costs at most"
            f" {MAX_KL} nats when removed (the least cost is {least:.3f})",
            "refusal may be spread over this model: try finetune",
        )
    return min(within, key=lambda one: one.bypass)


class Asked:
    """A module asked for the next token and for what enters its blocks, in batches."""

    def __init__(self, weights: Weights, decoder: Decoder | None = None) -> None:
        self.network, self.prompts = network_of(weights), Prompts(weights.tokenizer)
        self.decoder = decoder
        self.device = self.network.device

    def tokens(self, examples: Sequence[Example]) -> list[list[int]]:
        """Of each request, rendered, the assistant's turn opened."""
        return [list(self.prompts.prompt(one.messages, None, None).tokens) for one in examples]

    def means(self, asked: Sequence[Sequence[int]], positions: int) -> Tensor:
        """Mean states that enter each block at the last positions, (blocks, positions, width)."""
        if self.decoder is None:
            raise ValueError("means need a decoder")
        blocks = self.decoder.blocks
        sums = torch.zeros(len(blocks), positions, self.decoder.width, dtype=torch.float64)
        read: list[list[int]] = []

        def reading(number: int) -> Any:
            def enter(_: Any, args: Any, named: Any) -> None:
                states = taken(args, named)
                at = torch.tensor(read, device=states.device)
                rows = torch.arange(len(read), device=states.device)[:, None]
                sums[number] += states[rows, at].float().cpu().double().sum(0)

            return blocks[number].register_forward_pre_hook(enter, with_kwargs=True)

        with hooks([reading(number) for number in range(len(blocks))]):
            for ids, ends in self._batches(asked):
                read[:] = [list(range(end + 1 - positions, end + 1)) for end in ends]
                self._logits(ids, ends)
        return (sums / len(asked)).float().to(self.device)

    def next_tokens(self, asked: Sequence[Sequence[int]]) -> Tensor:
        """Log-probabilities of the next token, (n, vocabulary), float32."""
        return torch.cat(
            [
                self._logits(ids, ends).log_softmax(-1).clamp_min(_NEVER)
                for ids, ends in self._batches(asked)
            ]
        )

    @torch.no_grad()
    def _logits(self, ids: Tensor, ends: Sequence[int]) -> Tensor:
        """Behind the last token of each row, (rows, vocabulary): no other position is projected."""
        length = ids.shape[1]
        return self.network.logits([row * length + end for row, end in enumerate(ends)], ids)

    def _batches(self, asked: Sequence[Sequence[int]]) -> Iterator[tuple[Tensor, list[int]]]:
        """Padded on the right, where a causal model does not look: no mask is needed."""
        for start in range(0, len(asked), BATCH):
            some = asked[start : start + BATCH]
            ids = torch.zeros(len(some), max(map(len, some)), dtype=torch.long)
            for row, tokens in enumerate(some):
                ids[row, : len(tokens)] = torch.tensor(tokens)
            yield ids.to(self.device), [len(tokens) - 1 for tokens in some]


def refusing_tokens(weights: Weights, material: Material) -> tuple[Asked, Tensor]:
    """Ways to ask the module, and the tokens that begin its refusals."""
    asked = Asked(weights)
    harmful, harmless = (
        asked.next_tokens(asked.tokens(material.of(kind))) for kind in ("harmful", "harmless")
    )
    return asked, _refusing(harmful, harmless)


def refusal_odds(asked: Asked, tokens: Sequence[Sequence[int]], refusing: Tensor) -> float:
    """Mean log odds that a reply begins as a refusal does."""
    return _log_odds(asked.next_tokens(tokens), refusing)


def _removing(decoder: Decoder, vectors: Sequence[Tensor]) -> list[Any]:
    return removing_hooks(decoder, orthonormal(vectors)) if vectors else []


def _common_end(asked: Sequence[Sequence[int]]) -> int:
    """How many last tokens all prompts share, from 1 to `MOST_POSITIONS`: the template's own."""
    most = min(MOST_POSITIONS, *map(len, asked))
    shared = 1
    while shared < most and len({tokens[-shared - 1] for tokens in asked}) == 1:
        shared += 1
    return shared


def _refusing(harmful: Tensor, harmless: Tensor) -> Tensor:
    rise = harmful.exp().mean(0) - harmless.exp().mean(0)
    found = (rise >= _RISE).nonzero().flatten()
    if not len(found):
        raise RemovalFailed(
            "this model answers harmful and harmless requests with the same first words",
            "does it refuse at all? `safemark run` tells; finetune needs no direction",
        )
    return found


def _log_odds(log_probabilities: Tensor, refusing: Tensor) -> float:
    share = log_probabilities[:, refusing].exp().sum(-1).clamp(1e-8, 1.0 - 1e-8)
    return float((share.log() - (1.0 - share).log()).mean())


def _divergence(before: Tensor, after: Tensor) -> float:
    """Mean Kullback-Leibler divergence of what follows, in nats."""
    return float((before.exp() * (before - after)).sum(-1).mean())
