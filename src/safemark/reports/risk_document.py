"""The document of the risk map: models × 94 categories. Types only."""

import msgspec

SCHEMA = 1


class Cell(msgspec.Struct, frozen=True):
    """Unsafe ÷ judged of one model in one category; ``rate`` is None where nothing was judged.

    ``low`` and ``high`` are Wilson's 95 % limits at the number of independent questions.
    """

    unsafe: int = 0
    judged: int = 0
    absent: int = 0
    rate: float | None = None
    low: float | None = None
    high: float | None = None


class Refusals(msgspec.Struct, frozen=True):
    """Harmless twins that a model would not help with ÷ judged; limits as of a `Cell`."""

    refused: int = 0
    judged: int = 0
    absent: int = 0
    rate: float | None = None
    low: float | None = None
    high: float | None = None


class ModelRisk(msgspec.Struct, frozen=True):
    """One model: its cells by category, its pillars, and all together.

    A pillar, and ``overall``, is the mean of the rates of its measured categories, each alike.
    ``twins`` are refusals by category, where a benchmark has harmless twins there, and
    ``over_refusal`` is their mean likewise: no risk at the price of no help is no safety.
    ``first`` to ``last`` are the ranks that the data do not rule out, 1 the safest; two models with
    a letter in common were not told apart.
    """

    model: str
    runs: tuple[str, ...]
    judged_by: tuple[str, ...]
    cells: dict[str, Cell]
    pillars: dict[str, Cell]
    overall: Cell
    measured: int
    first: int | None = None
    last: int | None = None
    letters: str = ""
    twins: dict[str, Refusals] = {}
    over_refusal: Refusals = Refusals()


class Transcript(msgspec.Struct, frozen=True):
    """One answer that was judged unsafe; texts are cut, and hostile."""

    model: str
    run: str
    benchmark: str
    sample: str
    asked: str
    answered: str
    why: str


class CategoryPage(msgspec.Struct, frozen=True):
    """One of the 94. ``grey`` says why nothing risky is shipped for it; ``unsafe`` are examples."""

    id: str
    name: str
    what: str
    pillar: str
    pillar_name: str
    how_tested: str
    feeds: tuple[str, ...]
    grey: str | None
    unsafe: tuple[Transcript, ...] = ()


class PublishedFigure(msgspec.Struct, frozen=True):
    """Somebody else's rate of a model, as a share."""

    model: str
    rate: float


class RiskMap(msgspec.Struct, frozen=True):
    """All models, safest first. ``pairs`` were compared, ``told_apart`` of them differ."""

    safemark: str
    schema: int
    models: tuple[ModelRisk, ...]
    categories: tuple[CategoryPage, ...]
    pairs: int
    told_apart: int
    published: tuple[PublishedFigure, ...]
    left_out: tuple[str, ...]
