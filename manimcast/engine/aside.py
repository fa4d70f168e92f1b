"""Do something in a forked process, so that this one stays as it is: without the threads, above all, that it starts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any


class AsideError(Exception):
    """The other process did not come to an end by itself."""


def call(work: Callable[[], Any]) -> Any:
    """Return what ``work`` returns, which JSON can hold, from a process of its own.

    Raises :class:`AsideError` when it raises there, or ends otherwise.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with os.fdopen(writer, "w", encoding="utf-8") as answer:
                json.dump(work(), answer)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as answer:
        text = answer.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise AsideError(f"the process ended with status {os.waitstatus_to_exitcode(status)}")
    return json.loads(text)
