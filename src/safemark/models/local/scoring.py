"""Log-likelihoods of continuations: each distinct token position computed once.

The waiting token sequences form a prefix tree (`tree`), which is computed in packed rows under an
ancestor mask. Whether a model honours such masks is found out by trying: `Scorer` compares packed
with plain forward passes on a branching text at load, and again on the longest text that is asked
wherever it is longer than any that was compared; where they differ, sequences are scored in plain
padded rows, and the notes say so.
"""

import math
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from safemark.errors import CallFailed
from safemark.models.local.network import Network, is_out_of_memory, window
from safemark.models.local.passes import Budget, Pass, probabilities
from safemark.models.local.prompts import Pair
from safemark.models.local.tree import (
    Packing,
    PrefixTree,
    in_common,
    packed,
    plain,
)
from safemark.types import Likelihood, Reason

TOLERANCE = 1e-4
"""How far packed may be from plain, in nats per continuation, in float32."""

CHECK_LENGTH = 48
CHECK_TARGETS = 4
WINDOW_CHECKED_AT_LOAD = 1024
"""Longer windows are compared when a text first reaches past them: 4,096 tokens through 7B
parameters take minutes on a CPU, and most benchmarks never get there."""

ROUNDING = 8.0
"""How far packed may be from plain in other number types, in units of what padding alone does. On
small models rounding stays under 1.5, and a mask that shows too much goes over 20."""

DeliverPair = Callable[[int, Likelihood | CallFailed], None]
WantedPair = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """One text to run: ``inputs``, and the ``targets`` read after its last positions."""

    inputs: tuple[int, ...]
    targets: tuple[int, ...]


class _Differs(Exception):
    """A packed log-likelihood is not the plain one."""

    def __init__(self, gap: float) -> None:
        super().__init__(gap)
        self.gap = gap


@dataclass(slots=True)
class _Held:
    """Settles nothing before the longest text is seen to have its value of a plain forward.

    ``agreed`` is called when it has.

    Raises:
        _Differs: it has not.
    """

    settle: Callable[[Asked, Likelihood | CallFailed], None]
    longest: Asked
    right: float
    allowed: float
    agreed: Callable[[], None]
    agrees: bool = False
    waiting: list[tuple[Asked, Likelihood | CallFailed]] = field(default_factory=list)

    def __call__(self, asked: Asked, outcome: Likelihood | CallFailed) -> None:
        self.waiting.append((asked, outcome))
        if asked == self.longest:
            gap = math.inf
            if isinstance(outcome, Likelihood):
                gap = abs(outcome.logprob - self.right)
            if gap > self.allowed:
                raise _Differs(gap)
            self.agrees = True
            self.agreed()  # what is told of a model is true when its callers go on
        if self.agrees:
            for one in self.waiting:
                self.settle(*one)
            self.waiting.clear()


