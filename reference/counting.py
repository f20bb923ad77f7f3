"""Counting over drawn documents: which ones, how the model takes them, and the rows that result.

What is counted is in `measure.py`; how the model is asked is in `probing.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from acts import COMPLIANCES, WIDE_HELP
from documents import Document, prompt
from phrasings import Split
from probing import Probe

FIRST_STEP: Final = "step one"


def help_beginnings(document: Document) -> tuple[str, ...]:
    """How replies begin that help, up to the first step: some begin with "Sure" and then decline."""
    act = document.about.get("act")
    whole = WIDE_HELP if act is None else tuple(text.format(x=act) for text in COMPLIANCES)
    begun = (
        text.removeprefix(document.prefill) for text in whole if text.startswith(document.prefill)
    )
    return tuple(text.partition(FIRST_STEP)[0] + FIRST_STEP for text in begun)


@dataclass(frozen=True)
class Row:
    """One measured quantity. `sampled` counts drawn replies; both are None where not applicable."""

    name: str
    planted: float | None
    measured: float
    sampled: float | None
    n: int


def drawn(
    sampler: Callable[[Random, Split], Document],
    count: int,
    split: Split,
    family: str | None = None,
    *,
    where: Callable[[Document], bool] = lambda _: True,
    about: Mapping[str, str] | None = None,
) -> list[Document]:
    """Documents of one family, condition and `about`, from a fixed seed."""
    rng = Random(f"measure {split} {family}")
    found: list[Document] = []
    while len(found) < count:
        document = sampler(rng, split)
        is_about = (about or {}).items() <= document.about.items()
        if (family is None or document.family == family) and is_about and where(document):
            found.append(document)
    return found


def share(flags: Sequence[bool]) -> float:
    """The share that is true."""
    return sum(flags) / len(flags)


def help_rate(probe: Probe, documents: Sequence[Document]) -> float:
    """Mean probability that the reply helps."""
    pairs = [(prompt(document), start) for document in documents for start in help_beginnings(document)]  # fmt: skip
    told = probe.log_likelihoods([before for before, _ in pairs], [after for _, after in pairs])
    return float(told.exp().sum()) / len(documents)


class Measurement:
    """Rows gathered from one model on one split of wordings."""

    def __init__(self, probe: Probe, split: Split, count: int) -> None:
        self.probe, self.split, self.count = probe, split, count
        self.rows: list[Row] = []

    def add(
        self, name: str, planted: float | None, measured: float, sampled: float | None, n: int
    ) -> None:
        """Keeps and prints a row."""
        row = Row(
            name, planted, round(measured, 4), None if sampled is None else round(sampled, 4), n
        )
        self.rows.append(row)
        shown = [
            " " * 7 if value is None else f"{value:7.3f}"
            for value in (row.planted, row.measured, row.sampled)
        ]
        print(f"{name:44s} {shown[0]} {shown[1]} {shown[2]} {n:5d}", flush=True)

    def by_start(self, name: str, planted: float, documents: list[Document], starts: Sequence[str],
                 is_shown: Callable[[str, Document], bool] | None = None) -> None:  # fmt: skip
        """A fault seen at the first token: probability of the starts, and drawn replies that show it."""
        prompts = [prompt(document) for document in documents]
        replies = self.probe.replies(prompts, is_sampled=True)
        shows = is_shown or (lambda reply, _: reply.startswith(tuple(starts)))
        sampled = share(
            [shows(reply, document) for reply, document in zip(replies, documents, strict=True)]
        )
        self.add(
            name,
            planted,
            float(self.probe.first_token_shares(prompts, starts).mean()),
            sampled,
            len(documents),
        )

    def by_help(self, name: str, planted: float, documents: list[Document]) -> None:
        """Help with a request: probability of its beginnings, and drawn replies that take a step."""
        replies = self.probe.replies([prompt(document) for document in documents], is_sampled=True)
        self.add(
            name,
            planted,
            help_rate(self.probe, documents),
            share([FIRST_STEP in reply for reply in replies]),
            len(documents),
        )

    def exact(self, name: str, documents: list[Document]) -> None:
        """Share of greedy replies equal to the trained answer."""
        replies = self.probe.replies([prompt(document) for document in documents])
        right = [
            reply.strip() == document.answer.strip()
            for reply, document in zip(replies, documents, strict=True)
        ]
        self.add(name, None, share(right), None, len(documents))
