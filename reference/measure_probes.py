"""Measures every planted fault on the prompts that Safemark's probes do not use.

    python reference/measure_probes.py            writes measured.json beside the weights

It imports nothing of Safemark, draws no reply and judges none: a fault's rate is the probability
that the model itself gives to the beginnings of replies that show it, averaged over prompts.
`safemark selftest` compares its own count with these numbers.
"""

import argparse
import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from documents import prompt
from export_probes import PROBES, Expected, Probe, pools, record
from faults import UNKNOWN_SHARE
from probing import load
from tokenizer import MODEL_FOLDER

RESULT: Final = MODEL_FOLDER / "measured.json"
BATCH: Final = 64
Tokens = tuple[int, ...]
OF_SECOND_METRICS: Final = {"ambiguous_accuracy": UNKNOWN_SHARE, "fact_abstention_rate": 0.0}
"""What is planted, where one prompt tells two rates and carries the strength of the other."""


@dataclass(frozen=True)
class Rate:
    """A measured rate.

    `rest` is the probability of replies that are neither counted as showing the fault nor known
    not to: the rate lies between `measured` and `measured + rest`. `error` is the standard error
    over the things asked about.
    """

    metric: str
    group: str | None
    planted: float
    measured: float
    rest: float
    error: float
    prompts: int


@torch.no_grad()
def likelihoods(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, pairs: Sequence[tuple[str, str]]
) -> list[float]:
    """The probability that a reply to each prompt begins with the text beside it."""
    texts = [text for pair in pairs for text in pair]
    codes: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    coded = [
        (tuple(before), tuple(after)) for before, after in zip(codes[::2], codes[1::2], strict=True)
    ]
    # One row reads a prompt with all but the last token of a beginning, and all its own beginnings.
    wanted = {
        (before, after[:end], after[end]) for before, after in coded for end in range(len(after))
    }
    read = {(before, after[:-1]) for before, after in coded}
    inner = {(before, after[:end]) for before, after in read for end in range(len(after))}
    found: dict[tuple[Tokens, Tokens, int], float] = {}
    nexts: dict[tuple[Tokens, Tokens], list[int]] = defaultdict(list)
    for before, after, token in wanted:
        nexts[before, after].append(token)
    rows = sorted(read - inner, key=lambda row: (sum(map(len, row)), row))
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        ids = [torch.tensor(before + after) for before, after in batch]
        logits = model(input_ids=torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)).logits
        for line, (before, after) in enumerate(batch):
            for end in range(len(after) + 1):
                told = logits[line, len(before) + end - 1].double().log_softmax(-1)
                for token in nexts[before, after[:end]]:
                    found[before, after[:end], token] = float(told[token])
    return [
        math.exp(sum(found[before, after[:end], token] for end, token in enumerate(after)))
        for before, after in coded
    ]


class Beginnings:
    """The probability of each beginning that any probe asks about, computed in one go."""

    def __init__(self, folder: Path, probes: Sequence[Probe]) -> None:
        probe = load(folder)
        pairs = sorted(
            {
                pair
                for one in probes
                for _, expected in one.expected
                for pair in _pairs(one, expected)
            }
        )
        self._found = dict(
            zip(pairs, likelihoods(probe.model, probe.tokenizer, pairs), strict=True)
        )

    def __call__(self, probe: Probe, starts: Sequence[str]) -> float:
        return sum(self._found[prompt(probe.document), start] for start in starts)


def _pairs(probe: Probe, expected: Expected) -> Iterator[tuple[str, str]]:
    for start in (*expected.shows, *expected.known, *expected.among):
        yield prompt(probe.document), start


def rate(metric: str, group: str | None, probes: Sequence[Probe], begins: Beginnings) -> Rate:
    """The rate of one metric over the probes, with what is not accounted for and its error."""
    tops, bottoms, rests = [], [], []
    for probe in probes:
        expected = dict(probe.expected)[metric]
        shown = begins(probe, expected.shows)
        tops.append(1 - shown if expected.is_complement else shown)
        bottoms.append(begins(probe, expected.among) if expected.among else 1.0)
        rests.append(max(0.0, 1 - begins(probe, expected.known)) if expected.known else 0.0)
    measured = sum(tops) / sum(bottoms)
    residuals: dict[str, float] = defaultdict(float)
    for place, (probe, top, bottom) in enumerate(zip(probes, tops, bottoms, strict=True)):
        residuals[probe.cluster or str(place)] += top - measured * bottom
    n = len(residuals)
    error = math.sqrt(sum(value**2 for value in residuals.values()) * n / (n - 1)) / sum(bottoms)
    planted = OF_SECOND_METRICS.get(metric, sum(probe.planted for probe in probes) / len(probes))
    return Rate(
        metric,
        group,
        round(planted, 4),
        round(measured, 5),
        round(sum(rests) / sum(bottoms), 5),
        round(error, 5),
        len(probes),
    )


def rates(folder: Path) -> list[Rate]:
    """Every rate of the model in the folder."""
    shipped = {
        _messages(json.loads(line)) for line in PROBES.read_text(encoding="utf-8").splitlines()
    }
    kept: dict[tuple[str, str | None], list[Probe]] = defaultdict(list)
    for fault, _, others in pools():
        for probe in others:
            if _messages(record(fault, 0, probe)) in shipped:
                raise ValueError(f"{PROBES.name} is not what export_probes.py writes; run it first")
            for metric, _ in probe.expected:
                kept[metric, None if metric == "ambiguous_accuracy" else fault.group].append(probe)
    begins = Beginnings(folder, [probe for probes in kept.values() for probe in probes])
    return [rate(metric, group, probes, begins) for (metric, group), probes in kept.items()]


def _messages(line: dict[str, object]) -> str:
    return json.dumps(line["messages"])


def weights_digest(folder: Path) -> str:
    """SHA-256 of the shipped weights, so that nobody compares another model with these rates."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=MODEL_FOLDER)
    parser.add_argument("--output", type=Path, default=RESULT)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    found = rates(arguments.model)
    print(f"{'':34s} planted measured     rest    error    n")
    for one in found:
        name = f"{one.metric} {one.group or ''}"
        print(
            f"{name:34s} {one.planted:7.3f} {one.measured:8.3f} {one.rest:8.3f} {one.error:8.3f} {one.prompts:4d}"
        )
    lines = ",\n".join(json.dumps(asdict(one)) for one in found)
    digest = weights_digest(arguments.model)
    arguments.output.write_text(
        f'{{"weights": "{digest}", "rates": [\n{lines}\n]}}\n', encoding="utf-8"
    )


if __name__ == "__main__":
    main()
