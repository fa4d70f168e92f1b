"""A loop whose clock tests put forward, so that a time limit is met when a test wants it to be, and only then.

Limits in tests are far longer than anything takes on a slow machine. One that a test is about expires on a condition:
when what has to come before it has come.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from tests.patience import PATIENCE, eventually

T = TypeVar("T")


class Loop(asyncio.SelectorEventLoop):
    """A loop on whose clock time also passes when :func:`pass_time` says so."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do as ``asyncio.run`` does, on such a loop."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(work)


def pass_time(seconds: float) -> None:
    """Put the running loop's clock forward."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Loop)
    loop.ahead += seconds


@asynccontextmanager
async def expiring(
    seconds: float, when: Callable[[], object] | None, *, what: str = "what was to happen before the time limit"
) -> AsyncIterator[None]:
    """Have so many seconds pass once ``when()``, or what it is awaited for, holds, as it has to.

    None is for what is not to expire.
    """
    if when is None:
        yield
        return

    async def put_forward() -> None:
        await eventually(when, what, patience=PATIENCE)
        pass_time(seconds)

    waiting = asyncio.create_task(put_forward())
    try:
        yield
        assert waiting.done(), f"it ended before {what}"
        waiting.result()
    finally:
        waiting.cancel()
        await asyncio.wait({waiting})
