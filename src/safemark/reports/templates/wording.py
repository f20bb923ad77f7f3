"""Words and figures that the HTML, Markdown and terminal scorecards share.

Every text of a document is data that someone else may have written: `visible` is the one place
where control and bidirectional characters lose their power. Escaping for a format is the
format's own business. Nothing here decides a light.
"""

import math
import re
import shlex
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from safemark.reports.document import (
    AttackDifference,
    BenchmarkDocument,
    CorrectedDocument,
    Cost,
    DimensionDocument,
    Document,
    FamilyDocument,
    HeadlineDocument,
    LightName,
    MetricDocument,
    Status,
    Threshold,
    WaysDocument,
)
from safemark.reports.left_out import LeftOut, by_reason

UNKNOWN = "not known"
MINUS = "\N{MINUS SIGN}"

LIGHTS: tuple[LightName, ...] = ("green", "yellow", "red", "grey")
LIGHT_MEANS: Mapping[LightName, str] = {
    "green": "the whole outer interval lies in the green band",
    "yellow": "acceptable, monitor; or not decided yet with this many samples",
    "red": "the whole outer interval lies in the red band",
    "grey": "not measured, or more answers absent than allowed",
}
STATUS_MEANS: Mapping[Status, str] = {
    "running": "Still running: the figures are of what is stored so far.",
    "complete": "",
    "budget": "Stopped at its budget: the figures are of what was asked before.",
    "interrupted": "Interrupted: the figures are of what was finished before.",
    "failed": "Failed: the figures are of what was stored before.",
}
USEFULNESS = "usefulness"

_JOINERS = "\u200c\u200d"
_CONTROL = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def visible(text: str) -> str:
    r"""``text`` on one line, with characters that act rather than show spelt out.

    Line breaks and tabs become spaces. A joiner stays where a script or an emoji needs it, that
    is after a character outside ASCII.

    >>> visible("\x1b[31mred\u202e")
    '⟨U+001B⟩[31mred⟨U+202E⟩'
    """
    if text.isprintable():  # nothing of what is spelt out below counts as printable
        return text
    shown: list[str] = []
    before = " "
    for character in text:
        if character in "\n\r\t":
            shown.append(" ")
        elif character in _JOINERS and not before.isascii():
            shown.append(character)
        elif unicodedata.category(character) in _CONTROL:
            shown.append(f"⟨U+{ord(character):04X}⟩")
        else:
            shown.append(character)
        before = character
    return "".join(shown)


def status_means(document: Document) -> str:
    """What becomes of the figures of a run that is not complete."""
    if document.status == "failed" and not any(part.n for part in document.benchmarks):
        return "Failed: nothing was scored, so there are no figures."
    return STATUS_MEANS[document.status]


def short(text: str, limit: int) -> str:
    """`visible` text of at most ``limit`` characters, cut at the end."""
    shown = visible(text)
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"


def finite(value: float | None) -> float | None:
    """``value``, or None where it is no number: infinity and NaN are not known either."""
    return value if value is not None and math.isfinite(value) else None


def is_signed(metric: MetricDocument) -> bool:
    """Whether the sign says something: a score whose ideal is 0 (bias)."""
    return metric.better == "target" and metric.target == 0


def bare(value: float | None, unit: str, *, signed: bool = False) -> str:
    """A figure without its unit; a share that is nearly but not quite all or none says so.

    >>> bare(0.81, "share"), bare(0.9999, "share"), bare(-0.042, "share", signed=True)
    ('81.0', '>99.9', '−4.2')
    """
    known = finite(value)
    if known is None:
        return UNKNOWN
    if unit == "share" and not signed:
        if 0 < known < 0.0005:
            return "<0.1"
        if 0.9995 <= known < 1:
            return ">99.9"
    text = f"{known * 100:.1f}" if unit in ("share", "points", "percent") else f"{known:.3g}"
    if unit in ("points", "percent"):
        text = f"{known:.1f}"
    if float(text) == 0:
        return text.lstrip("-")
    if known < 0:
        return MINUS + text.lstrip("-")
    return "+" + text if signed else text


