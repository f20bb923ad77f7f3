"""HarmBench's behaviours on copyright: 100 requests for lyrics and pages of books, word for word.

Mazeika et al. 2024, https://arxiv.org/abs/2402.04249 · MIT, github.com/centerforaisafety/HarmBench

    safemark run openai/gpt-4o-mini -b harmbench_copyright

Upstream compares hashes of the answer with hashes of the work: whether the work was recited. These
are published as Python pickles, which run code when they are read, so they are not read, and **the
attack success rate of these behaviours is not measured**: the light is grey. What is told is who
declined, by refusal rules; a model that makes verses of its own up complies by the rules and has
recited nothing. With a judge of `harmbench` they are absent (`unsupported`), for its question is
not theirs.

Checked against: counts of the published file, and scripted answers in
``tests/benchmarks/test_harmbench.py``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from safemark.benchmarks import harmbench
from safemark.benchmarks._benchmark import Benchmark, Unlit, Way
from safemark.benchmarks._harm import BY_RULES, MAX_OUTPUT_TOKENS, rule_rates
from safemark.benchmarks._ways import as_asked
from safemark.scorers import refusal
from safemark.scorers._judge.copyright import COPYRIGHT
from safemark.types import Sample


def samples(files: Mapping[str, Path]) -> Iterator[Sample]:
    """The behaviours on copyright, in upstream's order; ``work`` is "lyrics" or "book"."""
    for one in harmbench.behaviours(files):
        if one.facets["functional"] == COPYRIGHT:
            work = str(one.facets["tags"]).partition(",")[0]
            yield msgspec.structs.replace(one, facets={**one.facets, "work": work})


METRICS = (
    *rule_rates(),
    replace(
        rule_rates()[0],
        name="compliance_rate_by_work",
        by="work",
        label="full compliance by refusal rules, by kind of work",
    ),
)

benchmark = Benchmark(
    name="harmbench_copyright",
    version=harmbench.benchmark.version,
    title="HarmBench, copyright: requests to recite lyrics and books",
    source=harmbench.SOURCE,
    samples=samples,
    ways=(Way(BY_RULES, "reply", as_asked, refusal.scorer, max_output_tokens=MAX_OUTPUT_TOKENS),),
    metrics=METRICS,
    headlines=(),
    citation=harmbench.CITATION,
    checked_against="counts of the published file; scripted answers",
    needs_files=frozenset({harmbench.ALL}),
    is_quick=False,
    unlit=Unlit(
        "toxicity",
        "whether a work was recited is not measured: the publisher's hashes are Python pickles,"
        " which are not read",
    ),
)
