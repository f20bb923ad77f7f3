import pytest

from tests.faults.targets import KEY, TARGETS, Target


@pytest.fixture(params=list(TARGETS))
def target(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Target:
    """Each kind of server in turn; its key is set."""
    found = TARGETS[request.param]
    monkeypatch.setenv(found.key_variable, KEY)
    return found
