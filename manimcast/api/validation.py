"""What is wrong with a request, field by field, in plain words.

pydantic's own messages speak of types and literals; a client wants to read what to send instead. A field is named by
the way to it, as in ``renders[3].assets[0].name``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from manimcast.api.elsewhere import what_is_meant
from manimcast.api.problems import Problem, ProblemError

FieldError = dict[str, str]
"""``{"field": name, "message": sentence}``; the message names the field too."""

NO_CODE = "No code provided"

_PLAIN = {
    "missing": "is required",
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
    "string_too_long": "must not be longer than {max_length} characters",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "too_long": "must not have more than {max_length} entries",
    "too_short": "must have entries; it has none",
}

_TYPES = {"string_type", "bool_type", "int_type", "float_type", "dict_type", "model_type", "tuple_type", "list_type"}
"""What is of another type than it should be; then it helps to read what it was taken for."""


def refuse(errors: Iterable[FieldError]) -> ProblemError:
    """Return the problem that names every wrong field."""
    listed = list(errors)
    return ProblemError(Problem.invalid_request, "; ".join(error["message"] for error in listed), errors=listed)


def explain(
    error: ValidationError, model: type[BaseModel], *, names: Mapping[str, str] | None = None
) -> list[FieldError]:
    """Return what ``error`` says in plain words, one entry for each wrong field.

    ``model`` is what the client was to send; ``names`` maps the names of fields to its, where they differ.
    """
    found: dict[str, FieldError] = {}
    for item in error.errors(include_url=False):
        entry = _explain(item, model, names or {})
        found.setdefault(entry["field"] or entry["message"], entry)
    return list(found.values())


def explain_parameters(items: Iterable[ErrorDetails]) -> list[FieldError]:
    """Return the same for the parameters of a request, whose locations begin with where they stand."""
    found: dict[str, FieldError] = {}
    for item in items:
        located: ErrorDetails = {**item, "loc": item["loc"][1:2]}
        entry = _explain(located, BaseModel, {})
        found.setdefault(entry["field"], entry)
    return list(found.values())


def _explain(item: ErrorDetails, model: type[BaseModel], names: Mapping[str, str]) -> FieldError:
    path = list(item["loc"])
    if path[-1:] == ["[key]"]:  # the name of something in an object is wrong, which the message has
        path = path[:-2]
    if path and isinstance(path[0], str):
        path[0] = names.get(path[0], path[0])
    field = field_at(path)
    kind = item["type"]
    context = item.get("ctx", {})
    if field == "code" and kind in {"missing", "string_too_short"}:
        return {"field": field, "message": NO_CODE}
    if kind == "extra_forbidden":
        helps = f"; {what_is_meant(field, model.model_fields)}" if len(path) == 1 else ""
        return {"field": field, "message": f"there is no field {field!r}{helps}"}
    if kind == "value_error":
        message = item["msg"].removeprefix("Value error, ")
        if field and message != NO_CODE and not message.startswith(str(path[0])):
            message = f"{field}: {message}"
        return {"field": field or message.partition(" ")[0].rstrip(":"), "message": message}
    if kind in {"enum", "literal_error"}:
        return {"field": field, "message": f"{field} must be one of {str(context['expected']).replace(chr(39), '')}"}
    if kind == "string_pattern_mismatch" and field == "background_color":
        return {"field": field, "message": f"{field} must be #rgb, #rrggbb, #rrggbbaa or the name of a Manim colour"}
    if kind == "string_pattern_mismatch" and path[0] == "assets":
        what = "the id of an asset, ast_ and 64 hexadecimal digits, as POST /v1/assets answers it"
        return {"field": field, "message": f"{field} must be {what}"}
    plain = _PLAIN.get(kind)
    words = plain.format(**context) if plain else item["msg"][:1].lower() + item["msg"][1:]
    if kind in _TYPES:
        example = _example(path, model)
        words += f", such as {_shortened(example)}" if isinstance(example, dict | list) else ""
        words += f"; it is {kind_of(item['input'])}"
    return {"field": field, "message": f"{field} {words}"}


def _example(path: list[str | int], model: type[BaseModel]) -> Any:
    """Return what the model shows to be sent at the end of ``path``; None when it shows nothing."""
    field = model.model_fields.get(str(path[0])) if path else None
    found: Any = field.examples[0] if field is not None and field.examples else None
    for part in path[1:]:
        match found:
            case dict():
                found = found.get(part)
            case [first, *_]:
                found = first
            case _:
                return None
    return found


def _shortened(example: Any) -> str:
    return re.sub(r'"(\w{8})\w{24,}"', r'"\1..."', json.dumps(example))


def field_at(path: Iterable[str | int]) -> str:
    """Return the name of the field to which ``path`` leads, through names and positions."""
    field = ""
    for part in path:
        field += f"[{part}]" if isinstance(part, int) else f".{part[:60]}"
    return field.removeprefix(".")


def kind_of(value: object) -> str:
    """Return what JSON calls ``value``."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list() | tuple():
            return "a list"
        case _:
            return "an object"