class Scorer:
    """Scores token pairs on one network.

    ``notes`` says which method is used and why; it may grow when a longer text comes.
    ``cuts_texts`` is whether one was too long for the model and lost its beginning.
    """

    def __init__(self, network: Network, budget: Budget, packing: Packing | None = None) -> None:
        self.network = network
        self.notes: tuple[str, ...] = ()
        self.cuts_texts = False
        self._budget = budget
        self._packing = packing or Packing()
        self._packs = True
        self._compared_to = 0
        self._disagrees_beyond = False
        self._usual_gap = 0.01
        self._check_at_load()

    @property
    def is_packed(self) -> bool:
        """Whether shared prefixes are computed once, as far as the model was compared."""
        return self._packs

    def shares(self, length: int) -> bool:
        """Whether texts of that length may share prefixes; compared now where they were not yet."""
        length = min(length, self.network.max_length)
        if length > self._compared_to:
            self._compare_up_to(min(length + length // 4, self.network.max_length))
        return self._packs and length <= self._compared_to

    def score(self, pairs: Sequence[Pair], deliver: DeliverPair, wanted: WantedPair) -> None:
        """Delivers one likelihood, or the reason why there is none, for each pair.

        A text longer than the model's context loses tokens from the left until context and
        continuation fit into ``max_length + 1`` tokens, as in lm-evaluation-harness.
        """
        readers: dict[Asked, list[int]] = defaultdict(list)
        for number, pair in enumerate(pairs):
            try:
                self.network.check(pair.context)
                self.network.check(pair.continuation)
                asked = _asked(pair, self.network.max_length)
            except CallFailed as failure:
                deliver(number, failure)
                continue
            readers[asked].append(number)
            whole = len(pair.context) + len(pair.continuation)
            self.cuts_texts |= len(asked.inputs) + 1 < whole
        if not readers:
            return

        def settle(asked: Asked, outcome: Likelihood | CallFailed) -> None:
            for number in readers[asked]:
                deliver(number, outcome)

        def still(asked: Asked) -> bool:
            return any(wanted(number) for number in readers[asked])

        with self.network.steady():
            if not self._score_compared(list(readers), settle, still):
                for share, texts in self._parts(readers):
                    self._score_within_memory(texts, share, settle, still)

    def _score_compared(
        self,
        texts: Sequence[Asked],
        settle: Callable[[Asked, Likelihood | CallFailed], None],
        still: Callable[[Asked], bool],
    ) -> bool:
        """Scores ``texts`` together where the longest is longer than any that was compared.

        Nothing is settled before that one is seen to have its value of a plain forward; false
        where it is not longer, or has another value: then nothing was settled.
        """
        longest = max(texts, key=lambda text: len(text.inputs))
        length = len(longest.inputs)
        if self._compared_to < (window(self.network.config) or 0) < length:
            self.shares(length)
        if not self._packs or self._disagrees_beyond or length <= self._compared_to:
            return False
        right = self._plain_value(longest)
        if not math.isfinite(right):
            self.shares(length)
            return False
        allowed = self._allowed(right, len(longest.targets))
        held = _Held(settle, longest, right, allowed, lambda: self._agrees_to(length))

        def still_compared(asked: Asked) -> bool:
            return asked == longest or still(asked)

        # behind its siblings at every fork, so that a mask that shows them is caught
        ordered = sorted(texts, key=lambda text: in_common(text.inputs, longest.inputs))
        try:
            self._score_within_memory(ordered, True, held, still_compared)
        except Exception as error:
            if held.agrees:
                raise
            self._differs_at(error.gap if isinstance(error, _Differs) else math.inf)
            return False
        return True

    def _plain_value(self, text: Asked) -> float:
        """Log-likelihood by a plain forward; NaN where memory or the model refuse it."""
        try:
            return self._alone(text)
        except Exception:  # noqa: BLE001  a model may refuse a length in any way it likes
            return math.nan

    def _parts(self, texts: Iterable[Asked]) -> Iterator[tuple[bool, list[Asked]]]:
        sharing = [text for text in texts if self._packs and len(text.inputs) <= self._compared_to]
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
        alone: list[Asked] = []
        budget: Budget | None = self._budget

        def done(asked: Asked, outcome: Likelihood | CallFailed) -> None:
            pending.pop(asked, None)
            if isinstance(outcome, CallFailed) and not is_alone:
                alone.append(asked)  # another text's NaN passes through a mask: 0 x NaN is NaN
            else:
                settle(asked, outcome)

        is_alone = False

        while pending and budget is not None:
            try:
                self._run(list(pending), share, budget, done, still)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                budget = budget.halved()
            else:
                self._budget = budget
                break
        is_alone = True
        for text in [*alone, *(pending if budget is None else ())]:
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

        lock = threading.Lock()

        def read(nodes: Sequence[int], logits: Tensor) -> None:
            values = list(probabilities(tree, nodes, logits))
            with lock:
                found.update({(node, token): value for node, token, value in values})
                for number in (number for node in nodes for number in readers[node]):
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
        Pass(self.network, tree, budget, read, is_wanted, shares=share).run(plan)

    def _check_at_load(self) -> None:
        """Decides whether to pick hidden states and to share prefixes."""
        self._compare_up_to(min(CHECK_LENGTH, self.network.max_length))
        reach = window(self.network.config) or 0
        if self._packs and CHECK_LENGTH < reach + 8 <= WINDOW_CHECKED_AT_LOAD:
            self._compare_up_to(min(reach + 8, self.network.max_length))

    def _compare_up_to(self, length: int) -> None:
        """Compares packed with plain on texts of ``length``, unless longer ones were compared."""
        if not self._packs or self._disagrees_beyond or length <= self._compared_to:
            return
        difference, allowed = self._difference(length)
        for hook in ("narrows", "picks"):  # perhaps it is not the mask: try without them
            if difference > allowed and not self._compared_to and getattr(self.network, hook):
                setattr(self.network, hook, False)
                difference, allowed = self._difference(length)
        if difference <= allowed:
            self._agrees_to(length)
        elif self._compared_to:
            self._differs_at(difference)
        else:
            self._packs = False
            self.network.picks = self._picks_rightly(length)
            self.notes = (f"plain padded rows: packed ones {_told(difference)}",)

    def _agrees_to(self, length: int) -> None:
        self._compared_to = length
        said = f"shared prefixes computed once (compared with plain to {length} tokens)"
        self.notes = (said,)

    def _differs_at(self, gap: float) -> None:
        """Packed and plain differ in a text longer than those in which they did not."""
        self._disagrees_beyond = True
        said = (
            f"shared prefixes computed once up to {self._compared_to} tokens; longer texts in "
            f"plain rows: packed ones {_told(gap)}"
        )
        self.notes = (said,)

    def _allowed(self, right: float, targets: int) -> float:
        """How far a packed log-likelihood of so many tokens may be from the plain one."""
        if self.network.dtype == torch.float32:
            return max(TOLERANCE, TOLERANCE / 10 * abs(right))
        return self._usual_gap * max(1.0, targets / CHECK_TARGETS)

    def _difference(self, length: int) -> tuple[float, float]:
        """Largest distance of packed from plain on a branching text, and the largest allowed.

        Infinite where a forward pass fails, for lack of memory for instance.
        """
        texts = _branching(length, self.network.usual_tokens)
        cuts = [Packing(row=32, trunk=12)]  # small, so that there are trunks, chains and bins
        if length <= CHECK_LENGTH:
            cuts.append(self._packing)
        try:
            right = self._reference(texts, length)
            found = [self._values(texts, share=True, packing=cut) for cut in cuts]
            if self.network.dtype != torch.float32 and length <= CHECK_LENGTH:
                # even padding moves the values: allow what is usual for this model
                noise = _largest([self._alone(text) for text in texts], right)
                self._usual_gap = max(0.01, ROUNDING * noise)
        except Exception:  # noqa: BLE001  a model may refuse a 4-D mask in any way it likes
            return math.inf, 0.0
        return max(_largest(values, right) for values in found), self._allowed(0, CHECK_TARGETS)

    def _picks_rightly(self, length: int) -> bool:
        texts = _branching(length, self.network.usual_tokens)
        self.network.picks = True
        try:
            gap = _largest(self._values(texts, share=False), self._reference(texts, length))
        except Exception:  # noqa: BLE001  whatever a model's code after the projection may raise
            return False
        return gap <= (TOLERANCE if self.network.dtype == torch.float32 else 0.05)

    @torch.inference_mode()
    def _reference(self, texts: Sequence[Asked], length: int) -> list[float]:
        """The plain forward pass: no mask, nothing shared; at first, too, nothing picked.

        Long texts go one by one, and only the logits that are read: all of them would fill the
        memory, and picking was compared at load.
        """
        if length > CHECK_LENGTH:
            return [self._alone(text) for text in texts]
        width = max(len(text.inputs) for text in texts)
        ids = [(*text.inputs, *[0] * (width - len(text.inputs))) for text in texts]
        logits = self.network.logits(None, self.network.tensor(ids)).unflatten(0, (-1, width))
        return [
            _summed(line[: len(text.inputs)], text)
            for line, text in zip(logits, texts, strict=True)
        ]

    @torch.inference_mode()
    def _alone(self, text: Asked) -> float:
        """One plain forward of one text."""
        count = len(text.inputs)
        read = range(count - len(text.targets), count)
        return _summed(self.network.logits(read, self.network.tensor([text.inputs])), text)

    def _values(
        self, texts: Sequence[Asked], *, share: bool, packing: Packing | None = None
    ) -> list[float]:
        values: dict[Asked, float] = {}

        def settle(asked: Asked, outcome: Likelihood | CallFailed) -> None:
            values[asked] = outcome.logprob if isinstance(outcome, Likelihood) else math.nan

        self._run(texts, share, self._budget, settle, lambda _: True, packing)
        return [values[text] for text in texts]


def _likelihood(steps: Sequence[tuple[float, bool]]) -> Likelihood | CallFailed:
    total = sum(value for value, _ in steps)
    if not math.isfinite(total):
        return CallFailed(
            Reason.NOT_A_NUMBER,
            f"the model's log-likelihood is {total}",
            "float16 overflows in some models: -M dtype=bfloat16 or float32",
        )
    return Likelihood(total, len(steps), all(top for _, top in steps))


def _summed(logits: Tensor, text: Asked) -> float:
    """Log-likelihood of the targets under the last ``logits``."""
    steps = torch.log_softmax(logits[-len(text.targets) :], dim=-1)
    return float(steps.gather(1, steps.new_tensor(text.targets).long()[:, None]).sum())


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


def _told(difference: float) -> str:
    return f"differ by {difference:.1g}" if math.isfinite(difference) else "do not work"


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
    texts = [some(min(length, CHECK_LENGTH) // 3)]
    branches = (some(6), some(9), some(2))
    for branch in branches if length <= CHECK_LENGTH else branches[:1]:
        texts += [(trunk + branch + leaf)[:length] for leaf in (some(7), some(4))]
    texts.append(trunk[: length // 2] + some(5))
    return [Asked(text[:-1], text[-CHECK_TARGETS:]) for text in texts if len(text) > 5]
