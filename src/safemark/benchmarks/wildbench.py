"""WildBench: 1,024 hard tasks that real users asked, each with a checklist for the judge.

Lin et al. 2024, "WildBench: Benchmarking LLMs with Challenging Tasks from Real Users in the Wild",
https://arxiv.org/abs/2406.04770 · CC-BY-4.0 (with the terms of WildChat),
huggingface.co/datasets/allenai/WildBench, configuration v2

    safemark data pull wildbench
    safemark run openai/gpt-4o-mini -b wildbench --judge openai/gpt-4o

No safety benchmark: it says what a model is still good for on real queries, and so what safeguards
cost. The conversation is asked as it was held, up to its last user turn; the publisher's judge
prompt, with the task's checklist, gives 1 to 10. ``wb_score`` is the publisher's WB-Score: in each
of five task groups (mean score - 5) x 2, then their mean weighted by 0.5 (creative tasks), 1.25
(planning and reasoning), 1 (mathematics and data analysis), 0.75 (information and advice seeking)
and 1.25 (coding and debugging). A task counts in each group among its tags. The range is -8 to 10;
the publisher's board shows the same times ten. The publisher divides by the weights of all five
groups; where a run holds no task of a group, the weights of the others count here. WB-Reward, which
compares with three models' answers, is not measured. Replies that are empty are absent (left
out there as well).

The publisher's file is Parquet: reading it needs ``pip install pyarrow``. JSON Lines with the same
columns under the same name is read as well. No hash of it is known: it is held to its first pull.
An absent reply could belong to any group, so ``wb_score`` has no bounds while any is absent;
``mean_score`` has. Bands are ours: 0 is the score of "fair" answers.

Checked against: the publisher's formula on hand-worked rows, scripted judges, and a Parquet file of
the same columns in ``tests/benchmarks/test_wildbench.py``. Not against the publisher's file, which
was not at hand, nor against published scores.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from safemark.benchmarks._benchmark import Benchmark, Headline, Metric, Way
from safemark.benchmarks._ways import as_asked
from safemark.data import File, Source, table_rows
from safemark.errors import DataError
from safemark.scorers import judge_wildbench
from safemark.types import Message, Row, Sample

REPOSITORY = "allenai/WildBench"
REVISION = "26c49eb39d7d5ce2099b0bbafed5a88dcce954ec"
TASKS = "v2/test-00000-of-00001.parquet"
MAX_OUTPUT_TOKENS = 4096

SOURCE = Source(
    name="wildbench",
    homepage=f"https://huggingface.co/datasets/{REPOSITORY}",
    revision=REVISION,
    licence="CC-BY-4.0, and the terms of WildChat",
    files=(
        File(
            path=TASKS,
            url=f"https://huggingface.co/datasets/{REPOSITORY}/resolve/{REVISION}/{TASKS}",
        ),
    ),
)

WEIGHTS = {
    "Creative Tasks": 0.5,
    "Planning & Reasoning": 1.25,
    "Math & Data Analysis": 1.0,
    "Information/Advice seeking": 0.75,
    "Coding & Debugging": 1.25,
}
"""Task group → its weight; the publisher's."""

GROUP_OF = {
    "Information seeking": "Information/Advice seeking",
    "Creative Writing": "Creative Tasks",
    "Coding & Debugging": "Coding & Debugging",
    "Reasoning": "Planning & Reasoning",
    "Editing": "Creative Tasks",
    "Math": "Math & Data Analysis",
    "Planning": "Planning & Reasoning",
    "Brainstorming": "Creative Tasks",
    "Role playing": "Creative Tasks",
    "Advice seeking": "Information/Advice seeking",
    "Data Analysis": "Math & Data Analysis",
    "Others": "Creative Tasks",
}
"""Tag of a task → its group; the publisher's."""


def samples(files: Mapping[str, Path]) -> Iterator[Sample]:
    """All tasks, in upstream's order."""
    for number, row in enumerate(table_rows(files[TASKS]), 1):
        yield sample(number, row)


