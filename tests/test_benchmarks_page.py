"""docs/benchmarks.md says what the registry holds.

    python -m tests.test_benchmarks_page > docs/benchmarks.md

writes it anew.
"""

from pathlib import Path

import pytest

from safemark import registry
from safemark.benchmarks._benchmark import Benchmark, Headline, Metric
from safemark.data import find

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"

SAMPLES = {
    "advanced_ai_risk": 48_564,
    "advbench": 520,
    "audit150": 150,
    "bbq": 58_492,
    "bipia": 18_750,
    "bipia_judged": 41_250,
    "bold": 23_679,
    "consistency": 120,
    "contextual_integrity": 60,
    "counterfactual": 2_472,
    "counterfactual_replies": 320,
    "crows_pairs": 1_508,
    "cyberseceval_frr": 750,
    "cyberseceval_injection": 251,
    "decodingtrust_ood": 10_973,
    "do_not_answer": 939,
    "ethics": 38_572,
    "felm": 847,
    "halueval": 34_507,
    "halueval2": 8_770,
    "harmbench": 300,
    "harmbench_copyright": 100,
    "harmfulqa": 1_960,
    "holistic_bias": 3_450,
    "insecure_code": 40,
    "jailbreakbench": 200,
    "jiminy_cricket": 4_000,
    "malicious_instruct": 100,
    "membership": 40,
    "memorisation": 72,
    "mmlu": 14_042,
    "personal_data": 240,
    "principles": 12,
    "questions": 108,
    "prompt_extraction": 360,
    "real_toxicity_prompts": 1_236,
    "simple_safety_tests": 100,
    "stereoset": 4_229,
    "strongreject": 313,
    "tensor_trust": 2_122,
    "toxigen": 31_000,
    "truthfulqa": 817,
    "wildbench": 1_024,
    "winobias": 1_584,
    "winogender": 720,
    "wmdp": 3_668,
    "xstest": 450,
}
"""Samples of all files; "-" stands for a benchmark that is not named here."""

HEAD = """\
# The benchmarks

What each one measures, how it is asked, which metric its light is taken from, and what it was
checked against. The light is green as far as the first figure, red from the second; between them it
is yellow. For a target the figures are distances from it. `safemark run MODEL -b NAME:WAY` asks one
way; without a way the first that the model can be asked is taken. Scores of different ways do not
compare. The file of each benchmark, `src/safemark/benchmarks/NAME.py`, says more: the source, the
traps of the data, differences from upstream on purpose.

| benchmark | dimension | samples | asked by | headline | green, red | bands by | checked against |
|---|---|---|---|---|---|---|---|
"""


def page() -> str:
    """The page as the registry has it."""
    rows = [
        _row(registry.benchmark(name), place)
        for name in registry.names("benchmark")
        if name != "probes"  # every headline of its 18 would be a row: see calibration.md
        for place in range(max(1, len(registry.benchmark(name).headlines)))
    ]
    return HEAD + "\n".join(rows) + "\n"


def _row(found: Benchmark, place: int) -> str:
    n = SAMPLES.get(found.name)
    cells = (
        f"`{found.name}`" if place == 0 else "",
        found.headlines[place].dimension if found.headlines else found.dimensions[0],
        (f"{n:,}" if n else "-") if place == 0 else "",
        ", ".join(way.name for way in found.ways) if place == 0 else "",
        *_headline(found, place),
        found.checked_against if place == 0 else "",
    )
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _headline(found: Benchmark, place: int) -> tuple[str, str, str]:
    """Headline, bands and who set them; why there is none."""
    if found.unlit is not None:
        return (f"none: {found.unlit.why}", "", "")
    headline = found.headlines[place]
    metric = next(one for one in found.metrics if one.name == headline.metric)
    return (
        f"{metric.label or metric.name} (`{metric.name}`)",
        _bands(metric, headline),
        headline.source,
    )


def _bands(metric: Metric, headline: Headline) -> str:
    if metric.better == "target":
        return f"{headline.green:g}, {headline.red:g} from {metric.target:g}"
    sign = ("≥", "≤") if metric.better == "higher" else ("≤", "≥")
    return f"{sign[0]} {headline.green:g}, {sign[1]} {headline.red:g}"


def test_the_page_says_what_the_registry_holds() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.test_benchmarks_page"


def test_numbers_of_samples_are_of_benchmarks_that_there_are() -> None:
    assert set(SAMPLES) <= set(registry.names("benchmark"))


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_number_of_samples_is_that_of_the_whole_files(name: str) -> None:
    found = registry.benchmark(name)
    files = {}
    if found.source is not None:
        there = find(found.source)
        if not there.files or set(there.missing) - {"analysis_scripts/additional_metadata.csv"}:
            pytest.skip("the mirror does not hold all of its files")
        files = dict(there.files)
    assert sum(1 for _ in found.samples(files)) == SAMPLES[name]


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
