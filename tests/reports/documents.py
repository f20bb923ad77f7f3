"""Documents to render: what a run gives, and what nobody hopes that it gives.

Intervals are made up but ordered; nothing here is a measurement.
"""

import math
from typing import Any

import msgspec

from safemark.reports.document import (
    BenchmarkDocument,
    Cost,
    DimensionDocument,
    Document,
    HeadlineDocument,
    LightName,
    MetricDocument,
    ModelDocument,
    NotCovered,
    Threshold,
)

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; onload='alert(1)",
    "\x1b[31mred\x1b[0m\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
    "safe \u202egnihtemos esrever\u202c \u2066isolated\u2069",
    "[red]markup[/red] [link=https://evil.example]here[/link] :boom:",
    "| cell | [here](javascript:alert(1)) ![x](https://evil.example/x.png) `code` **bold**",
    "@team #1 https://evil.example www.evil.example a@evil.example <https://evil.example>",
    "{{ 4321 * 3 }} {% raw %} ${4321*3} &lt;b&gt;",
    "a\nb\r\nc\td\x00\x08\x7f\x9b1m\ufeff\u200b\u2028\ud800",
    "🧑‍🔬🇨🇭 z̴͝a̷͠l̶ǵ̷o 日本語の長い名前 עברית العربية",
    "LongNameWithoutAnyBreak" * 20,
)

BBQ_GROUPS = (
    ("Age", 3680, 0.081, 0.121),
    ("Disability_status", 1556, 0.064, 0.048),
    ("Gender_identity", 5672, 0.031, 0.022),
    ("Nationality", 3080, 0.025, 0.039),
    ("Physical_appearance", 1576, 0.072, 0.088),
    ("Race_ethnicity", 6880, 0.004, 0.011),
    ("Race_x_SES", 11160, 0.006, -0.014),
    ("Race_x_gender", 15960, 0.002, 0.008),
    ("Religion", 1200, 0.039, 0.066),
    ("SES", 6864, 0.043, 0.071),
    ("Sexual_orientation", 864, -0.007, 0.015),
    ("Gender_identity (names)", 2836, 0.009, 0.018),
    ("Race_ethnicity (names)", 5160, -0.003, 0.004),
)
TRUTH_GROUPS = (
    "Misconceptions",
    "Law",
    "Health",
    "Sociology",
    "Economics",
    "Fiction",
    "Paranormal",
    "Conspiracies",
    "Stereotypes",
    "History",
    "Advertising",
    "Confusion: People",
    "Proverbs",
    "Nutrition",
    "Superstitions",
    "Psychology",
)


def metric(
    name: str,
    value: float | None,
    half: float,
    n: int,
    absent: int = 0,
    *,
    group: str | None = None,
    label: str = "",
    better: str = "higher",
    target: float | None = None,
    unit: str = "share",
    method: str = "wilson",
    floor: float = 0.0,
) -> MetricDocument:
    """A metric whose interval reaches ``half`` to each side and whose bounds follow ``absent``."""

    def held(figure: float) -> float:
        return min(1.0, max(floor, figure))

    known = value is not None
    at = value if value is not None else 0.0
    slack = absent / (n + absent) if n + absent else 0.0
    return MetricDocument(
        name=name,
        label=label,
        group=group,
        value=value,
        low=held(at - half) if known else None,
        high=held(at + half) if known else None,
        n=n,
        absent=absent,
        worst=held(at - slack) if known else None,
        best=held(at + slack) if known else None,
        outer_low=held(at - half - slack) if known else None,
        outer_high=held(at + half + slack) if known else None,
        better=better,  # type: ignore[arg-type]
        target=target,
        unit=unit,
        method=method,
    )


def _benchmark(
    name: str,
    title: str,
    metrics: list[MetricDocument],
    headlines: list[HeadlineDocument],
    **fields: Any,
) -> BenchmarkDocument:
    first = headlines[0]
    whole = next(each for each in metrics if each.name == first.metric)
    given: dict[str, Any] = {
        "version": "1",
        "asked": "letters",
        "attack": "direct",
        "n": whole.n,
        "absent": whole.absent,
        "absent_reasons": {"unparsed_answer": whole.absent} if whole.absent else {},
        "partial": None,
        "scorer": "choice 1",
        "samples_in_benchmark": whole.n + whole.absent,
        "selection": "all",
        "citation": "",
        "licence": "CC-BY-4.0",
        "revision": "bea11bd97d7967fb94da4a7ba3c24a3f7b5a1c2d",
        "digests": {},
        "notes": [],
    }
    return BenchmarkDocument(
        name=name,
        title=title,
        light=first.light,
        why=first.why,
        headline=first.metric,
        metrics=metrics,
        threshold=first.threshold,
        headlines=headlines,
        **(given | fields),
    )


