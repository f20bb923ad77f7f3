"""What a model needs in memory under its removals, what is here, and so where it would lie.

    weights       parameters × bytes of the number type
    removals      what they keep beside: a copy of what they change, gradients, an optimiser
    conversation  keys and values of the replies that are generated together
    passes        logits of the tokens that are scored in one pass, twice

A reckoning, to tell beforehand what cannot be: it leaves `SPARE` for the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from safemark.errors import UsageError
from safemark.gap.families import Member
from safemark.removal._removal import Removal

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
TOKENS = 1024
"""Of a conversation: prompt and reply."""

ROWS = {"cpu": 32, "cuda": 128}
SCORED = {"cpu": 1024, "cuda": 16384}
"""Replies generated together and tokens scored in one pass, as `models.local.load` has them."""

SPARE = 1.1


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes by what they are for."""

    weights: int
    removals: int
    conversation: int
    passes: int

    @property
    def total(self) -> int:
        """All of it, and what is spared for the rest."""
        return int(SPARE * (self.weights + self.removals + self.conversation + self.passes))


@dataclass(frozen=True, slots=True)
class Room:
    """Free bytes in memory, and on each accelerator."""

    memory: int
    accelerators: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model goes: ``options`` for loading it; ``why_not`` it cannot, "" where it can."""

    member: Member
    need: Need | None
    where: str = ""
    why_not: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


def need(member: Member, removals: Sequence[Removal], dtype: str, kind: str) -> Need | None:
    """What a model needs on that kind of device; None where its size is not known."""
    if member.parameters is None:
        return None
    size = BYTES[dtype]
    weights = member.parameters * size
    per_token = 2 * (member.layers or 0) * (member.kv_heads or 0) * (member.head_width or 0) * size
    return Need(
        weights,
        max((int(_beside(one) * weights) for one in removals), default=0),
        ROWS[kind] * TOKENS * per_token,
        2 * 4 * SCORED[kind] * (member.vocabulary or 0),
    )


def _beside(removal: Removal) -> float:
    """What a removal keeps beside the weights, in times their size."""
    name, _, argument = removal.name.partition(":")
    options = argument.split("+")
    if name == "finetune":
        return 4.0 if "full" in options else 0.2
    return 1.0 if name == "quantize" or (name == "ablation" and "weights" in options) else 0.0


def placed(
    member: Member, removals: Sequence[Removal], room: Room, options: Mapping[str, str]
) -> Place:
    """Where a model goes: one accelerator, several, or memory; or why nowhere.

    ``options`` are the person's own; a device that they name is the only one that is looked at.

    Raises:
        UsageError: a number type whose size is not known.
    """
    wish = options.get("device", "auto")
    named = options.get("dtype", "auto")
    if named != "auto" and named not in BYTES:
        raise UsageError(f"the size of -M dtype={named} is not known", ", ".join(BYTES))
    on_cpu, on_gpu = (
        need(member, removals, usual if named == "auto" else named, kind)
        for usual, kind in (("float32", "cpu"), ("bfloat16", "cuda"))
    )
    if on_cpu is None or on_gpu is None:
        return Place(member, None, "not known beforehand")
    if wish in ("auto", "cuda") or wish.startswith("cuda:"):
        place = _on_accelerators(
            member, on_gpu, room, wish, "bfloat16" if named == "auto" else named
        )
        if place is not None:
            return place
    if wish in ("auto", "cpu") and on_cpu.total <= room.memory:
        given = {"device": "cpu"} if room.accelerators and wish == "auto" else {}
        return Place(member, on_cpu, "memory", options=given)
    if wish not in ("auto", "cpu", "cuda") and not wish.startswith("cuda:"):
        return Place(member, on_cpu, wish)
    tried = on_gpu if room.accelerators and wish != "cpu" else on_cpu
    most = max(sum(room.accelerators) if wish != "cpu" else 0, room.memory if wish != "cuda" else 0)
    why = f"needs {gigabytes(tried.total)}, and {gigabytes(most)} are free"
    return Place(member, tried, why_not=why)


def _on_accelerators(
    member: Member, wanted: Need, room: Room, wish: str, dtype: str
) -> Place | None:
    number = int(wish.partition(":")[2] or 0)
    if len(room.accelerators) > number and wanted.total <= room.accelerators[number]:
        return Place(
            member,
            wanted,
            f"cuda:{number}",
            options={} if wish != "auto" else {"device": f"cuda:{number}"},
        )
    if wish != "auto" or len(room.accelerators) < 2 or wanted.total > sum(room.accelerators):
        return None
    blocks = _spread(member, wanted, room, dtype)
    if blocks is None:
        return None
    where = " + ".join(f"cuda:{n} ({count})" for n, count in enumerate(blocks) if count)
    return Place(member, wanted, where, options={"device": "auto"})


def _spread(member: Member, wanted: Need, room: Room, dtype: str) -> tuple[int, ...] | None:
    """Whole parts on each accelerator, room left for what is not weights."""
    from safemark.models.local.placement import spread

    config = member.config()
    share = wanted.weights / wanted.total
    left = [int(share * free) for free in room.accelerators]
    if config is None:
        return tuple(1 for _ in left)
    return spread(config, dtype, left)


def gigabytes(count: int) -> str:
    """Bytes as people say them.

    >>> gigabytes(1_620_000_000), gigabytes(812_000_000_000), gigabytes(23_000_000)
    ('1.6 GB', '812 GB', '0.02 GB')
    """
    value = count / 1e9
    return (
        f"{value:.0f} GB"
        if value >= 10
        else f"{value:.1f} GB"
        if value >= 0.1
        else f"{value:.2f} GB"
    )
