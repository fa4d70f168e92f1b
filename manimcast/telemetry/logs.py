"""Log lines: `[INFO] ...` for people, one JSON object a line for machines.

A record with ``extra={"tag": "MODAL"}`` is shown to people as `[MODAL] ...`; in JSON it has its level and the tag.

Everything goes through the standard library's root logger, so that modules may use :mod:`logging` or
structlog, and libraries (uvicorn among them) come out in the same shape. What a client wrote may be in a line;
control characters are escaped, so that nobody forges a second one.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from manimcast.settings import LogFormat

EventDict = MutableMapping[str, Any]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LIBRARIES = {
    "uvicorn": logging.WARNING,
    "uvicorn.error": logging.WARNING,
    "uvicorn.access": logging.WARNING,  # with query strings, which carry signatures
    "asyncio": logging.WARNING,
    "alembic": logging.WARNING,
}
"""Libraries that say at INFO what the service says in its own words."""


def configure(log_format: LogFormat, level: str, *, stream: TextIO | None = None) -> None:
    """Send all log lines of ``level`` and above to ``stream``, by default standard output.

    May be called again; the last call counts.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _without_colours,
    ]
    render = _json_line if log_format is LogFormat.json else _console_line
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.processors.format_exc_info],
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            render,
        ],
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _LIBRARIES.items():
        library = logging.getLogger(name)
        library.handlers.clear()  # the uvicorn command gives itself some
        library.propagate = True
        library.setLevel(level if level == "DEBUG" else max(least, logging.getLevelName(level)))


def _without_colours(_logger: object, _method: str, event: EventDict) -> EventDict:
    # uvicorn repeats its message with terminal colours in it.
    event.pop("color_message", None)
    return event


def _console_line(_logger: object, _method: str, event: EventDict) -> str:
    level = str(event.pop("level", "info")).upper()
    tag = event.pop("tag", None)
    event.pop("timestamp", None)
    trace = event.pop("exception", None)
    parts = [f"[{_one_line(str(tag or level))}]", _one_line(str(event.pop("event", "")))]
    parts += [f"{key}={_one_line(str(value))}" for key, value in event.items()]
    line = " ".join(parts)
    return f"{line}\n{trace}" if trace else line


def _json_line(_logger: object, _method: str, event: Mapping[str, Any]) -> str:
    fields = dict(event)
    first = {"timestamp": fields.pop("timestamp"), "level": fields.pop("level", "info")}
    first["message"] = str(fields.pop("event", ""))
    return json.dumps(first | fields, default=str)


def _one_line(text: str) -> str:
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)
