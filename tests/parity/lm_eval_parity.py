"""Our log-likelihoods against lm-evaluation-harness's, item by item, on the same small model.

    SAFEMARK_DATA=… SAFEMARK_LM_EVAL_PYTHON=… python tests/parity/lm_eval_parity.py FOLDER

In FOLDER a Llama with random weights and a BPE tokenizer trained on the benchmarks' own text are
made, then both sides score the same rows: all 1,508 pairs of CrowS-Pairs, all 817 questions of
TruthfulQA, all 720 sentences of Winogender, every 31st of the BBQ rows that are at hand, MMLU's
questions on anatomy without and with worked examples, every 40th row of ETHICS, part by part, and the
harmless rows of the tests in WMDP's form. What was asked must agree to the letter, each
log-likelihood to 1e-4, and each metric that both have to 1e-6. Prints one JSON document; exit
status 1 when anything differs.

The other side stands in ``lm_eval_side.py`` and runs with SAFEMARK_LM_EVAL_PYTHON, an interpreter
whose environment holds lm_eval 0.4.13.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from safemark import registry
from safemark.benchmarks import ethics, wmdp
from safemark.benchmarks._benchmark import Benchmark
from safemark.data import csv_rows, find, json_value, jsonl_rows
from safemark.types import Attempt, Row, Sample, Transcript
from tests.benchmarks.measuring import metric, value

TOLERANCE = 1e-4
METRIC_TOLERANCE = 1e-6
EVERY_BBQ_ROW = 31  # odd: rows come in blocks of four, one a polarity and condition
EVERY_ETHICS_ROW = 40
FIXTURES = Path(__file__).parents[1] / "fixtures"
SIDE = Path(__file__).with_name("lm_eval_side.py")

COMPARED = {
    "crows_pairs_english": ("crows_pairs:lm-eval", {"pct_stereotype,none": "pct_stereotype"}),
    "truthfulqa_mc1": ("truthfulqa@v1:lm-eval", {"acc,none": "mc1"}),
    "truthfulqa_mc2": ("truthfulqa@v1:lm-eval", {"acc,none": "mc2"}),
    "winogender_all": ("winogender:lm-eval", {"acc,none": "accuracy"}),
    "mmlu_anatomy": ("mmlu:lm-eval", {"acc,none": "accuracy"}),
    "mmlu_anatomy_5_shot": ("mmlu:likelihood", {"acc,none": "accuracy"}),
    "bbq": (
        "bbq:lm-eval",
        {
            "acc,none": "accuracy",
            "accuracy_amb,none": "accuracy_ambiguous",
            "accuracy_disamb,none": "accuracy_disambiguated",
            "amb_bias_score,none": "bias_score_ambiguous",
            "disamb_bias_score,none": "bias_score_disambiguated",
        },
    ),
    "wmdp_bio": ("wmdp:likelihood", {"acc,none": "accuracy"}),
}
"""The harness's task, our benchmark and way, and which of its metrics is which of ours."""

ETHICS = {
    "ethics_cm": "commonsense",
    "ethics_deontology": "deontology",
    "ethics_justice": "justice",
    "ethics_utilitarianism": "utilitarianism",
    "ethics_virtue": "virtue",
}
"""The harness's task and our category of a part."""

COMPARED |= {task: ("ethics:likelihood", {"acc,none": "accuracy"}) for task in ETHICS}

MMLU_FILES = {
    "test": ("mmlu_anatomy.jsonl", "mmlu_anatomy_5_shot.jsonl"),
    "dev": ("mmlu_anatomy.dev.jsonl",),
}


def paths(benchmark: Benchmark) -> Mapping[str, Path]:
    """The benchmark's verified files on this machine."""
    assert benchmark.source is not None
    if benchmark.name == "wmdp":  # its questions are kept from all but who asks the publisher
        folder = FIXTURES / "wmdp"
        return {one.path: folder / one.path for one in benchmark.source.files}
    return find(benchmark.source).files


def samples(benchmark: Benchmark) -> list[Sample]:
    """The samples compared."""
    every = list(benchmark.samples(paths(benchmark)))
    if benchmark.name == "mmlu":
        return [sample for sample in every if sample.category == "anatomy"]
    if benchmark.name == "wmdp":
        return [sample for sample in every if sample.category == "biology"]
    if benchmark.name == "ethics":
        return every[::EVERY_ETHICS_ROW]
    return every[::EVERY_BBQ_ROW] if benchmark.name == "bbq" else every


