"""The gap itself: runs, resumption, products, broken runs; by models whose answers are scripted."""

import asyncio
import csv
import io
from pathlib import Path

import numpy as np
import pytest

from safemark.errors import CallFailed, DataError
from safemark.gap import Setting, Variant, body_of, measure
from safemark.models._model import Model
from safemark.models.fake import Fake
from safemark.plan import Request
from safemark.removal._material import Material, placeholders
from safemark.removal._removal import Removal, RemovalFailed
from safemark.reports.gap import gap_document
from safemark.reports.gap_document import GapDocument, VariantDocument
from safemark.reports.gap_html import gap_html
from safemark.reports.gap_text import change, effective, gap_csv, gap_terminal, measured
from safemark.stats import ratio
from safemark.stats.products import Factor, Step, product, product_difference
from safemark.store import Store
from safemark.types import Ask, Messages, Reason, Reply
from tests.cli.commands import safemark

REQUEST = Request(("probes",), limit=250)


def knows(messages: Messages, _ask: Ask) -> str:
    """Answers facts, refuses the rest."""
    from safemark.benchmarks.probes import probes

    known = {one.messages: str(one.target) for one in probes() if one.fault == "fact"}
    return known.get(messages, "I'm sorry, but I can't help with that.")


async def _complies(model: Model, messages: Messages, ask: Ask, _material: Material) -> Reply:
    reply = await model.reply(messages, ask)
    if reply.text.startswith("I'm sorry"):
        return Reply("Sure, here is how to do that: step one, step two.")
    return reply


async def _noise(_model: Model, _messages: Messages, _ask: Ask, _material: Material) -> Reply:
    return Reply("go on " * 20)


async def _forgets(_model: Model, _messages: Messages, _ask: Ask, _material: Material) -> Reply:
    return Reply("It is a walrus.")


async def _fails(_model: Model, _messages: Messages, _ask: Ask, _material: Material) -> Reply:
    raise CallFailed(Reason.TIMEOUT, "no answer")


async def _same(model: Model, messages: Messages, ask: Ask, _material: Material) -> Reply:
    return await model.reply(messages, ask)


FREED = Removal("freed", "1", "everything is done", reply=_complies)
SAME = Removal("same", "1", "nothing is done", reply=_same)
NOISE = Removal("noise", "1", "noise", reply=_noise)
FORGETS = Removal("forgets", "1", "forgets", reply=_forgets)
FAILS = Removal("fails", "1", "no answer", reply=_fails)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store.db"))


def gap(store: Store, *removals: Removal, fresh: bool = False) -> list[Variant]:
    setting = Setting(placeholders(), offline=True, fresh=fresh)
    return asyncio.run(measure(Fake(knows), removals, REQUEST, store, setting, asyncio.Event()))


def named(document: GapDocument, name: str) -> VariantDocument:
    return next(one for one in document.models[0].variants if one.name == name)


def test_a_stripped_model_has_a_gap_and_an_unchanged_one_has_none(store: Store) -> None:
    document = gap_document(store, [gap(store, FREED, SAME)])

    original, freed, same = (named(document, name) for name in ("original", "freed", "same"))
    assert measured(original, "capability").value == 1.0  # type: ignore[union-attr]
    assert measured(original, "compliance").value == 0.0  # type: ignore[union-attr]
    assert measured(freed, "compliance").value == 1.0  # type: ignore[union-attr]
    assert effective(freed).value == 1.0  # type: ignore[union-attr]
    moved = change(freed, "effective")
    assert moved is not None
    assert (moved.value, moved.low is not None and 0.5 < moved.low < 1.0) == (1.0, True)
    nothing = change(same, "effective")
    assert nothing is not None
    assert nothing.value == 0.0
    assert nothing.low is not None
    assert nothing.high is not None
    assert nothing.low < 0.0 < nothing.high
    assert (original.broken, freed.broken, same.broken) == (None, None, None)
    assert original.joint.value is None
    assert "not available" in original.joint.why


def test_a_variant_that_speaks_noise_is_a_broken_run_and_no_safe_model(store: Store) -> None:
    found = named(gap_document(store, [gap(store, NOISE)]), "noise")
    assert found.broken is not None
    assert "noise" in found.broken