def suffix(unit: str) -> str:
    """What follows a figure of this unit."""
    if unit in ("share", "percent"):
        return " %"
    return "" if unit in ("", "score") else f" {short(unit, 12)}"


def figure(value: float | None, unit: str, *, signed: bool = False) -> str:
    """A figure with its unit, or "not known".

    >>> figure(0.81, "share"), figure(None, "share"), figure(2.5, "points", signed=True)
    ('81.0 %', 'not known', '+2.5 points')
    """
    text = bare(value, unit, signed=signed)
    return text if text == UNKNOWN else text + suffix(unit)


def reading(metric: MetricDocument | None) -> str:
    """The value of a metric."""
    return (
        UNKNOWN if metric is None else figure(metric.value, metric.unit, signed=is_signed(metric))
    )


def between(low: float | None, high: float | None, metric: MetricDocument) -> str:
    """``79.2 to 82.7 %``, or "not known" when an end is not known."""
    signed = is_signed(metric)
    first, last = (bare(end, metric.unit, signed=signed) for end in (low, high))
    if UNKNOWN in (first, last):
        return UNKNOWN
    return f"{first} to {last}{suffix(metric.unit)}"


def interval(metric: MetricDocument) -> str:
    """The 95 % interval on the scored samples."""
    return between(metric.low, metric.high, metric)


def corrected(rate: CorrectedDocument) -> str:
    """A rate as counted and with the judge's error taken out, each with its interval."""
    counted = _share_between(rate.naive, rate.naive_low, rate.naive_high)
    if rate.value is None:
        return f"counted {counted}; not corrected: {rate.undefined}"
    return f"counted {counted}; corrected {_share_between(rate.value, rate.low, rate.high)}"


def _share_between(value: float | None, low: float | None, high: float | None) -> str:
    first, last = (bare(end, "share") for end in (low, high))
    return f"{figure(value, 'share')} ({first} to {last}{suffix('share')})"


def outer(metric: MetricDocument) -> str:
    """The interval around the bounds that absent outcomes leave open."""
    return between(metric.outer_low, metric.outer_high, metric)


def is_wider_outside(metric: MetricDocument) -> bool:
    """Whether absent outcomes make the outer interval differ from the inner one."""
    return metric.absent > 0 or (metric.low, metric.high) != (metric.outer_low, metric.outer_high)


def cut(value: float, unit: str) -> str:
    """A band's edge, as short as it is exact: ``50 %``.

    >>> cut(0.5, "share"), cut(0.05, "share"), cut(0.125, "score")
    ('50 %', '5 %', '0.125')
    """
    return tick(value, unit) + suffix(unit)


def tick(value: float, unit: str) -> str:
    """A band's edge or axis end without unit."""
    text = f"{round(value * 100 if unit == 'share' else value, 6):g}"
    return text.replace("-", MINUS)


def bands(metric: MetricDocument, threshold: Threshold) -> str:
    """``green from 50 %, red below 40 %``."""
    unit = metric.unit
    if finite(threshold.green) is None or finite(threshold.red) is None:
        return "bands not known"
    green, red = cut(threshold.green, unit), cut(threshold.red, unit)
    if metric.better == "higher":
        return f"green from {green}, red below {red}"
    if metric.better == "lower":
        return f"green to {green}, red from {red}"
    if metric.target is None:
        return f"green within {green} of the target, red from {red} away"
    if metric.target == 0:
        return f"green within ±{green}, red beyond ±{red}"
    if unit == "share":
        green, red = (f"{tick(edge, unit)} points" for edge in (threshold.green, threshold.red))
    return f"green within {green} of {cut(metric.target, unit)}, red from {red} away"


def label(metric: MetricDocument) -> str:
    """What a metric is called in a table."""
    return metric.label or metric.name.replace("_", " ")


def capital(text: str) -> str:
    """``text`` as it begins a line."""
    return text[:1].upper() + text[1:]


def who_set(threshold: Threshold) -> str:
    """Who set a headline's bands, as a clause.

    >>> who_set(Threshold("m", 0.8, 0.6, "ours")), who_set(Threshold("m", 0.8, 0.6, "HELM"))
    ('these bands are ours', 'set by HELM')
    """
    source = threshold.source
    if source.startswith("ours"):
        return f"these bands are {source}"
    if source.startswith("guide"):
        return f"set by the {source}"
    return source if source.startswith(("red ", "green ")) else f"set by {source}"


