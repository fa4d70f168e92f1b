"""Waiting for what must come, however slow the machine is and whatever else it does.

A test that waits says what for. ``PATIENCE`` only bounds how long one waits for what never comes, so that it fails by
name; it says nothing about how long anything may take.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds. More than anything takes on a machine that is ten times as slow as it should be; less than a test may."""


def until(condition: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """Wait until ``condition`` returns something true, and return that; fail, naming ``what``, when it never does."""
    deadline = time.monotonic() + patience
    while not (held := condition()):
        assert time.monotonic() < deadline, f"{what} did not come about"
        time.sleep(0.01)
    return held


async def eventually(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Do as ``until`` does while all else of this loop goes on; what ``condition`` returns may have to be awaited.

    What had been started by then has had its first turn.
    """
    deadline = time.monotonic() + patience
    while True:
        held = condition()
        if inspect.isawaitable(held):
            held = await held
        if held:
            break
        assert time.monotonic() < deadline, f"{what} did not come about"
        await asyncio.sleep(0.01)
    await asyncio.sleep(0)
    return held
