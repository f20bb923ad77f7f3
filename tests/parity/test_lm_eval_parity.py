"""The same numbers as lm-evaluation-harness, on the same small model."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("lm_eval_parity.py")
ROOT = SCRIPT.parents[2]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_log_likelihood_equals_lm_evaluation_harnesss(
    tmp_path: Path, data: Path, environment: dict[str, str]
) -> None:
    python = environment.get("SAFEMARK_LM_EVAL_PYTHON")
    if not python and find_spec("lm_eval"):
        python = sys.executable  # `make test-slow` installs it here
    if not python:
        assert not environment.get("SAFEMARK_REQUIRE_SLOW"), "lm-evaluation-harness is missing"
        pytest.skip(
            "compares with lm-evaluation-harness 0.4.13, which is not installed here, and "
            "SAFEMARK_LM_EVAL_PYTHON names no interpreter that has it"
        )
    for needed in ("bbq", "crows_pairs", "decodingtrust", "mmlu", "truthfulqa", "winogender"):
        if not (data / needed).is_dir():
            pytest.skip(f"the mirror holds no {needed}")
    pytest.importorskip("transformers")
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    finished = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)],
        env={
            **environment,
            "SAFEMARK_LM_EVAL_PYTHON": python,
            "PYTHONPATH": path,
            "TOKENIZERS_PARALLELISM": "false",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stdout, finished.stderr[-4000:]
    found = json.loads(finished.stdout)
    assert finished.returncode == 0, json.dumps(found, indent=2)
    assert found["crows_pairs_english"]["log_likelihoods"] == 3_016
    assert found["truthfulqa_mc1"]["items"] == found["truthfulqa_mc2"]["items"] == 817
    assert found["winogender_all"]["log_likelihoods"] == 720 * 2
    assert found["mmlu_anatomy"]["log_likelihoods"] == 135 * 4
    assert found["mmlu_anatomy_5_shot"]["log_likelihoods"] == 135 * 4
    assert found["bbq"]["items"] >= 300
    assert sum(found[task]["items"] for task in found if task.startswith("ethics_")) == 965
    assert found["wmdp_bio"]["items"] == 2
