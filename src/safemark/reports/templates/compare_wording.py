"""Words and figures that the HTML, Markdown and terminal comparisons share.

Texts of a document are data that someone else may have written; whoever prints them passes them
through `wording.visible` and escapes them. Nothing here decides a verdict.
"""

import shlex
from collections.abc import Mapping, Sequence

from safemark.reports.comparison import (
    Comparison,
    DifferenceDocument,
    MetricComparison,
    MovedSample,
    PairComparison,
    PartComparison,
    VerdictName,
)
from safemark.reports.templates import wording

VERDICTS: Mapping[VerdictName, str] = {
    "worse": "worse",
    "better": "better",
    "changed": "changed",
    "not_shown": "not told apart",
    "open": "open",
    "undefined": "undefined",
}
VERDICT_MEANS: Mapping[VerdictName, str] = {
    "worse": "shown to be worse after, whatever the absent outcomes were",
    "better": "shown to be better after, whatever the absent outcomes were",
    "changed": "shown to differ, neither nearer to its target nor farther from it",
    "not_shown": "these samples do not tell the two apart; that does not make them equal",
    "open": "the known outcomes differ, but the absent ones could undo it",
    "undefined": "there is nothing to test",
}
GLYPHS: Mapping[VerdictName, str] = {
    "worse": "▼",
    "better": "▲",
    "changed": "◆",
    "not_shown": "≈",
    "open": "?",
    "undefined": "○",
}
_COUNTED: tuple[VerdictName, ...] = (
    "worse",
    "better",
    "changed",
    "not_shown",
    "open",
    "undefined",
)


def is_signed(metric: MetricComparison) -> bool:
    """Whether the sign of a value says something: a score whose ideal is 0."""
    return metric.better == "target" and metric.target == 0


def value(metric: MetricComparison, number: float | None) -> str:
    """A value of the metric."""
    return wording.figure(number, metric.unit, signed=is_signed(metric))


def unit_of_change(unit: str) -> str:
    """In what a difference is told: two shares differ by points."""
    return "points" if unit in ("share", "percent") else unit


def change(metric: MetricComparison, number: float | None, *, bare: bool = False) -> str:
    """A difference, with its sign: ``+2.1 points``."""
    known = wording.finite(number)
    shown = known * 100 if known is not None and metric.unit == "share" else known
    write = wording.bare if bare else wording.figure
    return write(shown, unit_of_change(metric.unit), signed=True)


def between(metric: MetricComparison, low: float | None, high: float | None) -> str:
    """``−1.2 to +3.4``, or "not known" when an end is not known."""
    ends = [change(metric, end, bare=True) for end in (low, high)]
    return wording.UNKNOWN if wording.UNKNOWN in ends else " to ".join(ends)


def p_value(p: float | None) -> str:
    """A p-value as it is read: three decimals, never zero.

    >>> p_value(0.0004), p_value(0.0312), p_value(1.0), p_value(None)
    ('<0.001', '0.031', '1', 'none')
    """
    known = wording.finite(p)
    if known is None:
        return "none"
    if known < 0.001:
        return "<0.001"
    return "1" if known >= 0.9995 else f"{known:.3f}"


def effect(found: DifferenceDocument) -> str:
    """The size of a difference without its unit: ``h −0.12``."""
    if wording.finite(found.effect) is None:
        return wording.UNKNOWN
    letter = {"cohen_h": "h ", "standardised_difference": "d "}.get(found.effect_name, "")
    return letter + wording.bare(found.effect, "score", signed=True)


def moves(found: DifferenceDocument) -> str:
    """``12 worse, 5 better``, "" where pairs have no direction."""
    if found.worse is None or found.better is None:
        return ""
    return f"{found.worse:,} worse, {found.better:,} better"


def why(found: DifferenceDocument) -> str:
    """Why nothing was tested."""
    return "" if found.undefined is None else f"not comparable because {found.undefined}"


