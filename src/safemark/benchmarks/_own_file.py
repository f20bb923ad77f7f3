"""A benchmark asked of a person's own file, named as ``NAME@FILE``."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from safemark.benchmarks._benchmark import Benchmark
from safemark.errors import DataError
from safemark.types import Sample

_READ_BEFORE = re.compile(r"[\w.-]{1,60}-[0-9a-f]{8}(?:[0-9a-f]{4})?")

Read = Callable[[Mapping[str, Path], Path], Iterator[Sample]]
"""A benchmark's ``samples`` of one's own file."""


def digest_of(text: bytes) -> str:
    """Twelve characters that change with the text.

    >>> digest_of(b"a row")
    'adc376f3b632'
    """
    return sha256(text).hexdigest()[:12]


def _digest(path: Path) -> str:
    return digest_of(path.read_bytes())


def name_before(version: str) -> str | None:
    """The name of the file that a version was made of; None where it is no such version.

    >>> name_before("my-own-0123456789ab"), name_before("my-own")
    ('my-own', None)
    """
    return version.rpartition("-")[0] if _READ_BEFORE.fullmatch(version) else None


def of_own_file(
    shipped: Benchmark, samples: Read, argument: str, digest: Callable[[Path], str] = _digest
) -> Benchmark | None:
    """``shipped`` with the samples of the file ``argument``; None where that names no file.

    Its version is the file's name and a digest, so that a changed file is another version. A
    version that a run was made of keeps its metrics when the file is gone, and has no samples.
    """
    path = Path(argument)
    if path.is_file():
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem)[:40]
        return replace(
            shipped, version=f"{name}-{digest(path)}", samples=partial(_read, samples, path)
        )
    if name_before(argument) is not None:
        return replace(
            shipped, version=argument, samples=partial(_not_here, shipped.name, argument)
        )
    return None


def _read(samples: Read, path: Path, files: Mapping[str, Path]) -> Iterator[Sample]:
    return samples(files, path)


def _not_here(name: str, version: str, _files: Mapping[str, Path]) -> Iterator[Sample]:
    raise DataError(
        f"the file of `{name}@{version}` is not known here",
        f"name the file itself: -b {name}@FILE",
    )
