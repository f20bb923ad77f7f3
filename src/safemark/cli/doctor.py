"""``safemark doctor``: what works here, what does not, and what to do about it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from safemark.cli._options import Json, StoreUrl
from safemark.cli._output import emit, emit_json, harmless
from safemark.errors import SafemarkError

ASKED_MOST = ("openai", "anthropic", "google")
"""Providers whose key is missed by name; the others share a line."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``is_fine`` None: optional and not there."""

    what: str
    is_fine: bool | None
    said: str
    hint: str = ""


def doctor(
    store: StoreUrl = None,
    as_json: Json = False,
) -> int:
    """Look at the installation: store, data, keys, local models, plug-ins."""
    findings = list(_findings(store))
    if as_json:
        emit_json([{name: getattr(f, name) for name in Finding.__slots__} for f in findings])
    else:
        for finding in findings:
            mark = {True: "ok  ", False: "FAIL", None: "-   "}[finding.is_fine]
            emit(harmless(f"{mark}  {finding.what}: {finding.said}"))
            if finding.hint and finding.is_fine is not True:
                emit(harmless(f"      {finding.hint}"))
    return 4 if any(finding.is_fine is False for finding in findings) else 0


def _findings(store: str | None) -> Iterator[Finding]:
    yield _python()
    yield _checked("store", lambda: _store(store))
    yield _checked("data folder", _data_folder)
    yield from _benchmarks()
    yield from _keys()
    yield _local()
    yield from _plugins()


def _checked(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, look())
    except SafemarkError as error:
        return Finding(what, False, error.problem, error.hint)


def _python() -> Finding:
    import platform

    from safemark import __version__

    return Finding("safemark", True, f"{__version__} on Python {platform.python_version()}")


def _store(url: str | None) -> str:
    from safemark.store import Store

    with Store(url) as opened:
        runs = len(opened.runs())
    return f"{opened.shown_url}, {runs} run{'' if runs == 1 else 's'}"


def _data_folder() -> str:
    from safemark.data import cache_folder, mirrors
    from safemark.errors import StoreError

    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be made: {error.strerror}", "set SAFEMARK_CACHE to another folder"
        ) from error
    if not os.access(folder, os.W_OK):
        raise StoreError(f"{folder} is not writable", "set SAFEMARK_CACHE to another folder")
    named = ", ".join(map(str, mirrors()))
    return f"{folder}" + (f"; mirrors: {named}" if named else "")


def _benchmarks() -> Iterator[Finding]:
    from safemark import registry
    from safemark.data import find
    from safemark.errors import DataError

    for name in registry.names("benchmark"):
        try:
            source = registry.benchmark(name).source
            if source is None:
                yield Finding(name, True, "embedded")
                continue
            found = find(source)
        except DataError as error:
            yield Finding(name, False, error.problem, error.hint)
            continue
        if not found.files:
            yield Finding(name, None, "not downloaded", f"safemark data pull {name}")
        else:
            yield Finding(name, True, found.partial or f"all {len(found.files)} files verified")


def _keys() -> Iterator[Finding]:
    from safemark.models.providers import PROVIDERS

    unset = []
    for name, row in PROVIDERS.items():
        set_one = next((one for one in row.key_variables if os.environ.get(one)), None)
        if set_one or name in ASKED_MOST:
            said = f"{set_one} is set" if set_one else f"{row.key_variable} is not set"
            hint = f"export {row.key_variable}=…  to ask {name}/… models"
            yield Finding(name, True if set_one else None, said, hint)
        elif row.needs_key:
            unset.append(name)
    if unset:
        said = f"no key for {', '.join(unset)}"
        yield Finding("others", None, said, "safemark list models  shows the variables")


def _local() -> Finding:
    from importlib.util import find_spec

    if find_spec("torch") is None or find_spec("transformers") is None:
        return Finding(
            "local models", None, "torch is not installed", "pip install 'safemark[local]'"
        )
    from safemark.models.connect import REFERENCE
    from safemark.models.local.devices import described

    if not (REFERENCE / "model.safetensors").is_file():
        return Finding(
            "local models", False, "the reference model is missing", "reinstall safemark"
        )
    return Finding("local models", True, f"{described()}; reference is here")


def _plugins() -> Iterator[Finding]:
    from safemark import registry

    for kind in registry.KINDS:
        for name, entry in registry.foreign(kind).items():
            try:
                entry.load()
                yield Finding(f"{kind} {name}", True, f"from {entry.value}")
            except (ImportError, AttributeError) as error:
                yield Finding(
                    f"{kind} {name}", False, f"{entry.value}: {error}", "update or remove it"
                )
