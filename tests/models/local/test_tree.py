"""The plan must reach every node, and let it see exactly its ancestors."""

import random

import numpy as np
import pytest

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


def tree_of(*texts: str) -> PrefixTree:
    tree = PrefixTree()
    for text in texts:
        tree.add([ord(letter) for letter in text], [0])
    return tree


def test_a_text_is_found_again_whatever_was_added_before_it() -> None:
    draw = random.Random(0)
    tree = PrefixTree()
    texts: list[tuple[int, ...]] = []
    for _ in range(60):
        before = draw.choice(texts) if texts else ()
        text = (*before[: draw.randrange(30)], *(draw.randrange(3) for _ in range(9)))
        texts.append(text)
        (last,) = tree.add(text, [1])
        assert tuple(tree.tokens[node] for node in tree.path(last)) == text
        assert [tree.depths[node] for node in tree.path(last)] == list(range(len(text)))

    assert len(tree) == len({text[:end] for text in texts for end in range(1, len(text) + 1)})


def random_tree(seed: int) -> PrefixTree:
    draw = random.Random(seed)
    tree = PrefixTree()
    pool: list[list[int]] = [[]]
    for _ in range(40):
        text = draw.choice(pool) + [draw.randrange(3) for _ in range(draw.randrange(1, 30))]
        pool.append(text)
        tree.add(text, [draw.randrange(9)])
    return tree


def seen_by(tree: PrefixTree, root: Trunk) -> dict[int, set[tuple[int, ...]]]:
    """For each node, what it sees (itself included), in each place where it is computed."""
    found: dict[int, set[tuple[int, ...]]] = {}

    def walk(trunk: Trunk, above: list[int]) -> None:
        here = above + trunk.nodes
        rows = [(above, Row(trunk.nodes, [len(trunk.nodes)] * len(trunk.nodes)))]
        rows = rows if trunk.nodes else []
        for past, row in [*rows, *((here, row) for row in trunk.rows)]:
            visible = sight([row], len(row))[0]
            for at, node in enumerate(row.nodes):
                seen = [
                    *past,
                    *(
                        other
                        for other, is_seen in zip(row.nodes, visible[at], strict=True)
                        if is_seen
                    ),
                ]
                found.setdefault(node, set()).add(tuple(seen))
        for inner in trunk.trunks:
            walk(inner, here)

    walk(root, [])
    return found


def test_shared_beginnings_are_one_path() -> None:
    tree = tree_of("abcd", "abce", "abcd")

    assert len(tree) == 5
    assert tree.depths == [0, 1, 2, 3, 3]
    assert tree.sizes() == [5, 4, 3, 1, 1]


def test_a_text_that_begins_another_is_read_where_it_ends() -> None:
    tree = PrefixTree()
    short = tree.add([1, 2], [9])
    long = tree.add([1, 2, 3], [8, 7])

    assert short == [1]
    assert long == [1, 2]
    assert tree.wanted[1] == {9, 8}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    "packing", [Packing(8, 3), Packing(16, 100), Packing(40, 5), Packing(1, 1), Packing()]
)
def test_every_node_sees_its_ancestors_and_nothing_else(seed: int, packing: Packing) -> None:
    tree = random_tree(seed)

    found = seen_by(tree, packed(tree, packing))

    assert found == {node: {tuple(tree.path(node))} for node in range(len(tree))}


def test_plain_rows_hold_one_text_each() -> None:
    tree = tree_of("abc", "abd", "ab")

    rows = plain(tree).rows

    assert [[tree.tokens[node] for node in row.nodes] for row in rows] == [
        [ord(letter) for letter in text] for text in ("abc", "abd")
    ]


def test_a_long_shared_beginning_becomes_a_trunk_and_is_computed_once() -> None:
    shared = "x" * 60
    tree = tree_of(*(shared + chr(97 + n) * 50 for n in range(20)))

    root = packed(tree, Packing(row=256, trunk=48))

    (trunk,) = root.trunks
    assert len(trunk.nodes) == 60
    assert sum(len(row) for row in trunk.rows) == 20 * 50
    assert not root.rows


def test_small_trees_fill_rows_together() -> None:
    tree = tree_of(*(chr(97 + n) * 10 for n in range(20)))

    rows = packed(tree, Packing(row=50)).rows

    assert [len(row) for row in rows] == [50, 50, 50, 50]


def test_batches_keep_to_the_token_budget_with_padding() -> None:
    tree = tree_of(*(chr(97 + n) * (n + 1) for n in range(12)))
    rows = plain(tree).rows

    made = list(batches(rows, tree, tokens=24, most_rows=4, most_read=100))

    assert sum(len(batch) for batch in made) == 12
    assert all(len(batch) * len(batch[0]) <= 24 and len(batch) <= 4 for batch in made)


def test_padding_sees_only_itself() -> None:
    visible = sight([Row([0, 1], [2, 2])], 4)[0]

    assert np.array_equal(
        visible.astype(int), [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    )


def test_positions_are_depths() -> None:
    tree = tree_of("abc", "abd")

    (row,) = packed(tree, Packing()).rows

    assert depths([row], tree, 5).tolist() == [[0, 1, 2, 2, 0]]
