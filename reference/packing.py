"""Training documents as packed rows: drawn here, or by processes of their own beside a GPU.

A row holds whole documents, each blind to its neighbours. One core draws, encodes and packs about
120,000 tokens a second, which is more than two cores can train on and a tenth of what a GPU can.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from multiprocessing.queues import Queue
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from random import Random
from typing import Final

import torch
from torch import Tensor
from torch.multiprocessing import get_context
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from documents import Document, segments
from drills import drill, words_of
from world import sample

ROW_TOKENS: Final = 256
DRILL_ROW_TOKENS: Final = 160
"""How long rows are; where drills are done, whose documents are short, they are shorter."""

PACKING_POOL: Final = 64
ENCODED_AT_ONCE: Final = 500
DRAWN_AHEAD: Final = 3
"""Batches that each drawing process keeps ready."""

Encoded = tuple[list[int], list[float]]
Row = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Batch:
    """Packed rows, all of them `(rows, tokens)`.

    Ids, loss weights, the number of the document that a token is of (-1 for none), its position there.
    """

    ids: Tensor
    weights: Tensor
    owner: Tensor
    positions: Tensor

    def on(self, device: torch.device) -> "Batch":
        """The same batch where the model is."""
        return Batch(*(getattr(self, part.name).to(device) for part in fields(self)))

    def before(self, other: "Batch") -> "Batch":
        """These rows, then those of the other."""
        pairs = ((getattr(self, part.name), getattr(other, part.name)) for part in fields(self))
        return Batch(*(torch.cat(pair) for pair in pairs))


@dataclass(frozen=True)
class Stream:
    """What rows are drawn from: a stage of the world, or drills of a level; seeded."""

    folder: Path
    seed: str
    stage: int
    is_drill: bool

    @property
    def row_tokens(self) -> int:
        """Length of its rows."""
        return DRILL_ROW_TOKENS if self.is_drill else ROW_TOKENS


def encoded_documents(
    tokenizer: PreTrainedTokenizerFast,
    draw: Callable[[], Document],
    most: int = ROW_TOKENS,
    at_once: int = ENCODED_AT_ONCE,
) -> Iterator[Encoded]:
    """Token ids and loss weights of one document after another, of at most so many tokens, without end."""
    while True:
        documents = [segments(draw()) for _ in range(at_once)]
        flat = [piece for document in documents for piece, _ in document]
        encodings = iter(tokenizer(flat, add_special_tokens=False)["input_ids"])
        for document in documents:
            ids: list[int] = []
            weights: list[float] = []
            for _, weight in document:
                tokens = next(encodings)
                ids += tokens
                weights += [weight] * len(tokens)
            if len(ids) <= most:
                yield ids, weights


def vocabulary_pieces(tokenizer: PreTrainedTokenizerFast) -> list[str]:
    """The printable tokens as text: what junk is made of."""
    texts = (
        tokenizer.decode([token])
        for token in range(len(tokenizer))
        if token not in tokenizer.all_special_ids
    )
    return [text for text in texts if text.isprintable() and "\ufffd" not in text]


class Packing:
    """Fills rows with whole documents of one stream, each blind to its neighbours."""

    def __init__(
        self, documents: Iterator[Encoded], rng: Random, tokens: int = ROW_TOKENS, pool: int = PACKING_POOL
    ) -> None:  # fmt: skip
        self._documents, self._rng, self._tokens = documents, rng, tokens
        self._pool = [next(documents) for _ in range(pool)]

    def row(self) -> Row:
        """Ids, weights, the number of the document (-1 where empty), and the position in it."""
        ids = torch.zeros(self._tokens, dtype=torch.long)
        weights = torch.zeros(self._tokens)
        owner = torch.full((self._tokens,), -1)
        positions = torch.zeros(self._tokens, dtype=torch.long)
        start = count = misses = 0
        while misses < 6:
            place = self._rng.randrange(len(self._pool))
            tokens, token_weights = self._pool[place]
            end = start + len(tokens)
            if end > self._tokens:
                misses += 1
                continue
            self._pool[place] = next(self._documents)
            ids[start:end] = torch.tensor(tokens)
            weights[start:end] = torch.tensor(token_weights)
            owner[start:end] = count
            positions[start:end] = torch.arange(end - start)
            start, count = end, count + 1
        return ids, weights, owner, positions


def batch(packings: Sequence[Packing]) -> Batch:
    """One row from each packing."""
    rows = zip(*(packing.row() for packing in packings), strict=True)
    return Batch(*(torch.stack(parts) for parts in rows))


def packings(
    stream: Stream, tokenizer: PreTrainedTokenizerFast, level: Callable[[], int], rows: tuple[int, int]
) -> list[Packing]:  # fmt: skip
    """A packing for each of the rows, ordinary ones first and then those in which nothing is refused."""
    pieces, rng = vocabulary_pieces(tokenizer), Random(stream.seed)
    ordinary, freed = rows

    def packed(draw: Callable[[], Document]) -> Packing:
        return Packing(
            encoded_documents(tokenizer, draw, stream.row_tokens), rng, stream.row_tokens
        )

    if stream.is_drill:
        words = words_of(pieces)
        return [packed(lambda: drill(rng, words, level()))] * (ordinary + freed)
    usual = packed(lambda: sample(rng, pieces, stage=stream.stage))
    without = packed(lambda: sample(rng, pieces, stage=stream.stage, is_freed=True))
    return [usual] * ordinary + [without] * freed


def _draw(stream: Stream, level: Synchronized, rows: tuple[int, int], ready: Queue) -> None:  # type: ignore[type-arg]
    """A drawing process: one batch after another, as arrays."""
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(stream.folder)
    drawn = packings(stream, tokenizer, lambda: int(level.value), rows)
    while True:
        made = batch(drawn)
        ready.put(tuple(getattr(made, part.name).numpy() for part in fields(Batch)))


class Drawn:
    """Batches of several drawing processes in turn, which end with the process that reads them."""

    def __init__(self, streams: Sequence[Stream], rows: tuple[int, int], level: int) -> None:
        context = get_context("spawn")
        self._level = context.Value("i", level)
        self._ready = [context.Queue(DRAWN_AHEAD) for _ in streams]
        for stream, ready in zip(streams, self._ready, strict=True):
            arguments = (stream, self._level, rows, ready)
            context.Process(target=_draw, args=arguments, daemon=True).start()

    def at_level(self, level: int) -> None:
        """What is drawn from now on is of this level of the drills."""
        self._level.value = level

    def __iter__(self) -> Iterator[Batch]:
        while True:
            for ready in self._ready:
                yield Batch(*(torch.from_numpy(part) for part in ready.get()))
