"""Log-likelihoods of continuations: each distinct token position computed once.

The waiting token sequences form a prefix tree (`tree`), which is computed in packed rows under an
ancestor mask. Whether a model honours such masks is found out by trying: `checked` compares packed
with one plain forward per sequence on a branching text, at load and again whenever a text comes
that is longer than any that was compared; where they differ, sequences are scored in plain padded
rows, and the notes say so. Masks are additive floats: a bool mask under eager attention is
silently wrong (transformers 5.23).
"""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, DynamicLayer

from safemark.errors import CallFailed
from safemark.models.local.network import Network, is_out_of_memory
from safemark.models.local.prompts import Pair
from safemark.models.local.tree import (
    Packing,
    PrefixTree,
    Row,
    Trunk,
    batches,
    depths,
    packed,
    plain,
    sight,
)
from safemark.types import Likelihood, Reason

TOLERANCE = 1e-4
"""How far packed may be from plain, in nats per continuation, in float32."""

CHECK_LENGTH = 48
WINDOW_CHECKED_AT_LOAD = 1024
"""Longer windows are compared when a text first reaches past them: 4,096 tokens through 7B
parameters take minutes on a CPU, and most benchmarks never get there."""

MOST_LOGITS = 2**26
"""Logits held at once (256 MB of float32)."""

