"""`--params` and `--param`: what the scene sees as ``PARAMS``, from a file, from JSON on the command line, by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from manimcast.cli.outcome import refuse

PARAMS = Annotated[
    str | None,
    typer.Option(
        "--params",
        metavar="JSON|FILE",
        help="What the scene sees as PARAMS: a JSON object, or a file that has one.",
    ),
]
PARAM = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="NAME=VALUE",
        help="One entry of PARAMS; JSON, or else text. May be repeated, and wins over --params.",
    ),
]


def read_params(whole: str | None, single: list[str] | None) -> dict[str, Any]:
    """Return the parameters that the two options name. What is wrong with them ends the command."""
    found = _whole(whole) if whole is not None else {}
    for entry in single or ():
        name, separator, value = entry.partition("=")
        if not separator or not name:
            refuse(f"--param: {entry!r} is not NAME=VALUE")
        found[name] = _value(value)
    return found


def _whole(given: str) -> dict[str, Any]:
    text = given
    if not given.lstrip().startswith("{"):
        try:
            text = Path(given).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            refuse(f"--params: cannot read {given}: {reason}", hint="a JSON object begins with {")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        refuse(f"--params: not JSON: {error}")
    if not isinstance(found, dict):
        refuse("--params: must be a JSON object")
    return found


def _value(text: str) -> Any:
    """Return what ``text`` stands for: JSON where it is that, so that ``3`` is a number; else itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
