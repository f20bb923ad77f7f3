"""Greedy coordinate gradient: the search itself, on one frame or on several at once.

*Source:* Zou et al. 2023, "Universal and Transferable Adversarial Attacks on Aligned Language
Models", arXiv 2307.15043, algorithms 1 and 2; probe sampling: Zhao et al. 2024, arXiv 2403.01251,
§3; momentum: Zhang, Wei 2024, arXiv 2405.01229, eq. 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from safemark.attacks._white_box.losses import Losses

CHECKED = 4
"""Candidates that are also computed plainly before sharing is trusted."""

PROBE_SHARE = 16
PROBE_REDUCTION = 8


@dataclass(frozen=True, slots=True)
class Settings:
    """``width`` candidates a step, each with one of the ``top`` tokens at one of ``length`` places.

    ``momentum`` is the weight of the slopes before.
    """

    width: int = 512
    top: int = 256
    length: int = 20
    momentum: float = 0.0


class Search:
    """One search; `step` by `step` towards a suffix behind which the targets are likely.

    ``losses`` is one of each text. With several, the search begins with the first one, and the
    next joins when the suffix works on all so far (algorithm 2). ``drafts`` are the same texts on a
    smaller model with the same tokenizer; with them candidates are sampled by probes.

    ``best`` is the suffix of the least loss so far on the texts that take part, ``history`` that
    loss step by step, ``tried`` how many candidates were computed on the target's weights,
    ``works`` whether every target is the greedy answer to the suffix last looked at.
    """

    def __init__(
        self,
        losses: Sequence[Losses],
        settings: Settings,
        seed: int,
        drafts: Sequence[Losses] = (),
    ) -> None:
        self._losses = losses
        self._drafts = drafts
        self._settings = settings
        self._draw = torch.Generator().manual_seed(seed)
        rows = len(losses[0].network.module.get_input_embeddings().weight)  # type: ignore[operator]
        self._allowed = losses[0].frame.allowed(rows)
        self.suffix = losses[0].frame.start(settings.length, self._allowed, self._draw)
        self.best = self.suffix
        self.best_loss = float("inf")
        self.history: list[float] = []
        self.tried = 0
        self.works = False
        self.taking_part = 1
        self._slopes: Tensor | None = None
        self._filters = bool(losses[0].frame.kept(self.suffix[None]).all())

    @property
    def computed(self) -> int:
        """Tokens that went through the target's weights."""
        return self._losses[0].computed

    @property
    def text(self) -> str:
        """The best suffix as it is sent."""
        return self._losses[0].frame.text(self.best.tolist())

    def step(self) -> None:
        """One step: the slope, the candidates, their losses, the best of them."""
        here, slope = self._slope()
        self._remember(here, self.suffix)
        if self.works and self.taking_part < len(self._losses):
            self.taking_part += 1
            self._slopes, self.best_loss = None, float("inf")
            here, slope = self._slope()
            self._remember(here, self.suffix)
        if not self.works:
            candidates, stays = self._candidates(slope)
            if len(candidates):
                found, losses = self._computed(candidates)
                least = int(losses.argmin())
                if not stays or losses[least] < here:
                    self.suffix = found[least]
                self._remember(float(losses[least]), found[least])
        self.history.append(self.best_loss)

    def worked(self) -> int:
        """On how many of all texts the target is the greedy answer to the best suffix."""
        best = self.best.to(self._losses[0].network.device)
        return sum(one.slope(best)[2] for one in self._losses)

    def apart(self, count: int) -> float:
        """How far the losses of so many of the next candidates are from plain ones, in nats."""
        candidates, _ = self._candidates(self._slope()[1])
        one, chosen = self._losses[0], candidates[:count]
        return float((one.of(chosen, self.suffix) - one.plain(chosen)).abs().max())

    def _slope(self) -> tuple[float, Tensor]:
        """Mean loss over the texts that take part, and the sum of their slopes, each of length 1.

        ``works`` is set on the way. With one text the slope is left as it is.
        """
        device = self._losses[0].network.device
        found = [one.slope(self.suffix.to(device)) for one in self._losses[: self.taking_part]]
        self.works = all(greedy for _, _, greedy in found)
        slopes = [slope.cpu() for _, slope, _ in found]
        if len(slopes) > 1:
            slopes = [one / one.norm(dim=-1, keepdim=True).clamp_min(1e-12) for one in slopes]
        slope = torch.stack(slopes).sum(0)
        if self._slopes is not None and self._settings.momentum:
            slope = slope + self._settings.momentum * self._slopes
        self._slopes = slope
        return sum(loss for loss, _, _ in found) / len(found), slope

    def _candidates(self, slope: Tensor) -> tuple[Tensor, bool]:
        """Different suffixes, each one token away; and whether staying was among the draws."""
        settings = self._settings
        liked = (-slope).masked_fill(~self._allowed, float("-inf"))
        top = min(settings.top, int(self._allowed.sum()))
        tokens = liked.topk(top, dim=1).indices
        drawn = torch.randperm(tokens.numel(), generator=self._draw)[: settings.width]
        places, values = drawn // top, tokens.flatten()[drawn]
        changes = values != self.suffix[places]
        places, values = places[changes], values[changes]
        candidates = self.suffix.repeat(len(places), 1)
        candidates[torch.arange(len(places)), places] = values
        for one in self._losses[: self.taking_part]:
            if len(candidates) and self._filters:
                candidates = candidates[one.frame.kept(candidates)]
        return candidates, not bool(changes.all())

    def _computed(self, candidates: Tensor) -> tuple[Tensor, Tensor]:
        """The candidates whose loss was computed, and their mean losses."""
        for one in self._losses[: self.taking_part]:
            one.check(candidates[:CHECKED], self.suffix)
        if self._drafts:
            return self._probed(candidates)
        return candidates, self._mean(self._losses, candidates)

    def _mean(self, losses: Sequence[Losses], candidates: Tensor) -> Tensor:
        if losses is self._losses:
            self.tried += len(candidates) * self.taking_part
        found = [one.of(candidates, self.suffix) for one in losses[: self.taking_part]]
        return torch.stack(found).mean(0)

    def _probed(self, candidates: Tensor) -> tuple[Tensor, Tensor]:
        """A probe on both models, and as many of the draft's best as the two disagree.

        With agreement a = (1 + Spearman's rho) / 2, max(1, (1 - a) B / 8) of the draft's best.
        """
        for one in self._drafts[: self.taking_part]:
            one.slope(self.suffix.to(one.network.device))  # keys and values of the base suffix
        drafted = self._mean(self._drafts, candidates)
        count = max(2, len(candidates) // PROBE_SHARE)
        probe = torch.randperm(len(candidates), generator=self._draw)[:count]
        probed = self._mean(self._losses, candidates[probe])
        agreement = (1 + rank_correlation(drafted[probe], probed)) / 2
        size = max(1, round((1 - agreement) * len(candidates) / PROBE_REDUCTION))
        is_new = torch.ones(len(candidates), dtype=torch.bool)
        is_new[probe] = False
        best = [int(place) for place in drafted.argsort() if is_new[place]][:size]
        if not best:
            return candidates[probe], probed
        chosen = torch.tensor(best)
        losses = torch.cat([probed, self._mean(self._losses, candidates[chosen])])
        return torch.cat([candidates[probe], candidates[chosen]]), losses

    def _remember(self, loss: float, suffix: Tensor) -> None:
        if loss < self.best_loss:
            self.best, self.best_loss = suffix, loss


def rank_correlation(one: Tensor, other: Tensor) -> float:
    """Spearman's rank correlation, from -1 to 1; 0 where one of them does not vary."""
    ranks = torch.stack([values.argsort().argsort().double() for values in (one, other)])
    centred = ranks - ranks.mean(1, keepdim=True)
    scale = centred.norm(dim=1).prod()
    return float((centred[0] * centred[1]).sum() / scale) if scale > 0 else 0.0
