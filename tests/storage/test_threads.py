"""Calls that block, in threads that keep nobody waiting."""

from __future__ import annotations

import asyncio
import re
import threading
from pathlib import Path

import pytest

import manimcast.storage
from manimcast.storage.threads import Threads
from tests.patience import eventually

pytestmark = pytest.mark.anyio


def alive() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "bucket"]


async def test_results_and_errors_come_back() -> None:
    threads = Threads()

    def fail() -> None:
        raise ValueError("as told")

    assert await threads.run(lambda: threading.current_thread().name) == "bucket"
    with pytest.raises(ValueError, match="as told"):
        await threads.run(fail)
    await threads.join(60)
    assert alive() == []


async def test_who_waits_may_leave_and_the_end_waits_for_a_moment_only() -> None:
    threads, go_on = Threads(), threading.Event()
    waiting = asyncio.create_task(threads.run(go_on.wait))
    await eventually(alive, "the thread")
    waiting.cancel()
    await asyncio.wait({waiting})
    await threads.join(0.01)
    assert [thread.daemon for thread in alive()] == [True]
    go_on.set()
    await threads.join(60)
    assert alive() == []


def test_a_loop_that_has_ended_is_no_trouble() -> None:
    threads, go_on = Threads(), threading.Event()

    async def leave() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(threads.run(go_on.wait), 0.01)

    asyncio.run(leave())
    (left,) = alive()
    go_on.set()
    left.join(60)
    assert not left.is_alive()


def test_no_coroutine_of_obstore_is_used() -> None:
    """They may abort a process that ends; how often depends on the machine, so what is tested is the rule."""
    sources = Path(manimcast.storage.__file__).parent.glob("*.py")
    used = [path.name for path in sources if re.search(r"\bobstore\.\w+_async\b", path.read_text())]
    assert used == []
