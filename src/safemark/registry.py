"""What is installed, by file name: benchmarks, attacks, scorers, removals.

A file ``benchmarks/bbq.py`` that defines ``benchmark`` is the benchmark `bbq`; nothing else is
edited to add one, and a file that defines no such name is none. Other packages add theirs
through the entry-point groups
``safemark.benchmarks``, ``safemark.attacks``, ``safemark.scorers`` and ``safemark.removals``. Names
are listed without importing; a module is imported when it is asked for.
"""

import importlib
import re
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safemark.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from safemark.attacks._attack import Attack
    from safemark.benchmarks._benchmark import Benchmark, Scorer

KINDS: dict[str, tuple[str, str]] = {
    "benchmark": ("safemark.benchmarks", "benchmark"),
    "attack": ("safemark.attacks", "attack"),
    "scorer": ("safemark.scorers", "scorer"),
    "removal": ("safemark.removal", "removal"),
}
"""Kind → package whose files are the things of that kind, and the attribute that holds one."""


@cache
def names(kind: str) -> tuple[str, ...]:
    """Names of all things of a kind, ours and other packages', sorted."""
    return tuple(sorted({*_own(kind), *foreign(kind)}))


def load(kind: str, name: str) -> Any:
    """The thing of that kind and name.

    Raises:
        UnknownName: nothing of that name is installed.
    """
    package, attribute = KINDS[kind]
    if name in _own(kind):
        return getattr(importlib.import_module(f"{package}.{name}"), attribute)
    if name in foreign(kind):
        return foreign(kind)[name].load()
    raise UnknownName(kind, name, names(kind), f"safemark list {kind}s")


def benchmark(name: str) -> "Benchmark":
    """The benchmark ``name``, or one revision of it, or of one's own file, as ``name@version``."""
    base, _, version = name.partition("@")
    found: Benchmark = load("benchmark", base)
    if not version or version == found.version:
        return found
    if found.of_file is not None and (own := found.of_file(version)) is not None:
        return own
    others = {other.version: other for other in found.versions}
    if version not in others:
        raise UnknownName(f"version of {base}", version, [found.version, *others])
    return others[version]


def scorer(name: str) -> "Scorer":
    """The scorer ``name``, or one that is told what to look for as ``name:argument``.

    Raises:
        UsageError: an argument that it cannot use, or none where it takes one and needs it.
    """
    base, colon, argument = name.partition(":")
    found: Scorer = load("scorer", base)
    if not colon:
        return found
    if found.with_argument is None:
        raise UsageError(f"`{base}` takes no argument: `{argument}`", f"name it as `{base}` alone")
    return found.with_argument(argument)


def attack(spec: str) -> "Attack":
    """The attack ``A``, or several joined as ``A+B:argument``.

    Raises:
        UnknownName: there is no such attack.
        UsageError: an argument that it cannot use, or attacks that do not go together.
    """
    from safemark.attacks._attack import composed

    return composed([_one_attack(part.strip()) for part in spec.split("+")])


def attacks(spec: str) -> "tuple[Attack, ...]":
    """The same, a family as all of its members.

    Raises:
        DataError: the files of a public set are not on this machine.
    """
    from itertools import product

    from safemark.attacks._attack import composed

    parts = [_one_attack(part.strip()) for part in spec.split("+")]
    choices = [(part,) if part.members is None else tuple(part.members()) for part in parts]
    return tuple(composed(chosen) for chosen in product(*choices))


def _one_attack(spec: str) -> "Attack":
    base, colon, argument = spec.partition(":")
    found: Attack = load("attack", base)
    if not colon and found.wants_argument:
        raise UsageError(f"`{base}` is told more behind a colon", f"{base}:…, {found.title}")
    if not colon:
        return found
    if found.with_argument is None:
        raise UsageError(f"`{base}` takes no argument: `{argument}`", f"name it as `{base}` alone")
    return found.with_argument(argument)


@cache
def _own(kind: str) -> frozenset[str]:
    package, attribute = KINDS[kind]
    folder = Path(__file__).parent.joinpath(*package.split(".")[1:])
    defines = re.compile(rf"^(async def |def )?{attribute}\b\s*[=:(]", re.MULTILINE)
    return frozenset(
        file.stem
        for file in folder.glob("*.py")
        if not file.stem.startswith("_") and defines.search(file.read_text(encoding="utf-8"))
    )


@cache
def foreign(kind: str) -> dict[str, EntryPoint]:
    """Other packages' things of a kind, by name, not loaded."""
    package, _ = KINDS[kind]
    group = "safemark." + package.rsplit(".", 1)[1].removesuffix("s") + "s"
    return {entry.name: entry for entry in entry_points(group=group)}