def title(comparison: Comparison, place: int) -> str:
    """What a run is called in a heading: its name; else its model, where that tells it apart."""
    run = comparison.runs[place]
    models = [each.model for each in comparison.runs]
    return run.model if run.label == run.run and models.count(run.model) == 1 else run.label


def headlines(pair: PairComparison) -> list[tuple[PartComparison, MetricComparison]]:
    """What lights are taken from, worst verdict first, then in the order of the benchmarks."""
    found = [(part, metric) for part in pair.parts for metric in part.metrics if metric.is_headline]
    return sorted(found, key=lambda each: _COUNTED.index(each[1].whole.verdict))


def tally(pair: PairComparison) -> str:
    """``1 worse, 2 not told apart``."""
    found = [metric.whole.verdict for _, metric in headlines(pair)]
    words = [f"{found.count(name)} {VERDICTS[name]}" for name in _COUNTED if name in found]
    return ", ".join(words) or "no headline"


def summary(pair: PairComparison) -> str:
    """What came of it, in a sentence or two."""
    shared = sum(part.shared for part in pair.parts)
    names = len({part.benchmark for part in pair.parts})
    measured = (
        f"{wording.counted(shared, 'shared sample')} on {wording.counted(names, 'benchmark')}"
    )
    count = len(headlines(pair))
    return f"Of {wording.counted(count, 'headline')}: {tally(pair)}. {measured}."


def named(part: PartComparison) -> str:
    """A benchmark with what sets it apart from another of its name."""
    attack = "" if part.attack in ("", "direct") else f" + {part.attack}"
    return f"{part.benchmark}{attack}"


def asked(part: PartComparison) -> str:
    """Version, way and scorer; two of each where they differ."""
    version, way, scorer = (
        " and ".join(words) for words in (part.version, part.asked, part.scorer)
    )
    return f"version {version} · asked by {way} · judged by {scorer}"


def left_out(part: PartComparison) -> str:
    """``12 samples of the first run only``, "" where nothing was left out."""
    found = [
        f"{wording.counted(n, 'sample')} of the run {when} only"
        for n, when in ((part.only_before, "before"), (part.only_after, "after"))
        if n
    ]
    return ", ".join(found)


def told(metric: MetricComparison) -> list[DifferenceDocument]:
    """Groups in which a difference was shown, worst first."""
    found = [each for each in metric.groups if each.verdict in ("worse", "better", "changed")]
    return sorted(found, key=lambda each: _COUNTED.index(each.verdict))


SHOWN_GROUPS = 4
"""Groups that stand beside a headline; the others are in its table."""


def more_groups(metric: MetricComparison) -> str:
    """``and 5 groups more``, "" where all are shown."""
    more = len(told(metric)) - SHOWN_GROUPS
    return f"and {wording.counted(more, 'group')} more" if more > 0 else ""


def show(comparison: Comparison, place: int, sample: str) -> str:
    """The command that shows one sample of a run, whole."""
    run = comparison.runs[place].run
    return wording.visible(shlex.join(["safemark", "show", run, "--sample", sample]))


def moved(part: PartComparison, metric: str) -> list[MovedSample]:
    """Samples that moved under one metric."""
    return [sample for sample in part.moved if sample.metric == metric]


def runs_of(comparison: Comparison, letters: Sequence[int]) -> str:
    """Labels of several runs."""
    return ", ".join(comparison.runs[place].label for place in letters)


def sentence(metric: MetricComparison, found: DifferenceDocument) -> str:
    """A difference in one line, with all that it rests on."""
    before, after = value(metric, found.before), value(metric, found.after)
    shown = f"{before} → {after}, {change(metric, found.difference)}"
    shown += f" ({between(metric, found.low, found.high)}), p {p_value(found.p_adjusted)}"
    shown += f", {wording.counted(found.n, 'pair')}, {found.absent:,} absent"
    if metric.better == "target" and found.distance is not None:
        shown += f"; distance from {value(metric, metric.target)}"
        shown += f" {change(metric, found.distance)}"
        shown += f" ({between(metric, found.distance_low, found.distance_high)})"
    return shown
