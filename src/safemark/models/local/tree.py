"""Token sequences as a prefix tree, and the plan that computes each distinct position once.

A plan is a tree of trunks. A `Trunk` is a chain of positions whose keys and values are kept while
everything below it is computed. A `Row` is one line of a batch: one or more blocks of the tree in
depth-first order, in which a position may look at its ancestors only. Knows nothing of torch.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Thing = TypeVar("Thing")


class PrefixTree:
    """Token sequences that share their prefixes; a node is a position, given by its number.

    ``wanted[node]`` are the tokens whose probability after that node somebody asked for.
    """

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.parents: list[int] = []
        self.depths: list[int] = []
        self.children: list[dict[int, int]] = []
        self.wanted: list[set[int]] = []
        self.roots: dict[int, int] = {}
        self._last: tuple[Sequence[int], list[int]] = ((), [])

    def __len__(self) -> int:
        return len(self.tokens)

    def add(self, inputs: Sequence[int], targets: Sequence[int]) -> list[int]:
        """Adds ``inputs``; ``targets`` are to be read at its last nodes, which are returned."""
        before, path = self._last
        path = path[: in_common(before, inputs)]
        parent = path[-1] if path else -1
        siblings = self.children[parent] if path else self.roots
        for depth, token in enumerate(inputs[len(path) :], len(path)):
            node = siblings.get(token)
            if node is None:
                node = siblings[token] = len(self.tokens)
                self.tokens.append(token)
                self.parents.append(parent)
                self.depths.append(depth)
                self.children.append({})
                self.wanted.append(set())
            path.append(node)
            siblings, parent = self.children[node], node
        self._last = inputs, path
        read = path[len(path) - len(targets) :]
        for node, target in zip(read, targets, strict=True):
            self.wanted[node].add(target)
        return read

    def sizes(self) -> list[int]:
        """Nodes in the subtree of each node, itself included."""
        sizes = [1] * len(self)
        for node in range(len(self) - 1, -1, -1):  # a child is always numbered after its parent
            if (parent := self.parents[node]) >= 0:
                sizes[parent] += sizes[node]
        return sizes

    def below(self, top: int) -> list[int]:
        """The subtree of ``top``, depth first."""
        found, waiting = [], [top]
        while waiting:
            node = waiting.pop()
            found.append(node)
            waiting.extend(reversed(self.children[node].values()))
        return found

    def path(self, leaf: int) -> list[int]:
        """The nodes from the root to ``leaf``."""
        nodes = []
        node = leaf
        while node >= 0:
            nodes.append(node)
            node = self.parents[node]
        return nodes[::-1]


@dataclass(frozen=True, slots=True)
class Row:
    """Nodes in depth-first order; position ``i`` is an ancestor of ``i`` … ``ends[i] - 1``."""

    nodes: list[int]
    ends: list[int]

    def __len__(self) -> int:
        return len(self.nodes)

    @staticmethod
    def joined(rows: Iterable["Row"]) -> "Row":
        """Several blocks in one row; no position of one sees a position of another."""
        nodes: list[int] = []
        ends: list[int] = []
        for row in rows:
            ends.extend(end + len(nodes) for end in row.ends)
            nodes.extend(row.nodes)
        return Row(nodes, ends)


@dataclass(slots=True)
class Trunk:
    """A chain of nodes on top of the trunk above it, and what hangs from its end."""

    nodes: list[int]
    rows: list[Row] = field(default_factory=list)
    trunks: list["Trunk"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Packing:
    """How a tree is cut into rows.

    ``row``: tokens in a row. Attention within a row is dense, so a longer row wastes more of it;
    a shorter one repeats more and pads more. 192 … 256 measured best on CPU.
    ``trunk``: a shared chain at least this long is computed once and its keys and values kept; a
    shorter one is repeated, which costs less than the extra forward pass.
    """

    row: int = 256
    trunk: int = 48


def packed(tree: PrefixTree, packing: Packing) -> Trunk:
    """The plan in which each node is computed once, but for short chains above a cut."""
    sizes = tree.sizes()
    root = Trunk([])
    blocks: dict[int, list[Row]] = defaultdict(list)
    trunks = [root]
    waiting: list[tuple[list[int], list[int], int]] = [(list(tree.roots.values()), [], 0)]
    while waiting:
        siblings, chain, trunk = waiting.pop()
        space = max(packing.row - len(chain), packing.row // 2)
        small = [node for node in siblings if sizes[node] <= space]
        for group in _bins(small, [sizes[node] for node in small], space):
            blocks[trunk].append(_block(tree, sizes, chain, group))
        for node in siblings:
            if sizes[node] <= space:
                continue
            run = [node]
            while len(tree.children[run[-1]]) == 1:
                run.append(next(iter(tree.children[run[-1]].values())))
            fork = list(tree.children[run[-1]].values())
            if not fork or 2 * sizes[node] <= 3 * len(run):
                blocks[trunk].append(_block(tree, sizes, chain, [node]))
            elif len(chain) + len(run) >= packing.trunk:
                inner = Trunk(chain + run)
                trunks[trunk].trunks.append(inner)
                trunks.append(inner)
                waiting.append((fork, [], len(trunks) - 1))
            else:
                waiting.append((fork, chain + run, trunk))
    for number, found in blocks.items():
        lengths = [len(block) for block in found]
        trunks[number].rows = [Row.joined(group) for group in _bins(found, lengths, packing.row)]
    return root


def plain(tree: PrefixTree) -> Trunk:
    """The plan without sharing: one row for each sequence that is not the beginning of another."""
    leaves = [node for node in range(len(tree)) if not tree.children[node]]
    rows = []
    for leaf in leaves:
        nodes = tree.path(leaf)
        rows.append(Row(nodes, [len(nodes)] * len(nodes)))
    return Trunk([], rows)


def batches(
    rows: Sequence[Row], tree: PrefixTree, *, tokens: int, most_rows: int, most_read: int
) -> Iterator[list[Row]]:
    """Rows of like length together, longest first, within ``tokens`` including padding.

    ``most_read`` bounds the positions that are read, each of which costs a row of logits.
    """
    batch: list[Row] = []
    read = 0
    for row in sorted(rows, key=len, reverse=True):
        reads = sum(1 for node in row.nodes if tree.wanted[node])
        width = len(batch[0]) if batch else len(row)
        full = (len(batch) + 1) * width > tokens or len(batch) == most_rows
        if batch and (full or read + reads > most_read):
            yield batch
            batch, read = [], 0
        batch.append(row)
        read += reads
    if batch:
        yield batch


def sight(rows: Sequence[Row], width: int) -> Bools:
    """Which position sees which in its row, (rows, width, width); padding sees itself."""
    position = np.arange(width)
    ends = np.stack([_padded(row.ends, position + 1) for row in rows])
    query, key = position[None, :, None], position[None, None, :]
    return (key <= query) & (query < ends[:, None, :])


def depths(rows: Sequence[Row], tree: PrefixTree, width: int) -> Ints:
    """The position in its own text of each token, (rows, width)."""
    zeros = np.zeros(width, dtype=np.int64)
    return np.stack([_padded([tree.depths[n] for n in row.nodes], zeros) for row in rows])


def in_common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with, by halving; neighbours often share hundreds."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _padded(values: Sequence[int], rest: Ints) -> Ints:
    line = rest.copy()
    line[: len(values)] = values
    return line


def _block(
    tree: PrefixTree, sizes: Sequence[int], chain: Sequence[int], tops: Sequence[int]
) -> Row:
    nodes = list(chain)
    for top in tops:
        nodes.extend(tree.below(top))
    above = len(chain)
    ends = [len(nodes)] * above
    ends.extend(at + sizes[node] for at, node in enumerate(nodes[above:], above))
    return Row(nodes, ends)


def _bins(things: Sequence[Thing], weights: Sequence[int], room: int) -> list[list[Thing]]:
    """Best fit; what is heavier than ``room`` gets a bin of its own. Within a bin the lightest
    come first.
    """
    filled: list[list[Thing]] = []
    left: list[tuple[int, int]] = []  # what room is left in which bin, least first
    for at in sorted(range(len(things)), key=lambda at: (-weights[at], -at)):
        weight = weights[at]
        place = bisect_left(left, (weight, -1))
        if place == len(left):
            number, more = len(filled), room
            filled.append([])
        else:
            more, number = left.pop(place)
        filled[number].append(things[at])
        if more > weight:
            insort(left, (more - weight, number))
    return [found[::-1] for found in filled]
