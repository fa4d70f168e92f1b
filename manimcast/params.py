"""What a client hands to a scene as ``PARAMS``: a JSON object of bounded size.

One scene and a list of these make a series of videos: certificates, worksheets, variants.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import to_json

MAX_BYTES = 64 * 1024
"""Of all parameters together, written as JSON."""
MAX_DEPTH = 32
"""Lists and objects within each other; the outermost object counts."""
NAME = "PARAMS"
"""What a scene knows them by."""


def _check(params: dict[str, Any]) -> dict[str, Any]:
    """Return ``params`` if it is JSON within the bounds, else raise :class:`ValueError`, which names what is wrong."""
    waiting: list[tuple[str, Any, int]] = [("params", params, 1)]
    while waiting:
        where, value, depth = waiting.pop()
        match value:
            case dict() | list():
                if depth > MAX_DEPTH:
                    raise ValueError(f"params must not be nested more than {MAX_DEPTH} levels deep")
                waiting += ((f"{where}{name}"[:200], item, depth + 1) for name, item in _items(where, value))
            case str():
                _text(where, value)
            case float() if not math.isfinite(value):
                raise ValueError(f"{where} must be a finite number")
            case None | bool() | int() | float():
                pass
            case _:
                raise ValueError(f"{where} must be text, a number, true, false, null, a list or an object")
    size = len(to_json(params))
    if size > MAX_BYTES:
        raise ValueError(f"params must not be longer than {MAX_BYTES} bytes as JSON; it has {size}")
    return params


def _items(where: str, value: dict[Any, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        yield from ((f"[{index}]", item) for index, item in enumerate(value))
        return
    for name, item in value.items():
        if not isinstance(name, str):
            raise ValueError(f"{where} must have names that are text")  # noqa: TRY004  pydantic's way to refuse
        _text(where, name)
        yield f".{name}", item


def _text(where: str, text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        where = where.encode("utf-8", "replace").decode()
        raise ValueError(f"{where} is not valid Unicode text: it has a lone surrogate") from None


Params = Annotated[dict[str, Any], AfterValidator(_check)]
"""A JSON object of at most :data:`MAX_BYTES`, no deeper than :data:`MAX_DEPTH`."""
