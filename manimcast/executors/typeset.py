"""Answer what renders ask of TeX: from the shared cache, or by a run of TeX that has seen nothing of the scene.

A render never fills the cache, and nothing is made of several documents at once: in a shared run one expression can
redefine the next. What is kept under a document is what a confined process of its own made of exactly that document.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from manimcast.cache import EntryStore
from manimcast.settings import MIB, Settings
from manimcast.tex import TexDocument, TexLimits
from manimcast.wire import TexDone, TexJob, Typeset, Typesetting

log = logging.getLogger(__name__)

LAYOUT = 1
VERSIONS = ("manim", "latex", "dvisvgm", "tex")
"""Which entries of the engine's fingerprint decide what a document looks like."""
MAX_FILE = 64 * MIB
"""Bytes of any file that TeX or dvisvgm write."""

PASSING = re.compile(
    r"\\(?:today|year|month|day|time|DTM\w*)(?![A-Za-z])|\\c_sys_|datetime|random|\brand\b|\brnd\b"
    r"|uniformdeviate|normaldeviate|elapsedtime|directlua|luacode"
)
"""What makes a document another one tomorrow, or each time: the date, the clock, chance."""

Run = Callable[[TexJob], Awaitable[TexDone]]
"""Typesets one document in a confined process of its own. May raise any :class:`Exception`."""


@dataclass
class _Flight:
    """A run, and how many wait for it."""

    task: asyncio.Task[TexDone]
    waiting: int = 0


class Typesetter:
    """Make each document once, for all renders of this service.

    Parameters
    ----------
    store
        Where results are kept, if anywhere.
    seconds
        How long one run may take.
    at_once
        How many runs there may be at once.

    Attributes
    ----------
    runs
        How often TeX was run.
    """

    def __init__(self, store: EntryStore | None, *, seconds: float, at_once: int) -> None:
        self._store = store
        self._limits = TexLimits(seconds=seconds, file_bytes=MAX_FILE)
        self._room = asyncio.Semaphore(at_once)
        self._flights: dict[str, _Flight] = {}
        self.runs = 0

    @classmethod
    def from_settings(cls, settings: Settings, *, cached: bool = True) -> Typesetter:
        """Return one for this service; without a cache each document is made anew."""
        store = None
        if cached and settings.tex_cache_mib:
            store = EntryStore(settings.data_dir / "cache" / "tex", settings.tex_cache_mib * MIB)
        return cls(store, seconds=settings.tex_timeout, at_once=settings.slots)

    async def answer(self, question: Typeset, versions: Mapping[str, str], run: Run) -> Typesetting:
        """Return the answer to a render's question; ``versions`` is the fingerprint of what ``run`` would run."""
        done = await self.typeset(question, versions, run)
        return Typesetting(number=question.number, svg=done.svg, log=done.log, reason=done.reason)

    async def typeset(self, document: TexDocument, versions: Mapping[str, str], run: Run) -> TexDone:
        """Return what TeX makes of ``document``.

        Whoever is the first to ask has it made, and others who ask meanwhile wait for the same run. It ends early when
        nobody waits any more.
        """
        name = key(document, versions)
        keeps = self._store is not None and PASSING.search(document.source) is None
        if keeps and (found := await self._kept(name)) is not None:
            return found
        flight = self._flights.get(name)
        if flight is None:
            flight = _Flight(asyncio.create_task(self._make(name, document, run, keep=keeps)))
            self._flights[name] = flight
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.waiting == 0:
                if self._flights.get(name) is flight:
                    del self._flights[name]
                flight.task.cancel()
                await asyncio.wait({flight.task})

    async def _make(self, name: str, document: TexDocument, run: Run, *, keep: bool) -> TexDone:
        job = TexJob(
            source=document.source,
            compiler=document.compiler,
            output_format=document.output_format,
            limits=self._limits,
        )
        async with self._room:
            self.runs += 1
            try:
                done = await run(job)
            except Exception as error:  # noqa: BLE001  whatever it is, the render can still run TeX itself
                log.warning("TeX could not be run apart from the render: %s", error)
                return TexDone(reason="unavailable")
        if keep and self._store is not None and done.svg is not None:
            await asyncio.to_thread(self._store.put, name, done.svg.encode())
        return done

    async def _kept(self, name: str) -> TexDone | None:
        content = await asyncio.to_thread(self._store.get, name) if self._store is not None else None
        try:
            return TexDone(svg=content.decode()) if content is not None else None
        except (UnicodeDecodeError, ValidationError):
            return None  # another version of this program kept more


def key(document: TexDocument, versions: Mapping[str, str]) -> str:
    """Return the name of what ``document`` becomes with these versions of the tools."""
    how = {name: versions.get(name, "") for name in VERSIONS}
    parts = [LAYOUT, document.source, document.compiler, document.output_format, how]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