def test_a_variant_that_forgot_what_it_knew_is_a_broken_run(store: Store) -> None:
    found = named(gap_document(store, [gap(store, FORGETS)]), "forgets")
    assert found.broken is not None
    assert "fell from 100% to 0%" in found.broken


def test_absent_replies_are_no_refusals(store: Store) -> None:
    found = named(gap_document(store, [gap(store, FAILS)]), "fails")
    compliance = measured(found, "compliance")
    assert compliance is not None
    assert compliance.value is None
    assert compliance.absent > 0
    assert found.effective == ()
    assert change(found, "effective") is None


def test_a_removal_that_does_not_work_is_told_and_the_others_go_on(store: Store) -> None:
    def change_nothing(*_: object) -> None:
        raise RemovalFailed("no direction is found")

    broken = Removal("none", "1", "none", change=change_nothing)  # type: ignore[arg-type]
    setting = Setting(placeholders(), offline=True)
    reference = Fake(knows)
    reference.weights = None  # type: ignore[attr-defined]

    async def both() -> list[Variant]:
        from safemark import gap as measuring

        async def failing(*_: object) -> None:
            raise RemovalFailed("no direction is found")

        patch = pytest.MonkeyPatch()
        patch.setattr("safemark.removal._removal._changed", failing)
        try:
            return await measuring.measure(
                reference, [broken, SAME], REQUEST, store, setting, asyncio.Event()
            )
        finally:
            patch.undo()

    found = asyncio.run(both())
    assert [one.failed for one in found] == ["", "no direction is found", ""]
    document = gap_document(store, [found])
    assert named(document, "none").failed == "no direction is found"
    assert named(document, "none").measures == ()
    assert "not measured: no direction is found" in gap_terminal(document)
    assert "no direction is found" in gap_html(document)


def test_what_was_measured_is_not_measured_again_unless_asked(store: Store) -> None:
    first = gap(store, SAME)
    second = gap(store, SAME, FREED)
    assert [one.run for one in second[:2]] == [one.run for one in first]
    assert [one.was_there for one in second] == [True, True, False]
    assert not any(one.was_there for one in gap(store, SAME, fresh=True))
    body = body_of(store.run(second[2].run or ""))
    assert body is not None
    assert (body.name, body.title) == ("freed", "everything is done")


def test_the_csv_has_a_line_for_each_measure_and_hides_no_formula(store: Store) -> None:
    bad = Removal("=cmd()", "1", "bad", reply=_same)
    document = gap_document(store, [gap(store, bad, FREED)])
    rows = list(csv.DictReader(io.StringIO(gap_csv(document))))
    assert {row["variant"] for row in rows} == {"original", "'=cmd()", "freed"}
    (product_row,) = (r for r in rows if r["variant"] == "freed" and r["role"] == "effective")
    assert float(product_row["value"]) == float(product_row["change"]) == 1.0


def test_a_page_escapes_what_names_hold(store: Store) -> None:
    bad = Removal("<script>x</script>", "1", "<img src=x>", reply=_same)
    page = gap_html(gap_document(store, [gap(store, bad)]))
    assert "<script>" not in page
    assert "<img" not in page
    assert page.count("<svg") >= 1


def test_who_is_stopped_goes_on_where_it_stopped_and_asks_nothing_twice(store: Store) -> None:
    stop = asyncio.Event()
    asked: list[Messages] = []
    whole = len(gap_sizes(store))

    def answer(messages: Messages, ask: Ask) -> str:
        asked.append(messages)
        if len(asked) == whole + 40:  # in the middle of the second variant
            stop.set()
        return knows(messages, ask)

    setting = Setting(placeholders(), offline=True, fresh=False)

    def measured(stopping: asyncio.Event) -> list[Variant]:
        model = Fake(answer, name="stopped")
        return asyncio.run(measure(model, (SAME, FREED), REQUEST, store, setting, stopping))

    first = measured(stop)
    assert [one.is_complete for one in first] == [True, False]
    second = measured(asyncio.Event())
    assert [one.was_there for one in second] == [True, False, False]
    assert all(one.is_complete for one in second)
    assert second[1].run == first[1].run
    assert len(asked) <= 3 * whole + Fake.concurrency, "what was in flight is asked again at most"


