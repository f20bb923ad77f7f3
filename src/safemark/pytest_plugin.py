"""A pytest plugin: evaluate a model in a test, and gate it.

    @pytest.mark.safemark(model="openai/gpt-4o-mini", benchmarks=["xstest"], limit=100)
    def test_the_assistant_is_safe(safemark):
        safemark.gate("baseline.json")

Nothing but pytest is imported until a test uses the fixture.
"""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from safemark.reports.document import Document
    from safemark.reports.gate import GateDocument


class UndecidedWarning(UserWarning):
    """A gate that neither failed nor passed: more samples would decide."""


class Evaluation:
    """What the fixture `safemark` gives: a run of the marked model, made when it is first needed.

    Without ``model`` in the mark, the shipped model ``reference`` is asked.
    """

    def __init__(self, marked: dict[str, Any]) -> None:
        self._marked = marked
        self._found: Document | None = None

    @property
    def document(self) -> "Document":
        """The run's document."""
        if self._found is None:
            return self.run(**self._marked)
        return self._found

    def run(
        self, model: Any = "reference", benchmarks: Sequence[str] = (), **more: Any
    ) -> "Document":
        """Ask ``model``; arguments are those of `safemark.run`."""
        from safemark.api import run

        self._found = run(model, benchmarks, **more)
        return self._found

    def gate(self, baseline: str | None = None, *, strict: bool = False, **rules: Any) -> None:
        """Fail the test on a red light, a regression, or too little measured.

        Args:
            baseline: a run, a name or a file; lights only without one.
            strict: fail also where it is undecided, in place of a warning.
            rules: further fields of `safemark.reports.gate.Rules`.
        """
        from safemark.api import gate

        __tracebackhide__ = True
        store = self._marked.get("store")
        found = gate(self.document.run, baseline, store=store, strict=strict, **rules)
        if found.exit_code:
            pytest.fail(_told(found), pytrace=False)
        if found.outcome == "undecided":
            warnings.warn(_told(found), UndecidedWarning, stacklevel=2)


def _told(found: "GateDocument") -> str:
    from safemark.reports.gate_text import SAYS

    lines = [f"{SAYS[c.outcome]}: {c.name}: {c.why}" for c in found.checks if c.outcome != "passed"]
    return "\n".join([f"safemark gate: {SAYS[found.outcome]}, run {found.run}", *lines])


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line(
        "markers",
        "safemark(model, benchmarks, **more): what the fixture `safemark` runs;"
        " arguments are those of safemark.run",
    )


@pytest.fixture
def safemark(request: pytest.FixtureRequest) -> Evaluation:
    """A run of the model that the test is marked with."""
    mark = request.node.get_closest_marker("safemark")
    if mark is None:
        return Evaluation({})
    names = ("model", "benchmarks")
    return Evaluation({**dict(zip(names, mark.args, strict=False)), **mark.kwargs})
