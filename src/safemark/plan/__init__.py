"""What a run will ask: which benchmarks, in which way, and which of their samples.

Selecting is seeded and knows nothing of answers. The same benchmark, seed and number always give
the same samples, whatever else the run does.
"""

from safemark.plan.drawing import stratified
from safemark.plan.planning import plan
from safemark.plan.request import SUITES, USUAL, Request, check_names
from safemark.plan.suite import QUICK_REQUESTS
from safemark.plan.task import Gap, Plan, Task

__all__ = [
    "QUICK_REQUESTS",
    "SUITES",
    "USUAL",
    "Gap",
    "Plan",
    "Request",
    "Task",
    "check_names",
    "plan",
    "stratified",
]
