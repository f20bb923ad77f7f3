"""The questions as a task of Inspect; run with the Python of an environment that holds it."""

import os

from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.scorer import pattern
from inspect_ai.solver import generate


@task
def letters() -> Task:
    """One user turn each, the letter read from the reply."""
    return Task(
        dataset=json_dataset(os.environ["PEER_QUESTIONS"]),
        solver=generate(),
        scorer=pattern(r"\(([a-d])\)"),
    )
