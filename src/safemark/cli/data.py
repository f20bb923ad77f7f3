"""``safemark data``: fetch public benchmarks from their publishers, and check them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safemark.cli._options import Json
from safemark.cli._output import emit, emit_json, say, table
from safemark.errors import DataError, UsageError

if TYPE_CHECKING:
    from safemark.data import Source

app = typer.Typer(
    help="Download benchmarks from their publishers, and check them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Names = Annotated[
    list[str] | None, typer.Argument(metavar="BENCHMARK", help="All when none is named.")
]


@app.command("list", short_help="What is here, whose it is, under which licence.")
def list_(names: Names = None, as_json: Json = False) -> int:
    """Say which data is on this machine, whose it is and under which licence."""
    from safemark.data import find

    rows: list[dict[str, Any]] = []
    for name, source in _sources(names):
        try:
            found = find(source)
            here = found.partial or "complete"
            if not found.files:
                here = "not here"
        except DataError as error:
            here = f"altered: {error.problem}"
        rows.append(
            {
                "benchmark": name,
                "here": here,
                "files": len(source.files),
                "licence": source.licence,
                "revision": source.revision[:12],
                "publisher": source.homepage,
            }
        )
    _print(rows, as_json)
    return 0


@app.command("pull", short_help="Download what is missing, and check it.")
def pull(
    names: Names = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch again what is here.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Only say what would be fetched.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Download what is missing; every file is checked before it is put in place."""
    from safemark.data import pull as pull_source

    rows: list[dict[str, Any]] = []
    for name, source in _sources(names):
        say(f"{name}: {source.homepage} at {source.revision[:12]}")
        found = pull_source(source, force=force, offline=offline, progress=_progress)
        rows.append({"benchmark": name, "files": len(found.files), "missing": list(found.missing)})
    _print(rows, as_json)
    return 0


@app.command("verify", short_help="Hash what is here; compare with the pinned.")
def verify(names: Names = None, as_json: Json = False) -> int:
    """Hash every file that is here and compare with the pinned one."""
    from safemark.data import find

    rows: list[dict[str, Any]] = []
    worst = 0
    for name, source in _sources(names):
        row: dict[str, Any] = {"benchmark": name, "verified": 0, "unpinned": 0, "problem": ""}
        try:
            found = find(source, rehash=True)
            row["verified"] = len(found.files) - len(found.unpinned)
            row["unpinned"] = len(found.unpinned)
            row["missing"] = len(found.missing)
        except DataError as error:
            row["problem"] = error.problem
            row["missing"] = None
            worst = error.exit_code
        rows.append(row)
    _print(rows, as_json)
    return worst


@app.command("path", short_help="Where verified files lie.")
def path(
    name: Annotated[str, typer.Argument(metavar="BENCHMARK", help="Whose files.")],
    as_json: Json = False,
) -> int:
    """Print where a benchmark's verified files lie."""
    from safemark.data import find

    files = {
        str(key): str(file)
        for _, source in _sources([name])
        for key, file in find(source).files.items()
    }
    if not files:
        raise DataError(f"no data of `{name}` on this machine", f"safemark data pull {name}")
    if as_json:
        emit_json(files)
    else:
        emit("\n".join(files.values()))
    return 0


def _sources(names: list[str] | None) -> "Iterator[tuple[str, Source]]":
    from safemark import registry

    attacks = {name: registry.load("attack", name).data for name in registry.names("attack")}
    of_attacks = {name: source for name, source in attacks.items() if source is not None}
    for name in names or (*registry.names("benchmark"), *of_attacks):
        if name in of_attacks:
            yield name, of_attacks[name]
            continue
        if shared := _shared(name):
            yield from shared.items()
            continue
        benchmark = registry.benchmark(name)
        if benchmark.source is not None:
            yield name, benchmark.source
        elif names:
            raise UsageError(
                f"`{name}` needs no download: its questions come with Safemark",
                f"safemark run -b {name}",
            )


def _shared(name: str) -> "dict[str, Source]":
    """Benchmarks with data from the source of that name, where it is no benchmark's own name."""
    from safemark import registry

    known = registry.names("benchmark")
    if name.partition("@")[0] in known:
        return {}
    sources = {one: registry.benchmark(one).source for one in known}
    return {one: of for one, of in sources.items() if of is not None and of.name == name}


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        emit_json(rows)
    elif rows:
        header = list(rows[0])
        emit(table([[_cell(row.get(key)) for key in header] for row in rows], header))


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _progress(file: str, done: int, total: int | None) -> None:
    import sys

    if sys.stderr.isatty():
        share = f"{100 * done / total:3.0f} %" if total else f"{done / 1e6:.1f} MB"
        sys.stderr.write(f"\r\x1b[2K  {file}  {share}")
        if total is not None and done >= total:
            sys.stderr.write("\n")
        sys.stderr.flush()