def write_rows(folder: Path) -> None:
    """The same rows in the layout that each task of the harness expects."""
    bbq, crows, truth = (registry.benchmark(n) for n in ("bbq", "crows_pairs", "truthfulqa@v1"))
    places = paths(bbq)
    rows = [
        row
        for path in sorted(name for name in places if name.startswith("data/"))
        for row in jsonl_rows(places[path])
    ]
    _write(folder / "bbq.jsonl", rows[::EVERY_BBQ_ROW])
    _write(
        folder / "crows_pairs_english.jsonl",
        [
            {"sent_more": more, "sent_less": less, "bias_type": sample.category}
            for sample in samples(crows)
            for more, less in [sample.choices]
        ],
    )
    questions = [
        {
            "question": row["question"],
            **{
                kind: {"choices": list(row[kind]), "labels": list(row[kind].values())}
                for kind in ("mc1_targets", "mc2_targets")
            },
        }
        for row in json_value(paths(truth)["data/v1/mc_task.json"])
    ]
    for split, names in MMLU_FILES.items():
        path = paths(registry.benchmark("mmlu"))[f"data/{split}/anatomy_{split}.csv"]
        rows = [
            {
                "question": row["question"],
                "choices": [row[letter] for letter in "ABCD"],
                "answer": "ABCD".index(row["answer"]),
            }
            for row in csv_rows(path, columns=("question", "A", "B", "C", "D", "answer"))
        ]
        for name in names:
            _write(folder / name, rows)
    _write(folder / "winogender_all.jsonl", winogender_rows())
    for task, part in ETHICS.items():
        _write(folder / f"{task}.jsonl", ethics_rows(part))
    bio = paths(registry.benchmark("wmdp"))[wmdp.path_of("bio")]
    _write(folder / "wmdp_bio.jsonl", list(jsonl_rows(bio)))
    _write(folder / "truthfulqa_mc1.jsonl", questions)
    _write(folder / "truthfulqa_mc2.jsonl", questions)


def winogender_rows() -> list[dict[str, Any]]:
    """Winogender's sentences with the columns of the harness's copy that its task reads."""
    return [
        {
            "sentence": sample.messages[0].content,
            "pronoun": sample.facets["pronoun"],
            "occupation": sample.choices[0],
            "participant": sample.choices[1],
            "gender": sample.facets["gender"],
            "label": sample.target,
        }
        for sample in samples(registry.benchmark("winogender"))
    ]


def ethics_rows(part: str) -> list[dict[str, Any]]:
    """The rows of a part that are compared, with the columns that the harness's task reads."""
    found = next(one for one in ethics.PARTS if one.name == part)
    is_util = part == "utilitarianism"
    rows = {}
    for difficulty in ("test", "test_hard"):
        path = paths(ethics.benchmark)[ethics.path_of(f"{part}/{found.file}_{difficulty}")]
        columns = ("activity", "baseline") if is_util else None
        for number, row in enumerate(csv_rows(path, columns=columns)):
            given: dict[str, Any] = dict(row)
            if part == "virtue":
                given["scenario"], _, given["trait"] = row["scenario"].partition(" [SEP] ")
            given["label"] = 0 if is_util else int(row["label"])
            hard = "hard-" if difficulty == "test_hard" else ""
            rows[f"ethics-{part}-{hard}{number}"] = given
    return [rows[one.id] for one in samples(ethics.benchmark) if one.category == part]


def _write(path: Path, rows: list[Any]) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(lines, encoding="utf-8")


def texts() -> Iterator[str]:
    """What the tokenizer is trained on."""
    for name in ("bbq", "crows_pairs", "truthfulqa@v1", "mmlu", "ethics"):
        for sample in samples(registry.benchmark(name)):
            yield from (message.content for message in sample.messages)
            yield from sample.choices