def _headline(
    dimension: str,
    name: str,
    light: LightName,
    why: str,
    green: float,
    red: float,
    source: str = "ours",
    required: bool = False,
) -> HeadlineDocument:
    threshold = Threshold(name, green, red, source)
    return HeadlineDocument(dimension, name, light, why, threshold, required)


def bbq() -> BenchmarkDocument:
    """Eleven categories, six of them held, and the name-based items apart."""
    bias: dict[str, Any] = {
        "better": "target",
        "target": 0.0,
        "floor": -1.0,
        "method": "clustered bootstrap",
    }
    metrics = [
        metric(
            "bias_score_ambiguous",
            0.031,
            0.009,
            29243,
            3,
            label="bias score, ambiguous contexts (s_AMB)",
            **bias,
        ),
        metric(
            "bias_score_disambiguated",
            0.082,
            0.014,
            29241,
            5,
            label="bias score, disambiguated contexts (s_DIS)",
            **bias,
        ),
        metric("accuracy_ambiguous", 0.912, 0.004, 29243, 3, label="accuracy, ambiguous"),
        metric("accuracy_disambiguated", 0.874, 0.005, 29241, 5, label="accuracy, clear"),
        metric("unknown_rate_disambiguated", None, 0.0, 0, 0, label="unknown chosen, clear"),
    ]
    for group, n, ambiguous, clear in BBQ_GROUPS:
        half = 0.9 / math.sqrt(n / 2)
        metrics += [
            metric("bias_score_ambiguous", ambiguous, half, n // 2, 1, group=group, **bias),
            metric("bias_score_disambiguated", clear, 1.6 * half, n // 2, 0, group=group, **bias),
            metric("accuracy_ambiguous", 0.95 - ambiguous, half, n // 2, 1, group=group),
        ]
    return _benchmark(
        "bbq",
        "BBQ: stereotypes in question answering",
        metrics,
        [
            _headline(
                "bias",
                "bias_score_ambiguous",
                "green",
                "the whole interval is within 5 % of 0 %",
                0.05,
                0.10,
            ),
            _headline(
                "bias",
                "bias_score_disambiguated",
                "yellow",
                "between the bands: acceptable, monitor",
                0.05,
                0.10,
            ),
        ],
        version="bea11bd",
        n=58484,
        absent=8,
        absent_reasons={"unparsed_answer": 6, "timeout": 2},
        samples_in_benchmark=58492,
        selection="all",
        citation="Parrish et al. 2022, BBQ: A Hand-Built Bias Benchmark for Question Answering, "
        "https://aclanthology.org/2022.findings-acl.165",
        digests={
            f"data/{name}.jsonl": f"{index:040x}"
            for index, (name, *_) in enumerate(BBQ_GROUPS[:11], 7)
        },
        notes=[
            "Items written with proper names are given apart, as upstream does.",
            "16 rows have no target upstream and are left out of the bias scores.",
        ],
    )


def crows_pairs() -> BenchmarkDocument:
    """A target that is not 0, and too few of the samples."""
    return _benchmark(
        "crows_pairs",
        "CrowS-Pairs: stereotyping sentences and their likelihood",
        [
            metric(
                "stereotype_preferred",
                0.571,
                0.025,
                1508,
                label="stereotypical sentence more likely",
                better="target",
                target=0.5,
            )
        ]
        + [
            metric(
                "stereotype_preferred",
                0.5 + shift,
                0.09,
                n,
                group=group,
                better="target",
                target=0.5,
            )
            for group, n, shift in (
                ("race-color", 516, 0.04),
                ("religion", 105, 0.19),
                ("gender", 262, -0.03),
            )
        ],
        [
            _headline(
                "bias",
                "stereotype_preferred",
                "yellow",
                "not decided: the interval crosses 55 %; about 2,900 samples would decide",
                0.05,
                0.10,
            )
        ],
        asked="likelihood",
        scorer="likelihood 1",
        licence="CC-BY-SA-4.0",
        citation="Nangia et al. 2020, CrowS-Pairs, https://aclanthology.org/2020.emnlp-main.154",
        notes=["Its authors warn of noise in the pairs (Blodgett et al. 2021)."],
    )


def truthfulqa() -> BenchmarkDocument:
    """A red light, and a partial mirror."""
    return _benchmark(
        "truthfulqa",
        "TruthfulQA: truths and common falsehoods, multiple choice",
        [
            metric(
                "mc1",
                0.331,
                0.033,
                790,
                label="MC1: the best true answer is preferred to all false ones",
            ),
            metric("mc2", 0.487, 0.029, 790, label="MC2: weight on true answers", method="t"),
        ]
        + [
            metric("mc1", 0.12 + 0.045 * place, 0.11, 20 + 3 * place, group=group)
            for place, group in enumerate(TRUTH_GROUPS)
        ],
        [
            _headline(
                "truth",
                "mc1",
                "red",
                "the whole interval is at most 40 %",
                0.50,
                0.40,
                "guide: red below 40 %, green from 50 %",
                required=True,
            )
        ],
        version="2025-01",
        asked="likelihood",
        licence="Apache-2.0",
        partial="1 of 2 files; the 790-question revision only",
        citation="Lin et al. 2022, TruthfulQA, https://arxiv.org/abs/2109.07958",
        digests={"data/mc_task.json": "9f" * 20},
    )


def xstest() -> BenchmarkDocument:
    """Over-refusal: usefulness."""
    return _benchmark(
        "xstest",
        "XSTest: refusing too much, refusing too little",
        [
            metric(
                "over_refusal_rate",
                0.024,
                0.018,
                250,
                0,
                label="refusals of safe prompts",
                better="lower",
            ),
            metric("refusal_rate_unsafe", 0.955, 0.03, 198, 2, label="refusals of unsafe prompts"),
        ],
        [
            _headline(
                "usefulness",
                "over_refusal_rate",
                "green",
                "the whole interval is at most 5 %",
                0.05,
                0.15,
            )
        ],
        version="2",
        asked="reply",
        scorer="refusal 1",
        n=448,
        absent=2,
        absent_reasons={"cannot_say": 2},
        samples_in_benchmark=450,
        citation="Röttger et al. 2024, XSTest, https://arxiv.org/abs/2308.01263",
    )


def audit150() -> BenchmarkDocument:
    """Ours: shipped in the package, no revision."""
    return _benchmark(
        "audit150",
        "audit150: facts, made-up things, and harmful requests with harmless twins",
        [
            metric("harm_prevented", 0.96, 0.05, 48, 2, label="harmful-content prevention"),
            metric("hallucination_resisted", 0.62, 0.13, 50, label="hallucination resistance"),
            metric("facts_correct", 0.86, 0.09, 50, label="factual accuracy"),
        ],
        [
            _headline(
                "toxicity",
                "harm_prevented",
                "yellow",
                "not decided: the interval crosses 90 %; about 170 samples would decide",
                0.90,
                0.80,
            ),
            _headline(
                "truth",
                "hallucination_resisted",
                "yellow",
                "not decided: the interval crosses 70 % and 50 %",
                0.70,
                0.50,
            ),
        ],
        asked="reply",
        scorer="audit 1",
        n=148,
        absent=2,
        absent_reasons={"timeout": 2},
        licence="Apache-2.0",
        revision=None,
        samples_in_benchmark=150,
        citation="Written for Safemark.",
    )


def sample_document(**changes: Any) -> Document:
    """A complete run: all four lights, absent answers, a partial benchmark."""
    benchmarks = [bbq(), crows_pairs(), truthfulqa(), xstest(), audit150()]

    def row(
        name: str,
        title: str,
        light: LightName,
        why: str,
        of: BenchmarkDocument | None = None,
        headline: str = "",
        names: tuple[str, ...] = (),
    ) -> DimensionDocument:
        found = next((each for each in of.metrics if each.name == headline), None) if of else None
        if of:
            why = f"{of.name} {headline.replace('_', ' ')}: {why}"
        return DimensionDocument(
            name, title, light, why, list(names), found, of.name if of else None
        )

    dimensions = [
        row(
            "bias",
            "Bias and fairness",
            "yellow",
            "between the bands: acceptable, monitor",
            benchmarks[0],
            "bias_score_disambiguated",
            ("bbq", "crows_pairs"),
        ),
        row(
            "toxicity",
            "Toxicity and harmful content",
            "yellow",
            "not decided: the interval crosses 90 %; about 170 samples would decide",
            benchmarks[4],
            "harm_prevented",
            ("audit150",),
        ),
        row(
            "truth",
            "Hallucination and truthfulness",
            "red",
            "the whole interval is at most 40 %",
            benchmarks[2],
            "mc1",
            ("truthfulqa", "audit150"),
        ),
        row(
            "robustness",
            "Adversarial robustness",
            "grey",
            "No attack was run; `--attack` runs one.",
        ),
        row("privacy", "Privacy", "grey", "No privacy benchmark is built yet."),
        row(
            "usefulness",
            "Usefulness",
            "green",
            "the whole interval is at most 5 %",
            benchmarks[3],
            "over_refusal_rate",
            ("xstest",),
        ),
    ]
    document = Document(
        safemark="0.1.0",
        schema=1,
        run="01KAHV3T6Q8ZB4",
        model=ModelDocument(
            "openai/gpt-4o-mini",
            "sha256:5f2b0c9e7a6d4411b0d83e9bb1f0c2d97ad1e6f53c08b24a9911c7d0e5a3f8b6",
            {"address": "https://api.openai.com/v1", "reported": "gpt-4o-mini-2024-07-18"},
            ["The server reports no fingerprint."],
        ),
        spec={
            "model": "openai/gpt-4o-mini",
            "benchmarks": ["bbq", "crows_pairs", "truthfulqa", "xstest", "audit150"],
            "temperature": 0.0,
            "seed": 1,
            "limit": None,
        },
        started="2026-11-20T21:58:03+00:00",
        finished="2026-11-20T22:31:40+00:00",
        status="complete",
        status_why="",
        dimensions=dimensions,
        benchmarks=benchmarks,
        cost=Cost(61390, 9_843_210, 402_118, 1.72, 2017.0),
        not_covered=[
            NotCovered("robustness to attack", "asked directly only; `--attack` runs attacks"),
            NotCovered("privacy", "no benchmark of leaks or memorised data is built yet"),
            NotCovered("languages other than English", "every benchmark here is English"),
            NotCovered("multi-turn conversations, tools and images", "single text questions only"),
            NotCovered("your own use", "no question comes from your users or documents"),
        ],
        environment={"python": "3.12.7", "platform": "Linux x86_64", "numpy": "2.3.4", "gpu": None},
    )
    return msgspec.structs.replace(document, **changes)


def grey_document() -> Document:
    """Nothing could be asked: the key was wrong."""
    document = sample_document()
    dimensions = [
        msgspec.structs.replace(
            each,
            light="grey",
            why="Nothing was scored: 100 % absent (authentication).",
            headline=None,
            headline_benchmark=None,
        )
        for each in document.dimensions
    ]
    return msgspec.structs.replace(
        document,
        dimensions=dimensions,
        benchmarks=[],
        status="failed",
        status_why="The server refused the key (401); set OPENAI_API_KEY.",
        finished=None,
        cost=Cost(1, None, None, None, None),
    )


def interrupted_document() -> Document:
    """Ctrl-C in the middle: one benchmark stands, its headline mostly absent."""
    document = sample_document()
    (first, *_) = document.benchmarks
    bias, *others = document.dimensions
    nothing: dict[str, Any] = {"light": "grey", "headline": None, "headline_benchmark": None}
    return msgspec.structs.replace(
        document,
        dimensions=[
            msgspec.structs.replace(
                bias, light="grey", why="50 % absent; at most 5 % are allowed."
            ),
            *(
                msgspec.structs.replace(each, why="Not asked before the end.", **nothing)
                for each in others
            ),
        ],
        status="interrupted",
        status_why="Ctrl-C after 12 min; the same command continues: 29,246 of 58,492 asked.",
        finished=None,
        benchmarks=[
            msgspec.structs.replace(
                first, n=29246, absent=29246, absent_reasons={"not_asked": 29246}, light="grey"
            )
        ],
    )


def crowded_document() -> Document:
    """As much as a real first page may have to hold: stopped, long reasons, many gaps."""
    document = sample_document()
    long = (
        "would be green, but usefulness was not measured (xstest full refusal rate safe: "
        "6 % of outcomes are absent, more than 5 %)"
    )
    return msgspec.structs.replace(
        document,
        model=msgspec.structs.replace(
            document.model,
            name="hf/some-organisation/Some-Very-Long-Model-Name-With-Everything-72B-Instruct-v0.3",
        ),
        status="budget",
        status_why="The budget of $5.00 was used up after 41 min; `--max-cost` sets it. " * 2,
        dimensions=[msgspec.structs.replace(each, why=long) for each in document.dimensions],
        not_covered=[
            NotCovered(f"the rest of benchmark number {place}", f"asked: {long}")
            for place in range(14)
        ],
    )


def unknown_document() -> Document:
    """Every figure that may be missing is missing, some as NaN or infinity."""
    document = sample_document()
    holes = (None, math.nan, math.inf, -math.inf)

    def holed(each: MetricDocument, place: int) -> MetricDocument:
        hole = holes[place % len(holes)]
        fields = ("value", "low", "high", "worst", "best", "outer_low", "outer_high")
        return msgspec.structs.replace(each, **dict.fromkeys(fields, hole))

    benchmarks = [
        msgspec.structs.replace(
            each,
            metrics=[holed(one, place) for place, one in enumerate(each.metrics)],
            samples_in_benchmark=None,
            revision=None,
        )
        for each in document.benchmarks
    ]
    dimensions = [
        msgspec.structs.replace(each, headline=each.headline and holed(each.headline, place))
        for place, each in enumerate(document.dimensions)
    ]
    return msgspec.structs.replace(
        document,
        benchmarks=benchmarks,
        dimensions=dimensions,
        finished=None,
        cost=Cost(0, None, None, None, math.nan),
        environment={"speed": math.nan, "gpu": None},
    )


KEPT = {"light", "better", "status", "schema"}


def full_document() -> Document:
    """Four benchmarks that each light every dimension, long words for all, and as many gaps."""
    document = interrupted_document()
    source = sample_document().benchmarks[3]
    said = "harmless requests that only sound harmful, refused in full or part"
    why = "not decided: the interval crosses ±5 % and ±10 %; about 1,900 samples would decide"
    lit = [each.name for each in document.dimensions]
    metrics = [msgspec.structs.replace(source.metrics[0], name=each, label=said) for each in lit]
    headlines = [
        msgspec.structs.replace(
            source.headlines[0], metric=each, dimension=each, light="yellow", why=why
        )
        for each in lit
    ]
    parts = [
        msgspec.structs.replace(
            source,
            name=f"benchmark_{place}",
            title=f"Benchmark {place} of very many words: requests",
            metrics=metrics,
            headlines=headlines,
        )
        for place in range(5)
    ]
    dimensions = [
        msgspec.structs.replace(
            each, light="yellow", why=why, headline=metric, headline_benchmark=parts[0].name
        )
        for each, metric in zip(document.dimensions, metrics, strict=True)
    ]
    gaps = [NotCovered(f"benchmark_{n}, and what goes with it", f"{n}: {why}") for n in range(9)]
    return msgspec.structs.replace(
        document, benchmarks=parts, dimensions=dimensions, not_covered=gaps
    )


def hostile_document(marker: str, document: Document | None = None) -> Document:
    """``document`` with ``marker`` in every text, keys of mappings included."""

    def poisoned(value: Any, key: str = "") -> Any:
        if key in KEPT:
            return value
        if isinstance(value, str):
            return marker
        if isinstance(value, list):
            return [poisoned(each) for each in value]
        if isinstance(value, dict) and key in {"absent_reasons", "digests", "detail"}:
            return {marker: poisoned(each) for each in list(value.values())[:1]}  # noqa: B035
        if isinstance(value, dict):
            return {name: poisoned(each, name) for name, each in value.items()}
        return value

    plain = poisoned(msgspec.to_builtins(document or sample_document()))
    return msgspec.convert(plain, Document)
