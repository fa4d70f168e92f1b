"""How a command ends: its exit codes, and the one way in which it complains."""

from __future__ import annotations

import sys
import unicodedata
from typing import NoReturn

import typer

OK = 0
SCENE_FAILED = 1
WRONG_USAGE = 2
NO_EXECUTOR = 3
INTERRUPTED = 130
"""128 and SIGINT, as shells count."""
TERMINATED = 143
"""128 and SIGTERM."""

DOCTOR = "`manimcast doctor` tells what is missing and how to get it"
WHENCE = "the setting comes from the environment or from .env in this folder"

_KEPT = "\n\t"
_BIDI = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def printable(text: str) -> str:
    """Return ``text`` with what could drive a terminal (escape sequences, text direction) made visible."""
    return "".join(
        character
        if character in _KEPT or not (unicodedata.category(character) in {"Cc", "Cs"} or character in _BIDI)
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def gist(reason: str) -> str:
    """Return ``reason`` without the middle of a traceback: what was being done, and what went wrong."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    if len(lines) > 4 and any(line.startswith("Traceback ") for line in lines):
        return f"{lines[0]} {lines[-1]}"
    return "\n".join(lines)


def complain(message: str, *, hint: str | None = None) -> None:
    """Print ``message``, and what would help, to standard error."""
    print(f"manimcast: {printable(message)}", file=sys.stderr)
    if hint:
        print(f"hint: {printable(hint)}", file=sys.stderr)


def refuse(message: str, *, hint: str | None = None, code: int = WRONG_USAGE) -> NoReturn:
    """End the command with ``message`` and the exit code ``code``."""
    complain(message, hint=hint)
    raise typer.Exit(code)
