"""Does the reply hold a text: what was expected, or what the scorer is told to look for.

    safemark score FILE --with contains               the row's own `expected`
    safemark score FILE --with "contains:Paris"       a text; letters' case and spaces do not count
    safemark score FILE --with "contains:yes|yeah"    any of several
    safemark score FILE --with "contains:/\\d{4}/"     a regular expression

It says that the words stand there, not that the reply means them: "not Paris" contains Paris.

Checked against: hand-made rows in ``tests/scorers/test_expected.py``.
"""

import re
from collections.abc import Callable
from hashlib import sha256

from safemark.benchmarks._benchmark import Metric, Scorer, share
from safemark.errors import UsageError
from safemark.scorers._reply import expected_text, of_reply
from safemark.types import Reason, Reply, Sample, Score

_METRICS = (
    Metric("contains_rate", "higher", share("contains"), label="holds what was looked for"),
)
_TRUST = "exact: it says that the words stand there, not that the reply means them"


def holds(text: str, wanted: str) -> bool:
    """Whether ``wanted`` stands in ``text`` as whole words, case and spaces apart.

    >>> holds("It is  PARIS.", "paris"), holds("comparison", "paris")
    (True, False)
    """
    words = r"\s+".join(re.escape(word) for word in wanted.casefold().split())
    return bool(words) and bool(re.search(rf"(?<!\w){words}(?!\w)", text.casefold()))


def _expected(sample: Sample, reply: Reply) -> Score:
    wanted = expected_text(sample)
    if wanted is None:
        why = "nothing is expected of this sample: give the scorer a text, contains:TEXT"
        return Score({}, Reason.UNSUPPORTED, why)
    return _said(holds(reply.text, wanted), wanted)


def _said(is_there: bool, wanted: str) -> Score:
    why = f"{'holds' if is_there else 'does not hold'} {wanted[:80]!r}"
    return Score({"contains": is_there}, why=why)


def _looking(wanted: str) -> Callable[[Sample, Reply], Score]:
    if len(wanted) > 2 and wanted.startswith("/") and wanted.endswith("/"):
        try:
            pattern = re.compile(wanted[1:-1])
        except re.error as error:
            raise UsageError(
                f"`{wanted}` is no regular expression: {error}", "contains:TEXT looks for a text"
            ) from error
        return lambda _sample, reply: _said(bool(pattern.search(reply.text)), wanted)
    options = [option.strip() for option in wanted.split("|") if option.strip()]
    if not options:
        raise UsageError("`contains:` is told nothing to look for", "contains:TEXT")
    return lambda _sample, reply: _said(
        any(holds(reply.text, option) for option in options), wanted
    )


def _for(wanted: str) -> Scorer:
    """The scorer that looks for ``wanted``.

    Raises:
        UsageError: there is nothing in it to look for.
    """
    version = f"1 {sha256(wanted.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
    return Scorer("contains", version, of_reply(_looking(wanted)), metrics=_METRICS, trust=_TRUST)


scorer = Scorer(
    name="contains",
    version="1",
    score=of_reply(_expected),
    metrics=_METRICS,
    with_argument=_for,
    trust=_TRUST,
)
