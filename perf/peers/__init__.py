"""Other harnesses asked to do the same work: each in an environment of its own, made on demand.

    lm_eval.txt, inspect.txt   what is installed, pinned
    inspect_task.py            the questions as Inspect asks them

Each is given its fastest documented way to ask a chat server in this many calls at once, the same
questions as everybody else, and its own log of samples, since Safemark stores every record too.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from perf import bare_client

FOLDER = Path(__file__).parent
ENVIRONMENTS = Path(os.environ.get("SAFEMARK_PEERS") or FOLDER.parents[1] / "build" / "peers")

LM_EVAL_TASK = """\
task: letters
dataset_path: json
dataset_kwargs:
  data_files:
    test: {questions}
test_split: test
output_type: generate_until
doc_to_text: "{{{{input}}}}"
doc_to_target: "{{{{target}}}}"
generation_kwargs:
  until: []
  max_gen_toks: 16
  temperature: 0.0
filter_list:
  - name: letter
    filter:
      - function: regex
        regex_pattern: "\\\\(([a-d])\\\\)"
      - function: take_first
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
"""


@dataclass(frozen=True, slots=True)
class Command:
    """A whole process: what to run, what it needs in its environment, and where."""

    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


def questions(n: int, repeats: int, folder: Path) -> Path:
    """The first ``n`` questions, each ``repeats`` times, as both peers read them."""
    path = folder / f"questions-{n}-{repeats}.jsonl"
    if not path.exists():
        lines = [
            json.dumps({"input": bare_client.asked(row), "target": row.answer.lower()}) + "\n"
            for row in islice(bare_client.rows(n), n)
        ]
        path.write_text("".join(line for line in lines for _ in range(repeats)), encoding="utf-8")
    return path


def lm_eval(url: str, path: Path, in_flight: int, folder: Path) -> Command:
    """lm-evaluation-harness over chat completions."""
    task = folder / "lm_eval_task.yaml"
    task.write_text(LM_EVAL_TASK.format(questions=path), encoding="utf-8")
    arguments = f"model=benchmark,base_url={url}/chat/completions,num_concurrent={in_flight}"
    words = [
        *(str(program("lm_eval", "lm_eval")), "--model", "local-chat-completions"),
        *("--model_args", arguments, "--tasks", str(task), "--apply_chat_template"),
        *("--log_samples", "--output_path", str(folder / "lm_eval")),
    ]
    caches = {"HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    return Command(words, {**caches, "OPENAI_API_KEY": "none"})


def inspect(url: str, path: Path, in_flight: int, folder: Path) -> Command:
    """Inspect over its provider for any server that speaks OpenAI's protocol."""
    words = [
        *(
            str(program("inspect", "inspect")),
            "eval",
            "inspect_task.py",
        ),  # it takes relative paths only
        *("--model", "openai-api/peer/benchmark", "--max-connections", str(in_flight)),
        *("--max-samples", str(in_flight), "--temperature", "0", "--max-tokens", "16"),
        *("--display", "none", "--log-dir", str(folder / "inspect")),
    ]
    server = {"PEER_BASE_URL": url, "PEER_API_KEY": "none", "PEER_QUESTIONS": str(path)}
    return Command(words, {**server, "INSPECT_CACHE_DIR": str(folder / "cache")}, FOLDER)


PEERS: dict[str, Callable[[str, Path, int, Path], Command]] = {
    "lm_eval": lm_eval,
    "inspect": inspect,
}


def program(peer: str, name: str) -> Path:
    """A program of a peer's environment, which is made first where it is not there."""
    wanted = FOLDER / f"{peer}.txt"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()[:8]
    environment = ENVIRONMENTS / f"{peer}-{digest}"
    if not (environment / "ready").exists():
        print(f"installing {wanted.read_text().split()} …", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "-r", str(wanted)], check=True, stderr=subprocess.DEVNULL)
        (environment / "ready").touch()
    return environment / "bin" / name
