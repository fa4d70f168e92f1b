"""One run of TeX in a child of the warm process that has seen nothing but the document."""

from __future__ import annotations

import asyncio
from pathlib import Path

from manimcast import wire
from manimcast.sandbox.host.launch import Child
from manimcast.sandbox.host.scratch import scratch
from manimcast.sandbox.host.zygote import Zygote

PARTING_SECONDS = 5.0
"""How long the child may take beyond its own limit, to say that it was passed."""


async def typeset_in_child(zygote: Zygote, job: wire.TexJob, *, beside: Path) -> wire.TexDone:
    """Typeset the document of ``job`` in a child of ``zygote``, which is gone when this returns or is cancelled.

    Raises :class:`~manimcast.sandbox.host.zygote.ZygoteError`, :class:`OSError`, or
    :class:`~manimcast.wire.WireError` when the child does not speak as it should.
    """
    async with scratch(zygote, "tex", beside) as folder:
        child = await Child.start(zygote, scratch=folder)
        try:
            child.send(job)
            async with asyncio.timeout(job.limits.seconds + PARTING_SECONDS):
                done = await child.only_answer(wire.parse_from_tex, max_frame=wire.MAX_TEX_FRAME)
                return done or wire.TexDone(reason="unavailable")  # it died without a word
        except TimeoutError:
            return wire.TexDone(reason="timeout", log=f"! {job.compiler} did not end in time.")
        finally:
            await child.end()