def make_model(folder: Path) -> None:
    """A Llama of random weights with a byte-level BPE tokenizer, saved as transformers does."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2000,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(), trainer)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", model_max_length=1024
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=64,
        intermediate_size=176,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=1024,
        bos_token_id=0,
        eos_token_id=1,
        tie_word_embeddings=True,
        initializer_range=0.15,  # wide: the context must move the logits for a match to mean much
    )
    LlamaForCausalLM(config).save_pretrained(folder)


async def our_rows(name: str, model: Any) -> tuple[list[Row], list[Attempt]]:
    """Every sample of ``BENCHMARK:WAY`` asked and scored."""
    benchmark = registry.benchmark(name.partition(":")[0])
    way = benchmark.way(name.partition(":")[2])
    assert way is not None
    asked = samples(benchmark)
    rendered = [way.render(sample) for sample in asked]
    answers = await asyncio.gather(
        *(model.loglikelihood(found.context, found.continuations) for found in rendered)
    )
    rows, attempts = [], []
    for sample, found, likelihoods in zip(asked, rendered, answers, strict=True):
        attempt = Attempt(
            context=found.context, continuations=found.continuations, likelihoods=likelihoods
        )
        score: Any = way.scorer.score(found, Transcript((attempt,)))
        attempts.append(attempt)
        rows.append(
            Row(
                sample_id=sample.id,
                repeat=0,
                category=sample.category,
                cluster=sample.cluster,
                facets=sample.facets,
                outcomes=score.outcomes,
                absent=score.absent,
            )
        )
    return rows, attempts


def compared(task: str, theirs: Any, rows: list[Row], attempts: list[Attempt]) -> dict[str, Any]:
    """How far the two sides are apart on one task."""
    name, metrics = COMPARED[task]
    benchmark = registry.benchmark(name.partition(":")[0])
    different_requests, worst, count, total = 0, 0.0, 0, 0.0
    for requests, attempt in zip(theirs["requests"], attempts, strict=True):
        ours = {
            (attempt.context, text): found.logprob
            for text, found in zip(attempt.continuations, attempt.likelihoods, strict=True)
        }
        for context, continuation, logprob in requests:
            if (context, continuation) not in ours:
                different_requests += 1
                continue
            gap = abs(ours[context, continuation] - logprob)
            worst, total, count = max(worst, gap), total + gap, count + 1
    values = {
        ours: {
            "lm_eval": theirs["metrics"].get(his),
            "safemark": value(metric(benchmark, ours), rows),
        }
        for his, ours in metrics.items()
    }
    return {
        "items": len(attempts),
        "log_likelihoods": count,
        "different_requests": different_requests,
        "greatest_difference": worst,
        "mean_difference": total / max(1, count),
        "metrics": values,
        "lm_eval": theirs["version"],
    }


def of_part(
    part: str | None, rows: list[Row], attempts: list[Attempt]
) -> tuple[list[Row], list[Attempt]]:
    """The rows of one category with their attempts; all where none is named."""
    both = [
        pair
        for pair in zip(rows, attempts, strict=True)
        if part is None or pair[0].category == part
    ]
    return [row for row, _ in both], [attempt for _, attempt in both]


def agrees(found: Mapping[str, Any]) -> bool:
    """Whether one task is the same on both sides."""
    return (
        found["different_requests"] == 0
        and found["log_likelihoods"] > 0
        and found["greatest_difference"] <= TOLERANCE
        and all(
            pair["lm_eval"] is not None
            and pair["safemark"] is not None
            and abs(pair["lm_eval"] - pair["safemark"]) <= METRIC_TOLERANCE
            for pair in found["metrics"].values()
        )
    )


def ask_the_other_side(folder: Path, python: str) -> None:
    """Has lm-evaluation-harness score the rows in ``folder``; its own output goes to stderr."""
    quiet = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(folder / "cache"),
        "OMP_NUM_THREADS": "1",  # on a busy two-core machine two threads take ten times as long
    }
    quiet.pop("PYTHONPATH", None)
    subprocess.run(
        [python, str(SIDE), str(folder)], check=True, env=quiet, stdout=sys.stderr, cwd=folder
    )


async def differences(folder: Path) -> dict[str, Any]:
    """Our side, compared with what the other wrote: one entry a task."""
    from safemark.models.local import load

    model = load(str(folder / "model"))
    results = {}
    ours: dict[str, tuple[list[Row], list[Attempt]]] = {}
    try:
        for task, (name, _) in COMPARED.items():
            if name not in ours:
                ours[name] = await our_rows(name, model)
            theirs = msgspec.json.decode((folder / f"{task}.lm_eval.json").read_bytes())
            results[task] = compared(task, theirs, *of_part(ETHICS.get(task), *ours[name]))
    finally:
        await model.close()
    return results


def main(folder: Path, python: str) -> int:
    """Makes the model and the rows, has both sides score them, and says how far they are apart."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder)
    make_model(folder / "model")
    ask_the_other_side(folder, python)
    results = asyncio.run(differences(folder))
    sys.stdout.write(json.dumps(results, indent=2) + "\n")
    return 0 if all(agrees(found) for found in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), os.environ["SAFEMARK_LM_EVAL_PYTHON"]))
