"""What can go wrong, and who can mend it.

    SafemarkError            one sentence and a hint; the command line prints both
    ├── UsageError           the command, a flag or a config key is wrong          exit 2
    │   └── UnknownName      no benchmark, model, scorer … of that name            exit 2
    ├── DataError            a dataset is missing, partial beyond use, or altered  exit 3
    │   └── NotInstalled     it is there, but what reads it is not installed       exit 3
    ├── StoreError           the evidence could not be written or read             exit 4
    └── CallFailed           one request gave no reply; becomes an absent outcome

A failed request is data, not a crash: models raise `CallFailed` with a `Reason`, and the loop
turns it, and any other exception, into an absent outcome that says so.
"""

import difflib
from collections.abc import Collection

from safemark.types import Reason


class SafemarkError(Exception):
    """Something a person can mend: what is wrong in one sentence, and what to do next."""

    exit_code = 4

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint


class UsageError(SafemarkError):
    """A command, flag or config key that cannot be followed."""

    exit_code = 2


class UnknownName(UsageError):
    """A benchmark, attack, scorer, provider, suite, flag or key that does not exist."""

    def __init__(self, kind: str, name: str, known: Collection[str], listing: str = "") -> None:
        near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
        if near:
            hint = f"did you mean `{near[0]}`?"
        elif not known:
            hint = f"there is no {kind} at all"
        elif listing:
            hint = f"`{listing}` shows all {len(known)}"
        else:
            hint = "known: " + ", ".join(sorted(known))
        super().__init__(f"no {kind} called `{name}`", hint)


class DataError(SafemarkError):
    """A dataset that is missing, truncated or not the one that was pinned."""

    exit_code = 3


class NotInstalled(DataError):
    """A dataset that is here and cannot be read, as an optional package is missing."""


class StoreError(SafemarkError):
    """Evidence that could not be written or read; what was stored before stays."""

    exit_code = 4


class CallFailed(SafemarkError):
    """One request that gave no reply; what looks like a key in what is said of it is hidden.

    ``retry_after_s`` is what the server asked for, in seconds; ``retries`` how often it was
    tried again before giving up; ``status`` the HTTP status, where there is one. ``ending``, a
    run's status and why, says that asking on is of no use.
    """

    status: int | None = None
    ending: tuple[str, str] | None = None

    def __init__(
        self,
        reason: Reason,
        why: str,
        hint: str = "",
        *,
        retry_after_s: float | None = None,
        retries: int = 0,
    ) -> None:
        from safemark.secrets import masked

        super().__init__(masked(why), masked(hint))
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.retries = retries
