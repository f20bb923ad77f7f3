"""What a person's file says, and in one sentence why that cannot be told."""

from datetime import date
from pathlib import Path

import pytest

from safemark.errors import UsageError
from safemark.files import text_in, yaml_in, yaml_of


def test_plain_values_are_read() -> None:
    read = yaml_of("a: 1\nb: [x, {c: 2026-01-02}]\n", "the file")

    assert read == {"a": 1, "b": ["x", {"c": date(2026, 1, 2)}]}
    assert yaml_of("", "the file") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "names `a` twice, in lines 1 and 2"),
        ("b:\n  - {c: 1, c: 2}", "names `c` twice, in line 2"),
        ("a: [1", r"is not YAML: .* \(line \d\)"),
        ("a: !!python/object/apply:os.getcwd []", "is not YAML"),
        ("a: 2026-99-99", "is not YAML"),
    ],
)
def test_a_mistake_is_told_on_one_line(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        yaml_of(text, "the file")
    assert "\n" not in str(error.value)
    assert error.value.hint


def test_a_file_that_is_not_there_is_perhaps_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the rules .*gone\.yaml cannot be read") as error:
        yaml_in(tmp_path / "gone.yaml", "the rules")
    assert "path" in str(error.value.hint)


def test_other_bytes_are_told(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        text_in(tmp_path / "one", "the rules")