DeliverPair = Callable[[int, Likelihood | CallFailed], None]
WantedPair = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Budget:
    """How much goes into one forward pass: tokens (padding included) and rows."""

    tokens: int
    rows: int = 4096

    def halved(self) -> "Budget | None":
        """Half of it, or None when it cannot usefully get smaller."""
        return replace(self, tokens=self.tokens // 2) if self.tokens >= 64 else None


@dataclass(frozen=True, slots=True)
class Asked:
    """One text to run: ``inputs``, and the ``targets`` read after its last positions."""

    inputs: tuple[int, ...]
    targets: tuple[int, ...]


class Scorer:
    """Scores token pairs on one network.

    ``notes`` says which method is used and why; it may grow when a longer text comes.
    """

    def __init__(self, network: Network, budget: Budget, packing: Packing | None = None) -> None:
        self.network = network
        self.notes: tuple[str, ...] = ()
        self.tokens_computed = 0
        self._budget = budget
        self._packing = packing or Packing()
        self._packs = True
        self._compared_to = 0
        self._disagrees_beyond = False
        self._check_at_load()

    @property
    def is_packed(self) -> bool:
        """Whether shared prefixes are computed once, as far as the model was compared."""
        return self._packs

    def score(self, pairs: Sequence[Pair], deliver: DeliverPair, wanted: WantedPair) -> None:
        """Delivers one likelihood, or the reason why there is none, for each pair.

        A text longer than the model's context loses tokens from the left until context and
        continuation fit into ``max_length + 1`` tokens, as in lm-evaluation-harness.
        """
        readers: dict[Asked, list[int]] = defaultdict(list)
        for number, pair in enumerate(pairs):
            try:
                readers[_asked(pair, self.network.max_length)].append(number)
            except CallFailed as failure:
                deliver(number, failure)
        if not readers:
            return
        longest = max(len(asked.inputs) for asked in readers)
        if longest > self._compared_to:
            self._compare_up_to(min(longest + longest // 4, self.network.max_length))

        def settle(asked: Asked, outcome: Likelihood | CallFailed) -> None:
            for number in readers[asked]:
                deliver(number, outcome)

        def still(asked: Asked) -> bool:
            return any(wanted(number) for number in readers[asked])

        for share, texts in self._parts(readers):
            self._score_within_memory(texts, share, settle, still)

    def _parts(self, texts: Iterable[Asked]) -> Iterator[tuple[bool, list[Asked]]]:
        sharing = [
            text for text in texts if self._packs and len(text.inputs) <= self._compared_to
        ]
        chosen = set(sharing)
        apart = [text for text in texts if text not in chosen]
        if sharing:
            yield True, sharing
        if apart:
            yield False, apart

    def _score_within_memory(
        self,
        texts: Sequence[Asked],
        share: bool,
        settle: Callable[[Asked, Likelihood | CallFailed], None],
        still: Callable[[Asked], bool],
    ) -> None:
        """Halves what goes into a forward pass until it fits; a text too large alone fails."""
        pending = dict.fromkeys(texts)
        budget: Budget | None = self._budget

        def done(asked: Asked, outcome: Likelihood | CallFailed) -> None:
            pending.pop(asked, None)
            settle(asked, outcome)

        while pending and budget is not None:
            try:
                self._run(list(pending), share, budget, done, still)
                self._budget = budget
                return
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            budget = budget.halved()
        for text in list(pending):
            try:
                self._run([text], False, Budget(1, 1), done, still)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                done(text, _no_memory(len(text.inputs)))

    @torch.inference_mode()
    def _run(
        self,
        texts: Sequence[Asked],
        share: bool,
        budget: Budget,
        settle: Callable[[Asked, Likelihood | CallFailed], None],
        still: Callable[[Asked], bool],
        packing: Packing | None = None,
    ) -> None:
        """Computes ``texts`` and settles each as soon as its last position is known."""
        tree = PrefixTree()
        paths = [tree.add(text.inputs, text.targets) for text in texts]
        readers: dict[int, list[int]] = defaultdict(list)
        for number, path in enumerate(paths):
            for node in path:
                readers[node].append(number)
        missing = [len(path) for path in paths]
        found: dict[tuple[int, int], tuple[float, bool]] = {}

        def read(nodes: Sequence[int], logits: Tensor) -> None:
            for node, token, value in _read(tree, nodes, logits):
                found[node, token] = value
            for node in nodes:
                for number in readers[node]:
                    missing[number] -= 1
                    if not missing[number]:
                        text = texts[number]
                        steps = zip(paths[number], text.targets, strict=True)
                        settle(text, _likelihood([found[step] for step in steps]))

        def is_wanted(nodes: Iterable[int]) -> bool:
            return any(still(texts[number]) for node in nodes for number in readers[node])

        packing = packing or self._packing
        if share:
            packing = replace(packing, row=min(packing.row, budget.tokens))
        plan = packed(tree, packing) if share else plain(tree)
        run = _Run(self.network, tree, budget, read, is_wanted, shares=share)
        try:
            run.trunk(plan, None)
        finally:
            self.tokens_computed += run.tokens

    def _check_at_load(self) -> None:
        """Decides whether to pick hidden states and to share prefixes."""
        config = self.network.config
        self._compare_up_to(min(CHECK_LENGTH, self.network.max_length))
        window = _window(config)
        if window and CHECK_LENGTH < window + 8 <= WINDOW_CHECKED_AT_LOAD and self._packs:
            self._compare_up_to(min(window + 8, self.network.max_length))

    def _compare_up_to(self, length: int) -> None:
        """Compares packed with plain on texts of ``length``, unless longer ones were compared."""
        if not self._packs or self._disagrees_beyond or length <= self._compared_to:
            return
        difference, allowed = self._difference(length)
        if difference > allowed and self.network.picks and not self._compared_to:
            self.network.picks = False  # perhaps it is not the mask: try without the hook
            difference, allowed = self._difference(length)
        if difference <= allowed:
            self._compared_to = length
            said = f"shared prefixes computed once (compared with plain to {length} tokens)"
        elif not self._compared_to:
            self._packs = False
            self.network.picks = self._picks_rightly(length)
            said = f"plain padded rows: packed ones differ by {difference:.1g}"
        else:
            self._disagrees_beyond = True
            said = (
                f"shared prefixes computed once up to {self._compared_to} tokens; longer texts in "
                f"plain rows, where packed ones differ by {difference:.1g}"
            )
        self.notes = (said,)

    def _difference(self, length: int) -> tuple[float, float]:
        """Largest distance of packed from plain on a branching text, and the largest allowed."""
        texts = _branching(length, self.network.usual_tokens)
        right = [self._alone(text) for text in texts]
        worst = 0.0
        try:
            for packing in (Packing(row=32, trunk=12), self._packing):
                values = self._values(texts, share=True, packing=packing)
                worst = max(worst, _largest(values, right))
        except Exception as error:  # a model may refuse a 4-D mask in any way it likes
            if is_out_of_memory(error):
                raise
            return math.inf, 0.0
        if self.network.dtype == torch.float32:
            return worst, TOLERANCE
        # In half precision even padding moves the values: allow what is usual for this model.
        noise = _largest(self._values(texts, share=False), right)
        return worst, max(0.01, 4 * noise)

    def _picks_rightly(self, length: int) -> bool:
        texts = _branching(length, self.network.usual_tokens)
        right = [self._alone(text) for text in texts]
        self.network.picks = True
        try:
            values = self._values(texts, share=False)
        except Exception as error:  # whatever a model's code after the projection may raise
            if is_out_of_memory(error):
                raise
            return False
        return _largest(values, right) <= (
            TOLERANCE if self.network.dtype == torch.float32 else 0.05
        )

    @torch.inference_mode()
    def _alone(self, text: Asked) -> float:
        """The reference: one forward of one sequence, nothing picked, nothing shared."""
        logits = self.network.logits(None, self.network.tensor([text.inputs]))
        steps = torch.log_softmax(logits[-len(text.targets) :], dim=-1)
        return float(steps.gather(1, steps.new_tensor(text.targets).long()[:, None]).sum())

    def _values(
        self, texts: Sequence[Asked], *, share: bool, packing: Packing | None = None
    ) -> list[float]:
        values: dict[Asked, float] = {}

        def settle(asked: Asked, outcome: Likelihood | CallFailed) -> None:
            values[asked] = outcome.logprob if isinstance(outcome, Likelihood) else math.nan

        budget = Budget(max(96, 2 * max(len(text.inputs) for text in texts)))
        self._run(texts, share, budget, settle, lambda _: True, packing)
        return [values[text] for text in texts]


class _Run:
    """One pass over a plan: computes trunks and rows, hands logits to ``read``."""

    def __init__(
        self,
        network: Network,
        tree: PrefixTree,
        budget: Budget,
        read: Callable[[Sequence[int], Tensor], None],
        is_wanted: Callable[[Iterable[int]], bool],
        *,
        shares: bool,
    ) -> None:
        self.network = network
        self.tree = tree
        self.budget = budget
        self.read = read
        self.is_wanted = is_wanted
        self.shares = shares
        self.tokens = 0
        self.done: set[int] = set()

    def trunk(self, trunk: Trunk, above: DynamicCache | None) -> None:
        """Computes what hangs from ``trunk``, and then drops the trunk's keys and values."""
        if not self.is_wanted(_nodes_of(trunk)):
            return
        cache = above
        if trunk.nodes:
            cache = _copied(above, 1)
            self._forward([Row(trunk.nodes, [len(trunk.nodes)] * len(trunk.nodes))], cache)
        most_read = max(1, MOST_LOGITS // self.network.vocabulary)
        past = cache.get_seq_length() if cache is not None else 0
        tokens = self.budget.tokens
        for batch in batches(
            trunk.rows,
            self.tree,
            tokens=tokens,
            # keys and values of the trunk are repeated for each row
            most_rows=max(1, min(self.budget.rows, 16 * tokens // past if past else 4096)),
            most_read=most_read,
        ):
            if self.is_wanted(node for row in batch for node in row.nodes):
                self._forward(batch, _copied(cache, len(batch)) if cache is not None else None)
        for inner in trunk.trunks:
            self.trunk(inner, cache)

    def _forward(self, rows: Sequence[Row], cache: DynamicCache | None) -> None:
        width = max(len(row) for row in rows)
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        at, nodes = [], []
        for line, row in enumerate(rows):
            ids[line, : len(row)] = torch.tensor([self.tree.tokens[node] for node in row.nodes])
            for column, node in enumerate(row.nodes):
                if self.tree.wanted[node] and node not in self.done:
                    self.done.add(node)
                    at.append(line * width + column)
                    nodes.append(node)
        inputs: dict[str, Any] = {}
        if self.shares:
            position = depths(rows, self.tree, width)
            past = cache.get_seq_length() if cache is not None else 0
            inputs = {
                "position_ids": self.network.tensor(position),
                "attention_mask": _masks(self.network, rows, position, past, width),
                "past_key_values": cache,
            }
        logits = self.network.logits(at or [0], ids.to(self.network.device), **inputs)
        self.tokens += ids.numel()
        if nodes:
            self.read(nodes, logits)


def _masks(
    network: Network, rows: Sequence[Row], position: Any, past: int, width: int
) -> Tensor | dict[str, Tensor]:
    """Additive masks: ancestors and the trunk are seen, within the window where layers have one."""
    seen = network.tensor(sight(rows, width))
    seen = torch.cat([seen.new_ones(len(rows), width, past), seen], dim=-1)
    window = _window(network.config)
    if not window:
        return _additive(seen, network.dtype)
    depth = network.tensor(position)
    keys = torch.cat([torch.arange(past, device=depth.device).expand(len(rows), past), depth], 1)
    near = seen & (depth[:, :, None] - keys[:, None, :] < window)
    kinds = set(getattr(network.config, "layer_types", None) or ["sliding_attention"])
    if kinds == {"sliding_attention"}:
        return _additive(near, network.dtype)
    return {
        "full_attention": _additive(seen, network.dtype),
        "sliding_attention": _additive(near, network.dtype),
    }


def _additive(seen: Tensor, dtype: torch.dtype) -> Tensor:
    mask = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
    return mask.masked_fill_(~seen, torch.finfo(dtype).min)[:, None]


def _window(config: Any) -> int | None:
    """The sliding window, where a layer has one."""
    kinds = getattr(config, "layer_types", None)
    if kinds is not None and "sliding_attention" not in kinds:
        return None
    if kinds is None and getattr(config, "use_sliding_window", True) is False:
        return None
    window = getattr(config, "sliding_window", None)
    return int(window) if window else None


def _copied(cache: DynamicCache | None, rows: int) -> DynamicCache:
    """A cache that begins with that of the trunk, for ``rows`` rows; the trunk's is left alone.

    Its layers keep everything, sliding windows too: our own masks address each position.
    """
    copy = DynamicCache()
    for known in cache.layers if cache is not None else ():
        keys, values = known.keys, known.values
        assert keys is not None and values is not None
        layer = DynamicLayer()
        layer.lazy_initialization(keys, values)
        layer.keys = keys.expand(rows, -1, -1, -1)
        layer.values = values.expand(rows, -1, -1, -1)
        copy.layers.append(layer)
    return copy


def _nodes_of(trunk: Trunk) -> Iterator[int]:
    yield from trunk.nodes
    for row in trunk.rows:
        yield from row.nodes
    for inner in trunk.trunks:
        yield from _nodes_of(inner)


def _read(
    tree: PrefixTree, nodes: Sequence[int], logits: Tensor
) -> Iterator[tuple[int, int, tuple[float, bool]]]:
    """Log-probability of each wanted token at each node, and whether it is the likeliest."""
    steps = [(line, token) for line, node in enumerate(nodes) for token in tree.wanted[node]]
    lines, tokens = (torch.tensor(part, device=logits.device) for part in zip(*steps, strict=True))
    values = logits[lines, tokens] - torch.logsumexp(logits, dim=-1)[lines]
    is_top = logits.argmax(dim=-1)[lines] == tokens
    for (line, token), value, top in zip(steps, values.tolist(), is_top.tolist(), strict=True):
        yield nodes[line], token, (value, top)


def _likelihood(steps: Sequence[tuple[float, bool]]) -> Likelihood | CallFailed:
    total = sum(value for value, _ in steps)
    if not math.isfinite(total):
        return CallFailed(
            Reason.NOT_A_NUMBER,
            f"the model's log-likelihood is {total}",
            "float16 overflows in some models: -M dtype=bfloat16 or float32",
        )
    return Likelihood(total, len(steps), all(top for _, top in steps))


def _asked(pair: Pair, max_length: int) -> Asked:
    if not pair.continuation:
        raise CallFailed(Reason.BAD_REQUEST, "the continuation has no tokens")
    if len(pair.continuation) > max_length:
        raise CallFailed(
            Reason.CONTEXT_TOO_LONG,
            f"the continuation has {len(pair.continuation)} tokens, the model takes {max_length}",
        )
    whole = (pair.context + pair.continuation)[-(max_length + 1) :]
    return Asked(whole[:-1], pair.continuation)


def _no_memory(tokens: int) -> CallFailed:
    return CallFailed(
        Reason.SERVER_ERROR,
        f"out of memory with a single text of {tokens} tokens",
        "a smaller type (-M dtype=bfloat16), another device, or more memory",
    )


def _largest(values: Sequence[float], right: Sequence[float]) -> float:
    """Largest distance; infinite where a value is not a number."""
    gaps = [abs(value - other) for value, other in zip(values, right, strict=True)]
    return max(math.inf if math.isnan(gap) else gap for gap in gaps)


def _branching(length: int, tokens: Sequence[int]) -> list[Asked]:
    """Texts of up to ``length`` tokens with a common trunk, forks at several depths, a stranger."""
    draw = random.Random(length)
    usual = list(tokens)

    def some(count: int) -> tuple[int, ...]:
        return tuple(draw.choice(usual) for _ in range(max(1, count)))

    trunk = some(length - 16)
    texts = [some(length // 3)]
    for branch in (some(6), some(9), some(2)):
        for leaf in (some(7), some(4)):
            texts.append((trunk + branch + leaf)[:length])
    texts.append(trunk[: length // 2] + some(5))
    return [Asked(text[:-1], text[-4:]) for text in texts if len(text) > 5]
