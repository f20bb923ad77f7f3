"""A run from the store and the same run from a file compare alike; what is no baseline says so."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from safemark import secrets
from safemark.errors import UnknownName, UsageError
from safemark.reports.compare import compare
from safemark.reports.sides import FORMAT, baseline_text, from_file, opened
from safemark.store import Store
from safemark.types import Reason
from tests.reports.runs import crows_run, xstest_run

YES, NO = "compliance", "refusal"


@pytest.fixture
def store() -> Iterator[Store]:
    kept = Store("sides.db")
    xstest_run(kept, "20261120-main", [YES, NO, Reason.TIMEOUT], [NO, YES], repeats=2)
    crows_run(kept, "20261121-other", [True, False, True, True], clusters=2)
    yield kept
    kept.close()


def written(store: Store, run: str) -> Path:
    file = Path(f"{run}.json")
    file.write_bytes(baseline_text(store, store.run(run)))
    return file


@pytest.mark.parametrize("run", ["20261120-main", "20261121-other"])
def test_a_run_in_a_file_is_the_run_in_the_store(store: Store, run: str) -> None:
    kept, filed = opened(run, lambda: store), from_file(written(store, run))
    assert filed.run.source == "file"
    assert msgspec.structs.replace(filed.run, label=kept.run.label, source="store") == kept.run
    for one, other in zip(kept.parts, filed.parts, strict=True):
        assert one.head == other.head
        a, b = one.outcomes(), other.outcomes()
        assert (a.sample, a.cluster, a.kinds) == (b.sample, b.cluster, b.kinds)
        assert np.array_equal(a.kind, b.kind)
        assert np.array_equal(a.repeat, b.repeat)
    assert not any(part.moved for part in compare([filed, kept]).pairs[0].parts)


def test_a_baseline_holds_the_document_and_no_text_and_is_the_same_each_time(store: Store) -> None:
    first = baseline_text(store, store.run("20261120-main"))
    assert first == baseline_text(store, store.run("20261120-main"))
    assert b'"said"' not in first
    read = json.loads(first)
    assert read["safemark_baseline"] == FORMAT
    assert read["document"]["run"] == "20261120-main"
    assert len(first.splitlines()) == 5 + len(read["parts"])


def test_a_secret_that_is_known_by_now_reaches_no_file(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "_known", {"fake/20261120-main"})
    assert b"fake/20261120-main" not in baseline_text(store, store.run("20261120-main"))


def test_a_run_is_found_by_id_name_or_model(store: Store) -> None:
    store.name_run("release/1.2", "20261120-main")
    found = {name: opened(name, lambda: store).run for name in ("20261120", "release/1.2", "fake/20261121-other", "last")}  # fmt: skip
    assert found["20261120"].run == found["release/1.2"].run == "20261120-main"
    assert found["fake/20261121-other"].run == "20261121-other"
    assert found["release/1.2"].label == "release/1.2"
    assert found["last"].label == found["last"].run
    with pytest.raises(UnknownName, match="no run called `nothing`"):
        opened("nothing", lambda: store)


def test_a_file_needs_no_store(store: Store) -> None:
    def no_store() -> Store:
        raise AssertionError("a file was named")

    file = written(store, "20261120-main")
    assert opened(str(file), no_store).run.run == "20261120-main"
    with pytest.raises(UsageError, match="cannot be read"):
        opened("missing.json", no_store)


def damaged(read: dict[str, Any], **changes: Any) -> bytes:
    read["parts"][0].update(changes)
    return json.dumps(read).encode()


def test_a_file_that_is_no_baseline_or_another_or_damaged_is_refused(store: Store) -> None:
    file = written(store, "20261120-main")
    whole = json.loads(file.read_bytes())

    def refused(text: bytes) -> str:
        file.write_bytes(text)
        with pytest.raises(UsageError) as found:
            from_file(file)
        assert "safemark runs export" in found.value.hint
        return found.value.problem

    assert "is no baseline file" in refused(b"{}")
    assert "is no baseline file" in refused(b"\xff\xfe")
    assert "is no baseline file" in refused(b"[1, 2")
    later = json.dumps({"safemark_baseline": 2, "safemark": "9.0", "else": 1}).encode()
    assert "not comparable because" in refused(later)
    assert "format 2 (Safemark 9.0); this one reads 1" in refused(later)
    n = len(whole["parts"][0]["sample"])
    for changes in (
        {"kind": [99] * n},
        {"kind": [-1] * n},
        {"kind": [0]},
        {"cluster": [0] * n},
        {"repeat": [2**40] * n},
        {"repeat": [-1] * n},
        {"sample": ["a"]},
        {"kind": "no list"},
        {"kinds": [{"absent": "no reason"}]},
    ):
        assert "is damaged" in refused(damaged(json.loads(json.dumps(whole)), **changes))
    assert "is damaged" in refused(json.dumps({**whole, "parts": None}).encode())


def test_names_move_and_go_with_their_run(store: Store) -> None:
    store.name_run("main", "20261120-main")
    store.name_run("main", "20261121-other")
    store.name_run("old", "20261120-main")
    assert store.run_names() == {"main": "20261121-other", "old": "20261120-main"}
    assert store.run("main").id == "20261121-other"
    store.remove_run("20261121-other")
    assert store.run_names() == {"old": "20261120-main"}
    store.forget_name("old")
    assert store.run_names() == {}
