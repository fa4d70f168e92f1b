"""More text files that a client posts beside its code: modules to import, tables to read."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from manimcast.names import FileName, check_together

MAX_FILES = 100
MAX_CHARACTERS = 1_000_000
"""Of all files together."""


def _check(files: dict[str, str]) -> dict[str, str]:
    """Return ``files`` if they can be written, else raise :class:`ValueError`, which names the file."""
    total = sum(map(len, files.values()))
    if total > MAX_CHARACTERS:
        raise ValueError(f"files must not have more than {MAX_CHARACTERS} characters together; they have {total}")
    for name, text in files.items():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(f"files.{name} is not valid Unicode text: a lone surrogate at {error.start}") from None
    try:
        check_together(files)
    except ValueError as error:
        raise ValueError(f"files: {error}") from None
    return files


Text = Annotated[str, StringConstraints(strict=True)]
Files = Annotated[dict[FileName, Text], Field(max_length=MAX_FILES), AfterValidator(_check)]
"""Texts by the names of their files. The scene's folder has them before its first line runs."""