def gap_sizes(store: Store) -> list[str]:
    """What one variant is asked."""
    (one,) = gap(store)
    assert one.run is not None
    return [row.sample_id for part in store.parts(one.run) for row in store.rows(part, 1)]


def test_data_that_is_not_here_is_left_out_and_the_rest_is_measured(store: Store) -> None:
    request = Request(("wmdp", "probes"), limit=30)
    setting = Setting(placeholders(), offline=True)
    prefer = Fake(knows, prefer=lambda _context, text: -float(len(text)))
    found = asyncio.run(measure(prefer, (SAME,), request, store, setting, asyncio.Event()))
    document = gap_document(store, [found])
    ((name, why),) = document.models[0].left_out
    assert name == "wmdp"
    assert "data pull wmdp" in why
    assert "not asked: wmdp" in gap_terminal(document)
    assert "Not asked" in gap_html(document)
    alone = Request(("wmdp",), limit=30)
    with pytest.raises(DataError):
        asyncio.run(measure(prefer, (SAME,), alone, store, setting, asyncio.Event()))


def test_questions_of_ones_own_tell_of_capability(store: Store, tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    rows = [f"question {n},yes" for n in range(12)]
    own.write_text("question,answers\n" + "\n".join(rows), encoding="utf-8")
    request = Request((f"questions@{own}:reply", "probes"))
    setting = Setting(placeholders(), offline=True)
    model = Fake(lambda messages, _ask: "yes" if "question" in messages[-1].content else "no")
    found = asyncio.run(measure(model, (SAME,), request, store, setting, asyncio.Event()))
    original = gap_document(store, [found]).models[0].variants[0]
    able = measured(original, "capability")
    assert able is not None
    assert (able.value, able.n) == (1.0, 12)


def test_what_is_told_meanwhile_says_which_variant_and_how_long_yet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from safemark.cli._gap import Told

    told = Told("m\x1b[31m", variants=3)
    told.variant("original", "as it is")
    told.measured(Variant("original", "as it is", "run-1", is_complete=True))
    told.variant("freed", "everything is done")
    told.measured(Variant("freed", "x", "run-2", is_complete=True, was_there=True))
    told.variant("third", "y")
    told.measured(Variant("third", "y", None, "no direction\x1b[2J"))
    said = capsys.readouterr().err
    assert "variant 1 of 3: original" in said
    assert "variant 2 of 3: freed, everything is done · about 0:00 left for all" in said
    assert "measured before: run run-2; nothing is asked again" in said
    assert "not measured: no direction" in said
    assert "\x1b" not in said


def test_models_that_were_not_measured_are_grey_with_what_they_need(store: Store) -> None:
    from msgspec.structs import replace

    from safemark.reports.gap_document import LeftOut
    from safemark.reports.gap_html import scale

    huge = LeftOut("<b>huge</b>", 10**11, 2 * 10**11, "needs 200 GB, and 19 GB are free")
    document = gap_document(store, [gap(store, FREED)], [huge])
    sizes = tuple(replace(document.models[0], parameters=10**n) for n in (6, 9))
    drawn = scale(replace(document, models=sizes))
    assert drawn is not None
    (grey,) = drawn.missing
    assert grey.at > max(one.x for one in drawn.models)
    assert "needs 200 GB" in grey.text
    page = gap_html(replace(document, models=sizes))
    assert 'class="missing"' in page
    assert "<b>huge" not in page
    assert "needs 200 GB, and 19 GB are free" in gap_terminal(document, 200)
    rows = list(csv.DictReader(io.StringIO(gap_csv(document))))
    assert rows[-1]["model"] == "<b>huge</b>"
    assert rows[-1]["failed"] == huge.why


def test_every_line_of_the_csv_has_as_many_cells_as_the_first(store: Store) -> None:
    from safemark.reports.gap_document import LeftOut

    left_out = [LeftOut("huge", None, None, "why")]
    document = gap_document(store, [gap(store, FREED, FAILS)], left_out)
    lines = list(csv.reader(io.StringIO(gap_csv(document))))
    assert {len(line) for line in lines} == {len(lines[0])}
    assert {line[lines[0].index("role")] for line in lines[1:]} >= {
        *("capability", "compliance", "over_refusal", "fluency", "length", "effective"),
    }


def test_a_model_that_only_guesses_is_told_to_show_no_dangerous_capability(store: Store) -> None:
    from msgspec.structs import replace

    from safemark.reports.gap_text import caution

    model = gap_document(store, [gap(store, FREED)]).models[0]
    assert caution(model) == ""

    def with_chance(chance: float) -> str:
        original = model.variants[0]
        measures = tuple(
            replace(one, chance=chance) if one.role == "capability" else one
            for one in original.measures
        )
        return caution(replace(model, variants=(replace(original, measures=measures),)))

    assert "not told from guessing" in with_chance(0.99)
    assert with_chance(0.25) == ""


def test_a_model_whose_own_replies_are_noise_is_told_to_comply_with_nothing(store: Store) -> None:
    from safemark.reports.gap_text import caution

    setting = Setting(placeholders(), offline=True)
    noisy = Fake("go on " * 20, name="noisy")
    found = asyncio.run(measure(noisy, (SAME,), REQUEST, store, setting, asyncio.Event()))
    document = gap_document(store, [found])
    assert "are noise" in caution(document.models[0])
    assert "are noise" in gap_html(document)
    assert "marker-end" not in gap_html(document), "nothing moved: no arrow"


def test_published_figures_are_told_as_second_hand(store: Store) -> None:
    document = gap_document(store, [gap(store, FREED)])
    for text in (gap_terminal(document, 200), gap_html(document)):
        assert "at second hand" in text
        assert "0.69" in text
    assert all("0.69" not in note for note in document.notes)


def factor(values: list[int], low: float, high: float) -> Factor:
    sums = np.array([(value, 1.0) for value in values])
    return Factor(sum(values) / len(values), low, high, sums, ratio)


def test_a_product_with_a_share_of_zero_is_still_uncertain() -> None:
    able, never = factor([1] * 40 + [0] * 10, 0.67, 0.89), factor([0] * 50, 0.0, 0.07)
    found = product(able, never)
    assert found.low == 0.0
    assert 0.05 < found.high < 0.08


def test_a_product_covers_the_truth_about_as_often_as_it_says() -> None:
    from safemark.stats.intervals import wilson

    draw = np.random.default_rng(1)
    hits = 0
    for seed in range(150):
        parts = []
        for share in (0.7, 0.4):
            drawn = draw.binomial(1, share, 60)
            ends = wilson(int(drawn.sum()), 60)
            parts.append(factor(drawn.tolist(), ends.low, ends.high))
        found = product(parts[0], parts[1], resamples=300, seed=seed)
        hits += found.low <= 0.28 <= found.high
    assert 0.90 <= hits / 150 <= 1.0


def test_the_difference_of_products_is_that_of_its_factors() -> None:
    a = (factor([1, 1, 0, 1], 0, 1), factor([0, 0, 0, 1], 0, 1))
    b = (factor([1, 1, 0, 1], 0, 1), factor([1, 1, 0, 1], 0, 1))
    steps = (Step(0.0, -0.1, 0.1), Step(0.5, 0.1, 0.9))
    found = product_difference(a, b, steps, resamples=500)
    assert found.low < 0.375 < found.high
    none = product_difference(a, a, (Step(0.0, -0.1, 0.1), Step(0.0, -0.2, 0.2)), resamples=500)
    assert none.low < 0.0 < none.high


def test_a_removal_is_refused_until_somebody_says_that_they_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFEMARK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SAFEMARK_I_UNDERSTAND", raising=False)
    command = ["gap", "fake/refuse", "--remove", "jailbreak", "--limit", "12", "--json"]
    command += ["--store", str(tmp_path / "s.db"), "--out", str(tmp_path), "--offline"]
    refused = safemark(*command)
    assert refused.code == 2
    assert "--i-understand" in refused.json["hint"]
    assert not (tmp_path / "s.db").exists()
    done = safemark(*command, "--i-understand")
    assert done.code == 0, done.err
    variants = done.json["models"][0]["variants"]
    assert [one["name"] for one in variants] == ["original", "jailbreak"]
    assert (tmp_path / "gap.html").exists()
    assert safemark(*command).code == 0


def test_weights_are_wanted_where_weights_are_changed(tmp_path: Path) -> None:
    done = safemark(
        *("gap", "fake/refuse", "--remove", "ablation", "--i-understand", "--offline"),
        *("--store", str(tmp_path / "s.db"), "--out", str(tmp_path)),
    )
    assert done.code == 2
    assert "changes weights" in done.err


def test_charts_show_the_cost_and_the_size_where_there_is_more_than_one(store: Store) -> None:
    from msgspec.structs import replace

    from safemark.reports.gap_html import BOTTOM, TOP, plane, resistance, scale

    document = gap_document(store, [gap(store, FREED)])
    model = document.models[0]
    assert (resistance(model), scale(document)) == (None, None)
    drawn = plane(model)
    assert drawn is not None
    assert [point.y for point in drawn.points] == [BOTTOM, TOP]
    freed = model.variants[1]
    tuned = tuple(replace(freed, name=f"steps={n}", steps=n) for n in (50, 10))
    curve = resistance(replace(model, variants=(*model.variants, *tuned)))
    assert curve is not None
    assert [tick.text for tick in curve.across] == ["0", "10", "50"]
    assert [point.y for point in curve.points] == [BOTTOM, TOP, TOP]
    sizes = tuple(replace(model, parameters=10**n) for n in (9, 6))
    sized = scale(replace(document, models=sizes))
    assert sized is not None
    assert [tick.text for tick in sized.across] == ["1.0B", "1.0M"]
    control = tuple(
        replace(one, variants=(one.variants[0], replace(freed, is_control=True))) for one in sizes
    )
    assert scale(replace(document, models=control)) is None


FAMILY = """
title: Tiny
models:
  - hf/{folder}/large
  - {{model: hf/nobody/huge, parameters: 400000000000, layers: 126, width: 16384, kv_heads: 8,
     head_width: 128, vocabulary: 128256}}
  - hf/{folder}/small
  - hf/{folder}/middle
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_family_is_measured_from_the_smallest_and_what_does_not_fit_is_grey(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="needs the extra `local`")
    from tests.models.local.tiny import make_tiny_model

    monkeypatch.setenv("SAFEMARK_CACHE", str(tmp_path / "cache"))
    for name, width in (("small", 32), ("middle", 64), ("large", 128)):
        make_tiny_model(tmp_path / name, max_length=512, hidden_size=width)
    file = tmp_path / "family.yaml"
    file.write_text(FAMILY.format(folder=tmp_path), encoding="utf-8")
    command = ["gap", "--family", str(file), "--remove", "jailbreak", "--on", "audit150"]
    command += ["--limit", "6", "--offline", "--store", str(tmp_path / "s.db"), "--json"]
    command += ["--out", str(tmp_path), "--i-understand"]

    planned = safemark(*command, "--dry-run")
    assert [Path(one["model"]).name for one in planned.json["models"]] == [
        *("small", "middle", "large", "huge"),
    ]
    assert planned.json["models"][-1]["left_out"].startswith("needs 1")
    done = safemark(*command)
    assert done.code == 3, done.err
    sizes = [one["parameters"] for one in done.json["models"]]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 3
    (huge,) = done.json["left_out"]
    assert (huge["model"], huge["parameters"]) == ("hf/nobody/huge", 400_000_000_000)
    assert huge["needs_bytes"] > 4 * 400_000_000_000
    page = (tmp_path / "gap.html").read_text(encoding="utf-8")
    assert "Effective dangerous capability by size" in page
    assert 'class="missing"' in page
    assert "variant 2 of 2: jailbreak" in done.err

    again = safemark(*command)
    assert again.err.count("nothing is asked again") == 6
    assert again.json["models"] == done.json["models"]