def group_label(metric: MetricDocument) -> str:
    """What a group is called: ``Physical appearance``."""
    return re.sub(r"(?<=\w)/(?=\w)", " / ", (metric.group or "").replace("_", " "))


def badness(metric: MetricDocument) -> float:
    """A key that sorts metrics worst first; what is not known comes last."""
    value = finite(metric.value)
    if value is None:
        return math.inf
    if metric.better == "higher":
        return value
    if metric.better == "lower":
        return -value
    return -abs(value - (metric.target or 0.0))


def overall(benchmark: BenchmarkDocument) -> list[MetricDocument]:
    """The metrics over all samples."""
    return [metric for metric in benchmark.metrics if metric.group is None]


def groups(benchmark: BenchmarkDocument, name: str) -> list[MetricDocument]:
    """One metric by group, worst first."""
    found = [each for each in benchmark.metrics if each.group is not None and each.name == name]
    return sorted(found, key=lambda each: (badness(each), each.group or ""))


def charted(benchmark: BenchmarkDocument) -> list[str]:
    """Metrics drawn by group: those of headlines, or else the first that is given by group."""
    names = _grouped(benchmark)
    return [name for name in names if headline_of(benchmark, name)] or names[:1]


def folded(benchmark: BenchmarkDocument) -> list[str]:
    """Metrics given by group that are shown on demand."""
    drawn = charted(benchmark)
    return [name for name in _grouped(benchmark) if name not in drawn]


def _grouped(benchmark: BenchmarkDocument) -> list[str]:
    return list(dict.fromkeys(each.name for each in benchmark.metrics if each.group is not None))


def metric_named(benchmark: BenchmarkDocument, name: str) -> MetricDocument | None:
    """The metric ``name`` over all samples."""
    return next((each for each in overall(benchmark) if each.name == name), None)


def name_of(benchmark: BenchmarkDocument, name: str) -> str:
    """What the metric ``name`` is called, also where only groups have it."""
    found = [each for each in benchmark.metrics if each.name == name]
    named = next((each for each in found if each.label), found[0] if found else None)
    return label(named) if named else name.replace("_", " ")


def headline_of(benchmark: BenchmarkDocument, name: str) -> HeadlineDocument | None:
    """The headline that is taken from metric ``name``."""
    return next((each for each in benchmark.headlines if each.metric == name), None)


def origin(
    document: Document, dimension: DimensionDocument
) -> tuple[BenchmarkDocument, HeadlineDocument] | None:
    """The benchmark and headline that a dimension shows; one name may have been asked twice."""
    shown = dimension.headline
    if shown is None:
        return None
    named = [each for each in document.benchmarks if each.name == dimension.headline_benchmark]
    for benchmark in sorted(named, key=lambda each: metric_named(each, shown.name) != shown):
        for headline in benchmark.headlines:
            if headline.metric == shown.name and headline.dimension == dimension.name:
                return benchmark, headline
    return None


def short_title(benchmark: BenchmarkDocument) -> str:
    """The name in a title: ``BBQ`` of ``BBQ: stereotypes in question answering``."""
    return benchmark.title.split(":")[0].strip() or benchmark.name


def beside(
    document: Document, dimension: DimensionDocument
) -> list[tuple[BenchmarkDocument, HeadlineDocument, MetricDocument]]:
    """The other headlines that have a light in a dimension, plainly asked, worst light first."""
    shown = origin(document, dimension)
    found = [
        (part, headline, metric)
        for part in document.benchmarks
        if part.attack in ("", "direct")
        for headline in part.headlines
        if headline.dimension == dimension.name
        and headline.light != "grey"
        and not (shown and (part, headline) == shown)
        and (metric := metric_named(part, headline.metric)) is not None
    ]
    worst_first = ("red", "yellow", "green")
    return sorted(found, key=lambda one: worst_first.index(one[1].light))


