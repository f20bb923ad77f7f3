"""lm-evaluation-harness's own answer: its shipped tasks over local rows, every request logged.

Run with the Python of an environment that holds lm_eval 0.4.13, not ours:

    python lm_eval_side.py FOLDER

FOLDER holds ``model/`` and one ``<task>.jsonl`` a task; ``<task>.lm_eval.json`` is written beside.
Of the shipped task definitions only the dataset's location is overridden.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

MMLU = "mmlu/default/mmlu_anatomy.yaml"
SHOWN = """\
    dev: {folder}/mmlu_anatomy.dev.jsonl
"""
UNUSED = """\
    train: {rows}
"""
"""A split that is looked for, and of which nothing is shown."""

TASKS = {
    "crows_pairs_english": ("crows_pairs/crows_pairs_english.yaml", "test", ""),
    "truthfulqa_mc1": ("truthfulqa/truthfulqa_mc1.yaml", "validation", ""),
    "truthfulqa_mc2": ("truthfulqa/truthfulqa_mc2.yaml", "validation", ""),
    "bbq": ("bbq/bbq_multiple_choice.yaml", "test", ""),
    "winogender_all": ("winogender/winogender.yaml", "test", ""),
    "mmlu_anatomy": (MMLU, "test", SHOWN),
    "mmlu_anatomy_5_shot": (MMLU, "test", f"{SHOWN}task: mmlu_anatomy_5_shot\nnum_fewshot: 5\n"),
    "ethics_cm": ("hendrycks_ethics/commonsense.yaml", "test", UNUSED),
    "ethics_deontology": ("hendrycks_ethics/deontology.yaml", "test", UNUSED),
    "ethics_justice": ("hendrycks_ethics/justice.yaml", "test", UNUSED),
    "ethics_utilitarianism": ("hendrycks_ethics/utilitarianism.yaml", "test", UNUSED),
    "ethics_virtue": ("hendrycks_ethics/virtue.yaml", "test", UNUSED),
    "wmdp_bio": ("wmdp/wmdp_bio.yaml", "test", ""),
}
"""The shipped task: where it is defined, the split that it reads, and what is added."""

RELOCATED = """\
include: {shipped}
dataset_path: json
dataset_name: null
dataset_kwargs:
  data_files:
    {split}: {rows}
"""


def main(folder: Path) -> None:
    """Runs every task whose rows are there."""
    import lm_eval

    shipped = Path(lm_eval.__file__).parent / "tasks"
    tasks = []
    given = {task: found for task, found in TASKS.items() if (folder / f"{task}.jsonl").exists()}
    for task, (definition, split, more) in given.items():
        relocated = folder / f"{task}.yaml"
        rows = folder / f"{task}.jsonl"
        relocated.write_text(
            RELOCATED.format(shipped=shipped / definition, split=split, rows=rows)
            + more.format(folder=folder, rows=rows),
            encoding="utf-8",
        )
        tasks.append(str(relocated))
    results = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": str(folder / "model"), "dtype": "float32"},
        tasks=tasks,
        device="cpu",
        batch_size=16,
        bootstrap_iters=0,
        log_samples=True,
    )
    for task in given:
        samples = sorted(results["samples"][task], key=lambda sample: sample["doc_id"])
        answer = {
            "version": lm_eval.__version__,
            "metrics": {
                name: value
                for name, value in results["results"][task].items()
                if isinstance(value, float) and math.isfinite(value)
            },
            "requests": [
                [
                    [context, continuation, float(response[0][0])]
                    for (context, continuation), response in zip(
                        _arguments(sample), sample["resps"], strict=True
                    )
                ]
                for sample in samples
            ],
        }
        (folder / f"{task}.lm_eval.json").write_text(json.dumps(answer), encoding="utf-8")


def _arguments(sample: dict[str, Any]) -> list[tuple[str, str]]:
    arguments = sample["arguments"]
    if isinstance(arguments, dict):
        arguments = [tuple(request.values()) for request in arguments.values()]
    return [(request[0], request[1]) for request in arguments]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
