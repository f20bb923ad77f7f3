"""The other side: lm-evaluation-harness over the same items, a whole process.

Run with the Python of an environment that holds lm_eval 0.4.13, not ours:

    python -P theirs.py MODEL ITEMS.jsonl OUT.jsonl BATCH_SIZE DEVICE DTYPE

One JSON line on stdout tells how long its requests took. Nothing of Safemark is imported.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

TASK = """\
task: items
dataset_path: json
dataset_kwargs:
  data_files:
    test: {items}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{context}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: 0
target_delimiter: ""
metric_list:
  - metric: acc
"""


def main(folder: str, items: Path, out: Path, batch_size: str, device: str, dtype: str) -> None:
    """Loads, scores, writes."""
    import lm_eval
    from lm_eval.models.huggingface import HFLM

    spent = {"scoring_wall_s": 0.0, "scoring_cpu_s": 0.0}
    scored = HFLM.loglikelihood

    def timed(*given: Any, **named: Any) -> Any:
        began, used = time.perf_counter(), time.process_time()
        found = scored(*given, **named)
        spent["scoring_wall_s"] += time.perf_counter() - began
        spent["scoring_cpu_s"] += time.process_time() - used
        return found

    HFLM.loglikelihood = timed
    task = out.with_suffix(".yaml")
    task.write_text(TASK.format(items=items.resolve()), encoding="utf-8")
    results = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": folder, "dtype": dtype},
        tasks=[str(task)],
        device=device,
        batch_size=batch_size,
        bootstrap_iters=0,
        log_samples=True,
    )
    samples = sorted(results["samples"]["items"], key=lambda sample: sample["doc_id"])
    out.write_text(
        "".join(
            json.dumps([[float(one[0][0]), _is_true(one[0][1])] for one in sample["resps"]]) + "\n"
            for sample in samples
        ),
        encoding="utf-8",
    )
    print(json.dumps({**spent, "version": lm_eval.__version__}))


def _is_true(value: Any) -> bool:
    return str(value) == "True"


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])