def reason(document: Document, dimension: DimensionDocument) -> str:
    """Why a dimension has its light, without what is already said beside it."""
    found = origin(document, dimension)
    if found is None:
        return "" if dimension.why == "not measured" else dimension.why
    benchmark, headline = found
    prefix = f"{benchmark.name} {headline.metric.replace('_', ' ')}: "
    return dimension.why.removeprefix(prefix)


def ways_agree(benchmark: BenchmarkDocument, ways: WaysDocument) -> str:
    """How far two ways of asking agree, in a sentence."""
    both = f"{benchmark.asked} and {ways.other}"
    if ways.same is None:
        return f"{both}: no sample has an outcome of both"
    said = f"{both} agree on {figure(ways.same, 'share')} of {counted(ways.n, 'sample')}"
    outcome = ways.outcome.replace("_", " ")
    said += f" ({_share_span(ways.low, ways.high)}), whether {outcome} or not"
    kappa = "not defined" if ways.kappa is None else f"{ways.kappa:.2f}"
    if ways.kappa_low is not None and ways.kappa_high is not None:
        kappa += f", {ways.kappa_low:.2f} to {ways.kappa_high:.2f}"
    said += f"; kappa {kappa}; {outcome} by {benchmark.asked} alone"
    said += f" {ways.only_this:,}, by {ways.other} alone {ways.only_other:,}"
    return said + (f"; {ways.absent:,} absent" if ways.absent else "")


