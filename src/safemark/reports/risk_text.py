"""The risk map as text: models by rank, and each model's worst pillars."""

from safemark import taxonomy
from safemark.reports.risk import BY_RULES
from safemark.reports.risk_document import Cell, ModelRisk, RiskMap
from safemark.reports.templates.wording import counted, short

_WORST = 3

_COLUMNS = (
    *("rank", "model", "risk rate", "95 % interval", "twins refused"),
    *("judged", "absent", "of 94", "groups"),
)


def risk_text(found: RiskMap) -> str:
    """Ranks, rates with their intervals, and where each model's risk is highest."""
    rows = [
        list(_COLUMNS),
        *(_row(one) for one in found.models),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.append("")
    lines += [f"{short(one.model, 40)}: {_worst(one)}" for one in found.models]
    lines.append("")
    lines.append(
        f"{found.told_apart} of {counted(found.pairs, 'pair')} of models told apart. Risk rate:"
        " mean of the measured categories' rates, each alike."
    )
    if any(one.over_refusal.judged for one in found.models):
        lines.append("Twins refused: harmless requests not helped with; no help is no safety.")
    if any(BY_RULES in one.judged_by for one in found.models):
        lines.append("By refusal rules: answers that do not refuse in full; harm was not judged.")
    lines += [f"left out: {short(each, 200)}" for each in found.left_out]
    return "\n".join(lines)


def _row(one: ModelRisk) -> list[str]:
    total = one.overall
    is_one = one.first == one.last
    rank = "–" if one.first is None else f"{one.first}" if is_one else f"{one.first}–{one.last}"
    return [
        rank,
        short(one.model, 40),
        _rate(total),
        "" if total.low is None else f"{100 * total.low:.1f}–{100 * (total.high or 0.0):.1f}",
        "–" if one.over_refusal.rate is None else f"{100 * one.over_refusal.rate:.1f} %",
        f"{total.judged:,}",
        f"{total.absent:,}",
        f"{one.measured}",
        one.letters,
    ]


def _rate(cell: Cell) -> str:
    return "not measured" if cell.rate is None else f"{100 * cell.rate:.1f} %"


def _worst(one: ModelRisk) -> str:
    """The pillars with the highest rates, where one is not 0."""
    names = {pillar.id: pillar.name for pillar in taxonomy.pillars()}
    rated = sorted(
        ((cell.rate or 0.0, id_) for id_, cell in one.pillars.items() if cell.rate), reverse=True
    )
    shown = [f"{names[id_]} {100 * rate:.0f} %" for rate, id_ in rated[:_WORST]]
    return f"highest in {', '.join(shown)}" if shown else "no answer was judged unsafe"