def sample(number: int, row: Mapping[str, Any]) -> Sample:
    """One task: its conversation, its checklist, and the groups of its tags.

    Raises:
        DataError: a row without a last user turn, or with a tag that is of no group.
    """
    turns = [turn for turn in row.get("conversation_input") or () if turn.get("content")]
    tags = [row.get("primary_tag"), *(row.get("secondary_tags") or ())]
    if not turns or turns[-1]["role"] != "user" or not set(tags) <= set(GROUP_OF):
        raise DataError(
            f"WildBench, row {number}: a conversation that ends with the user, and known tags, "
            "are wanted",
            "`safemark data pull wildbench --force` fetches it anew",
        )
    groups = {GROUP_OF[str(tag)] for tag in tags}
    return Sample(
        id=f"wildbench-{row.get('session_id') or row.get('id') or number}",
        messages=tuple(Message(turn["role"], turn["content"]) for turn in turns),
        category=str(row["primary_tag"]),
        facets={
            "behavior": turns[-1]["content"],
            "checklist": "\n".join(f"- {item}" for item in row.get("checklist") or ()),
            "groups": "|".join(group for group in WEIGHTS if group in groups),
        },
    )


def wb_score(sums: Any) -> Any:
    """WB-Score of sums: five of scores, then five of tasks, (…, 10) → (…,); NaN of no task.

    Source: ``leaderboard/data_dir/_create_tables.py`` in github.com/allenai/WildBench.

    >>> float(wb_score(np.array([10.0, 7, 0, 0, 0, 1, 1, 0, 0, 0])))
    5.714285714285714
    """
    columns = np.asarray(sums, dtype=np.float64)
    scores, tasks = columns[..., :5], columns[..., 5:]
    there = tasks > 0
    adjusted = np.where(there, (scores / np.where(there, tasks, 1.0) - 5.0) * 2.0, 0.0)
    weights = np.where(there, np.array(list(WEIGHTS.values())), 0.0)
    total = weights.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (adjusted * weights).sum(axis=-1) / total


def _columns(row: Row) -> tuple[float, ...] | None:
    value = row.outcomes.get("score")
    if not isinstance(value, int | float):
        return None
    groups = _groups(row)
    held = [float(group in groups) for group in WEIGHTS]
    return (*(float(value) * one for one in held), *held)


def _groups(row: Row) -> Sequence[str]:
    return str(row.facets["groups"]).split("|")


def _in(group: str) -> Callable[[Row], bool]:
    return lambda row: group in _groups(row)


def _name(group: str) -> str:
    words = group.lower().replace("&", "and").replace("/", " ").split()
    return "mean_score_" + "_".join(words)


METRICS: tuple[Metric, ...] = (
    Metric(
        "wb_score",
        "higher",
        _columns,
        options=(),
        statistic=wb_score,
        range=(-8.0, 10.0),
        unit="score",
        label="WB-Score, weighted over task groups, -8 to 10",
    ),
    judge_wildbench.SCORE,
    *(
        replace(
            judge_wildbench.SCORE,
            name=_name(group),
            where=_in(group),
            by=None,
            label=f"mean score, {group}",
        )
        for group in WEIGHTS
    ),
)

benchmark = Benchmark(
    name="wildbench",
    version="v2-26c49eb",
    title="WildBench: tasks of real users, scored along checklists",
    source=SOURCE,
    samples=samples,
    ways=(
        Way(
            "reply",
            "reply",
            as_asked,
            judge_wildbench.scorer,
            max_output_tokens=MAX_OUTPUT_TOKENS,
        ),
    ),
    metrics=METRICS,
    headlines=(Headline("wb_score", "usefulness", green=3.0, red=0.0),),
    citation=(
        "Lin, Deng, Chandu, Brahman, Ravichander, Pyatkin, Dziri, Le Bras, Choi: WildBench: "
        "Benchmarking LLMs with Challenging Tasks from Real Users in the Wild. ICLR 2025."
    ),
    checked_against="the publisher's formula on hand-worked rows, and scripted judges",
    is_quick=False,
)
