"""docs/reference/settings.md and .env.example say what settings.py says, in the same words."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from manimcast.settings import Settings
from tests.docs.pages import REFERENCE, ROOT

PAGE = (REFERENCE / "settings.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def default(field: FieldInfo) -> str:
    """The default as one would write it in the environment; empty for none."""
    value = field.default
    match value:
        case None | ():
            return ""
        case bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case float():
            return f"{value:.15g}"
        case Path() | int() | str():
            return str(value)
        case _:
            raise TypeError(f"say how a default such as {value!r} is written")


def row(name: str, field: FieldInfo) -> str:
    """The row of the reference page."""
    value = default(field)
    return f"| `{name.upper()}` | {f'`{value}`' if value else ''} | {field.description} |"


def entry(name: str, field: FieldInfo) -> str:
    """The two lines of .env.example."""
    return f"# {field.description}\n#{name.upper()}={default(field)}\n"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_setting_is_described_as_in_the_code(name: str) -> None:
    field = Settings.model_fields[name]
    assert row(name, field) in PAGE.splitlines(), "docs/reference/settings.md lacks this row"
    assert entry(name, field) in EXAMPLE, ".env.example lacks these lines"


def test_nothing_is_described_that_does_not_exist() -> None:
    known = {name.upper() for name in Settings.model_fields}
    assert set(re.findall(r"^\| `([A-Z_0-9]+)` \|", PAGE, re.MULTILINE)) == known
    assert set(re.findall(r"^#?([A-Z_0-9]+)=", EXAMPLE, re.MULTILINE)) == known


def test_the_example_is_what_happens_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    without = Settings()
    (tmp_path / ".env").write_text(EXAMPLE)
    assert Settings() == without
    (tmp_path / ".env").write_text(re.sub(r"^#([A-Z_0-9]+=)", r"\1", EXAMPLE, flags=re.MULTILINE))
    assert Settings() == without
