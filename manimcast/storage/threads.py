"""Calls that block, each in a thread of its own that does not keep the process from ending.

obstore's coroutines are not used: a thread of theirs may still want the interpreter when it is on its way out, after
the result has long been there, and then the whole process aborts instead of ending (CPython before 3.14). Its calls
that block have no such thread; what they come to is known when ours has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

Result = TypeVar("Result")


class Threads:
    """The threads of one user, who bounds how many there are."""

    def __init__(self) -> None:
        self._running: set[threading.Thread] = set()

    async def run(self, call: Callable[[], Result]) -> Result:
        """Return what ``call`` returns. To be canceled leaves the thread to itself."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()

        def tell(settle: Callable[[], None]) -> None:
            if not future.done():  # else nobody waits any more
                settle()

        def work() -> None:
            try:
                settle = partial(future.set_result, call())
            except Exception as error:  # noqa: BLE001 - it is for whoever waits
                settle = partial(future.set_exception, error)
            with contextlib.suppress(RuntimeError):  # the loop may have ended
                loop.call_soon_threadsafe(tell, settle)
            self._running.discard(thread)

        thread = threading.Thread(target=work, name="bucket", daemon=True)
        self._running.add(thread)
        thread.start()
        return await future

    async def join(self, timeout: float) -> None:
        """Wait until all threads have ended, for ``timeout`` seconds at most."""
        deadline = asyncio.get_running_loop().time() + timeout
        for thread in list(self._running):
            left = deadline - asyncio.get_running_loop().time()
            await asyncio.to_thread(thread.join, max(0.0, left))