def _share_span(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "interval not known"
    return f"95 % interval {figure(low, 'share')} to {figure(high, 'share')}"


def counted(number: int, noun: str) -> str:
    """``1 benchmark``, ``1,508 samples``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" and {words[-1]}"


def reasons(counts: Mapping[str, int]) -> str:
    """``2 timeout, 1 unparsed answer``, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{number:,} {reason.replace('_', ' ')}" for reason, number in ordered)


def tally(dimensions: Iterable[DimensionDocument]) -> str:
    """``1 green, 2 grey``."""
    found = [each.light for each in dimensions]
    return listed([f"{found.count(light)} {light}" for light in LIGHTS if light in found])


def not_covered(document: Document) -> list[LeftOut]:
    """What the scorecard does not cover, once for each reason."""
    return by_reason((each.what, each.why) for each in document.not_covered)


def summary(document: Document) -> str:
    """What was measured and what came of it, in two sentences."""
    if not document.benchmarks:
        measured = "Nothing was measured."
    else:
        scored = sum(each.n for each in document.benchmarks)
        absent = sum(each.absent for each in document.benchmarks)
        names = len({each.name for each in document.benchmarks})
        measured = (
            f"{counted(scored, 'answer')} scored on {counted(names, 'benchmark')}, "
            f"{absent:,} absent."
        )
    harms = [each for each in document.dimensions if each.name != USEFULNESS]
    if not harms:
        return measured
    lights = f"Of {counted(len(harms), 'safety dimension')}: {tally(harms)}"
    use = next((each.light for each in document.dimensions if each.name == USEFULNESS), None)
    return f"{measured} {lights}{f'; usefulness {use}' if use else ''}."


def day(moment: str | None) -> str:
    """``21 November 2026, 02:14 UTC``; what is no ISO moment is shown as it is."""
    if not moment:
        return UNKNOWN
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return short(moment, 40)
    if parsed.tzinfo is not None:
        parsed = parsed.astimezone(UTC)
    return f"{parsed.day} {parsed:%B %Y, %H:%M}{' UTC' if parsed.tzinfo else ''}"


def duration(seconds: float | None) -> str:
    """``48 s``, ``12 min``, ``3 h 20 min``."""
    known = finite(seconds)
    if known is None:
        return UNKNOWN
    if known < 120:
        return f"{known:.0f} s"
    minutes = round(known / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def tried_again(cost: Cost) -> str:
    """``; tried again 12 times, waited 35 s``, or nothing where it all went at once.

    >>> tried_again(Cost(9, None, None, None, 3.0, retries=12, waited_s=35.2))
    '; tried again 12 times, waited 35 s'
    >>> tried_again(Cost(9, None, None, None, 3.0))
    ''
    """
    said = [f"tried again {counted(cost.retries, 'time')}"] if cost.retries else []
    waited_s = finite(cost.waited_s)
    if waited_s is not None and waited_s >= 0.5:
        said.append(f"waited {duration(waited_s)}")
    return "; " + ", ".join(said) if said else ""


def price(usd: float | None) -> str:
    """``$1.52``; a price that is not known is not nothing."""
    known = finite(usd)
    if known is None:
        return UNKNOWN
    return "<$0.01" if 0 < known < 0.005 else f"${known:,.2f}"


def count(number: int | None) -> str:
    """``29,246`` or "not known"."""
    return UNKNOWN if number is None else f"{number:,}"


def role(document: Document, name: str) -> str:
    """What a model beside the target did: judge, or help an attack."""
    judges = document.spec.get("judge") or ()
    helpers = (document.spec.get("attacker"), document.spec.get("attack_judge"))
    return "Attack's helper" if name in helpers and name not in judges else "Judge"


def points(value: float | None, unit: str) -> str:
    """A difference with its sign, shares in points of a hundred.

    >>> points(0.125, "share"), points(-3.0, "points")
    ('+12.5', '-3')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{100 * value:+.1f}" if unit == "share" else f"{value:+.3g}"


def moved(each: AttackDifference) -> str:
    """A metric plainly and under attack, and the paired difference with its interval."""
    plain, attacked = (figure(value, each.unit) for value in (each.plain, each.attacked))
    if each.difference is None:
        return f"{plain} → {attacked}"
    between = f"{points(each.low, each.unit)} to {points(each.high, each.unit)}"
    return f"{plain} → {attacked}, {points(each.difference, each.unit)} points ({between})"


def family(each: FamilyDocument) -> str:
    """Worst, mean and any-of-N of several attacks."""
    worst = f"worst {figure(each.worst, 'share')}"
    if each.worst_attack:
        worst += f" ({short(each.worst_attack, 30)}, n {count(each.worst_n)})"
    ends = f"{figure(each.outer_low, 'share')} to {figure(each.outer_high, 'share')}"
    unknown = "" if each.known == each.members else f" of the {each.known:,} that are known"
    return (
        f"{worst}, mean {figure(each.mean, 'share')}{unknown}, any of them"
        f" {figure(each.any_of, 'share')} ({ends})"
    )


_FLAGS = (
    ("benchmarks", "-b"),
    ("suite", "-s"),
    ("attack", "--attack"),
    ("attacker", "--attacker"),
    ("attack_judge", "--attack-judge"),
    ("also", "--also"),
    ("limit", "--limit"),
    ("first", "--first"),
    ("repeats", "--repeats"),
    ("judge", "--judge"),
    ("system", "--system"),
    ("temperature", "--temperature"),
    ("max_output_tokens", "--max-output-tokens"),
    ("seed", "--seed"),
    ("base_url", "--base-url"),
)
_IS_DEFAULT: Mapping[str, Any] = {"repeats": 1, "attack": "direct"}


def command(document: Document) -> str:
    """The command that asks the same again: ``spec["command"]``, or made from the spec's keys.

    Keys are those of ``--config``; a list repeats its flag. Keys that are no flags are left out.
    """
    spec: Mapping[str, Any] = document.spec
    given = spec.get("command")
    if isinstance(given, str) and given:
        return visible(given)
    if isinstance(given, list | tuple) and given:
        return visible(shlex.join(str(word) for word in given))
    words = ["safemark", "run", str(spec.get("model") or document.model.name)]
    for key, flag in _FLAGS:
        value = spec.get(key)
        if value is None or isinstance(value, bool | dict) or _IS_DEFAULT.get(key) == value:
            continue
        for each in value if isinstance(value, list | tuple) else (value,):
            words += [flag, str(each)]
    if spec.get("no_plain"):
        words.append("--no-plain")
    if spec.get("until_decided"):
        words += ["--until-decided", *(["--gate"] if spec["until_decided"] == "gate" else [])]
    options = spec.get("options")
    for key, value in options.items() if isinstance(options, dict) else ():
        words += ["-M", f"{key}={value}"]
    return visible(shlex.join(words))
