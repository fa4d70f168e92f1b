"""Before the first scene runs: attacks in a real confined child, on things that are planted for them."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from pathlib import Path

from manimcast import wire
from manimcast.sandbox.host.launch import Child
from manimcast.sandbox.host.scratch import scratch
from manimcast.sandbox.host.zygote import Zygote, ZygoteError

PATIENCE = 30.0
"""Seconds that they may take; they take a few hundredths of one."""
PLANTED = "planted"


async def prove(zygote: Zygote) -> tuple[str, ...]:
    """Return which attacks came through; none does in the full tier.

    Raises :class:`ZygoteError` when they could not be tried.
    """
    with tempfile.TemporaryDirectory(prefix="manimcast-canary-") as folder:
        place = Path(folder)
        await asyncio.to_thread(_plant, place)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            job = wire.CanaryJob(secret=str(place / PLANTED), port=listener.getsockname()[1], pid=os.getpid())
            async with scratch(zygote, "canary", place) as work:
                done = await _tried(zygote, job, work)
    if done is None:
        raise ZygoteError("the canary attacks could not be tried: the child could not be set up")
    return done.escaped


async def _tried(zygote: Zygote, job: wire.CanaryJob, work: Path | None) -> wire.CanaryDone | None:
    child = await Child.start(zygote, scratch=work)
    try:
        child.send(job)
        async with asyncio.timeout(PATIENCE):
            return await child.only_answer(wire.parse_from_canary)
    except (TimeoutError, wire.WireError) as error:
        raise ZygoteError(f"the canary attacks could not be tried: {error or 'no answer'}") from None
    finally:
        await child.end()


def _plant(place: Path) -> None:
    """Put a file that is nobody's business into a folder that others may only pass through."""
    place.chmod(0o711)
    (place / PLANTED).touch(mode=0o600)
    (place / PLANTED).write_text("nobody's business")
