"""One run of TeX in a child of the warm process that has seen nothing but the document, or the preamble."""

from __future__ import annotations

import asyncio
from pathlib import Path

from manimcast import wire
from manimcast.executors.preambles import Format
from manimcast.sandbox.host.collect import CollectError, take
from manimcast.sandbox.host.launch import Child
from manimcast.sandbox.host.scratch import scratch
from manimcast.sandbox.host.zygote import Zygote, ZygoteError
from manimcast.tex import FORMAT, MAX_FORMAT

PARTING_SECONDS = 5.0
"""How long the child may take beyond its own limit, to say that it was passed."""


async def typeset_in_child(
    zygote: Zygote, job: wire.TexJob, dumped: Format | None = None, *, beside: Path
) -> wire.TexDone:
    """Typeset the document of ``job`` in a child of ``zygote``, which is gone when this returns or is cancelled.

    ``dumped`` is the format of its preamble, if there is one. Raises
    :class:`~manimcast.sandbox.host.zygote.ZygoteError`, :class:`OSError`, or :class:`~manimcast.wire.WireError` when
    the child does not speak as it should.
    """
    async with scratch(zygote, "tex", beside) as folder:
        child = await Child.start(zygote, scratch=folder)

        async def pass_on() -> None:
            if dumped is not None:
                await child.pass_on(dumped, dumped.offset, dumped.size)

        try:
            child.send(job.model_copy(update={"format_bytes": dumped.size if dumped is not None else 0}))
            async with asyncio.timeout(job.limits.seconds + PARTING_SECONDS):
                done = await child.only_answer(wire.parse_from_tex, max_frame=wire.MAX_TEX_FRAME, greeted_with=pass_on)
                return done or wire.TexDone(reason="unavailable")  # it died without a word
        except TimeoutError:
            return wire.TexDone(reason="timeout", log=f"! {job.compiler} did not end in time.")
        finally:
            await child.end()


async def dump_in_child(zygote: Zygote, job: wire.FormatJob, target: Path, *, beside: Path) -> bool:
    """Dump the preamble of ``job`` in a child of ``zygote`` to the new file ``target``; return whether it could be.

    Nobody looks into what it left. Raises as :func:`typeset_in_child`, and :class:`TimeoutError`.
    """
    async with scratch(zygote, "tex", beside) as folder:
        child = await Child.start(zygote, scratch=folder)
        try:
            child.send(job)
            async with asyncio.timeout(job.limits.seconds + PARTING_SECONDS):
                done = await child.only_answer(wire.parse_from_format)
            if done is None:
                raise ZygoteError("it ended without a word")
            if not done.made:
                return False
            return await asyncio.to_thread(_take, child.directory(), target)
        finally:
            await child.end()


def _take(directory: int, target: Path) -> bool:
    try:
        return take(directory, FORMAT, target, limit=MAX_FORMAT) > 0
    except CollectError:
        return False
