"""Answer what renders ask of TeX: from the shared cache, or by a run of TeX that has seen nothing of the scene.

A render never fills the cache, and nothing is made of several documents at once: in a shared run one expression can
redefine the next. What is kept under a document is what a confined process of its own made of exactly that document.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass

from pydantic import ValidationError

from manimcast.cache import EntryStore
from manimcast.executors.preambles import Dump, Preambles, Run
from manimcast.executors.versions import versions_of
from manimcast.settings import MIB, Settings
from manimcast.tex import PASSING, TexDocument, TexLimits
from manimcast.wire import TexDone, TexJob, Typeset, Typesetting

log = logging.getLogger(__name__)

LAYOUT = 1
AHEAD_SECONDS = 5.0
"""How long a run may take that nobody waits for."""
MOST_HELD = 64 * 1024
"""Characters of an SVG that is held for a render where there is no cache."""
MAX_FILE = 64 * MIB
"""Bytes of any file that TeX or dvisvgm write."""


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
    preambles
        Formats that documents can start from.
    ahead
        How many more runs there may be for documents that nobody waits for yet.

    Attributes
    ----------
    runs
        How often TeX was run.
    """

    def __init__(
        self,
        store: EntryStore | None,
        *,
        seconds: float,
        at_once: int,
        preambles: Preambles | None = None,
        ahead: int = 1,
    ) -> None:
        self._store = store
        self._limits = limits(seconds)
        self._room = asyncio.Semaphore(at_once)
        self._ahead = asyncio.Semaphore(ahead)
        self._preambles = preambles
        self._flights: dict[str, _Flight] = {}
        self.runs = 0

    @classmethod
    def from_settings(cls, settings: Settings, *, cached: bool = True) -> Typesetter:
        """Return one for this service; without a cache each document is made anew."""
        store = preambles = None
        cache = settings.data_dir / "cache"
        if cached and settings.tex_cache_mib:
            store = EntryStore(cache / "tex", settings.tex_cache_mib * MIB)
        if cached and settings.tex_formats_mib:
            formats = EntryStore(cache / "tex-formats", settings.tex_formats_mib * MIB)
            preambles = Preambles(formats, limits(settings.tex_timeout))
        return cls(
            store,
            seconds=settings.tex_timeout,
            at_once=settings.slots,
            preambles=preambles,
            ahead=settings.slots * settings.drawers,
        )

    async def settle(self) -> None:
        """Wait until nothing is done in the background."""
        if self._preambles is not None:
            await self._preambles.settle()

    async def close(self) -> None:
        """End what is done in the background."""
        if self._preambles is not None:
            await self._preambles.close()

    async def answer(
        self, question: Typeset, versions: Mapping[str, str], run: Run, dump: Dump | None = None
    ) -> Typesetting:
        """Return the answer to a render's question; ``versions`` is the fingerprint of what ``run`` would run."""
        done = await self.typeset(question, versions, run, dump)
        return Typesetting(number=question.number, svg=done.svg, log=done.log, reason=done.reason)

    async def foresee(
        self, document: TexDocument, versions: Mapping[str, str], run: Run, dump: Dump | None = None
    ) -> None:
        """Have ``document`` made for whoever may ask for it, unless that takes long. Questions have their own room.

        Without a cache this does not return, but holds what came out until it is cancelled.
        """
        if PASSING.search(document.source):
            return  # it is made when it is asked for, each time
        async with AsyncExitStack() as held:
            try:
                async with self._ahead, asyncio.timeout(AHEAD_SECONDS):
                    made = self._made(document, versions, run, dump, room=nullcontext())
                    done = await held.enter_async_context(made)
            except TimeoutError:
                return
            if self._store is None and done.svg is not None and len(done.svg) <= MOST_HELD:
                await asyncio.Event().wait()

    async def typeset(
        self, document: TexDocument, versions: Mapping[str, str], run: Run, dump: Dump | None = None
    ) -> TexDone:
        """Return what TeX makes of ``document``; ``dump`` reads preambles beforehand, where that is wanted.

        Whoever is the first to ask has it made, and others who ask meanwhile wait for the same run. It ends early when
        nobody waits any more.
        """
        async with self._made(document, versions, run, dump, room=self._room) as done:
            return done

    @asynccontextmanager
    async def _made(
        self,
        document: TexDocument,
        versions: Mapping[str, str],
        run: Run,
        dump: Dump | None,
        *,
        room: AbstractAsyncContextManager[None],
    ) -> AsyncIterator[TexDone]:
        """Give what TeX makes of ``document``, and as long as this is open, to everybody else who asks."""
        name = key(document, versions)
        keeps = self._store is not None and PASSING.search(document.source) is None
        if keeps and (found := await self._kept(name)) is not None:
            yield found
            return
        flight = self._flights.get(name)
        if flight is None:
            flight = _Flight(
                asyncio.create_task(self._make(name, document, versions, run, dump, room=room, keep=keeps))
            )
            self._flights[name] = flight
        flight.waiting += 1
        try:
            yield await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.waiting == 0:
                if self._flights.get(name) is flight:
                    del self._flights[name]
                flight.task.cancel()
                await asyncio.wait({flight.task})

    async def _make(
        self,
        name: str,
        document: TexDocument,
        versions: Mapping[str, str],
        run: Run,
        dump: Dump | None,
        *,
        room: AbstractAsyncContextManager[None],
        keep: bool,
    ) -> TexDone:
        job = TexJob(
            source=document.source,
            compiler=document.compiler,
            output_format=document.output_format,
            limits=self._limits,
        )
        preambles = self._preambles if dump is not None else None
        async with room:
            self.runs += 1
            try:
                dumped = await preambles.find(document, versions) if preambles is not None else None
                done = await (run(job) if dumped is None else run(job, dumped))
            except Exception as error:  # noqa: BLE001  whatever it is, the render can still run TeX itself
                log.warning("TeX could not be run apart from the render: %s", error)
                return TexDone(reason="unavailable")
        if done.svg is not None:
            if keep and self._store is not None:
                await asyncio.to_thread(self._store.put, name, done.svg.encode())
            if preambles is not None and dump is not None and dumped is None:
                preambles.learn(document, versions, run, dump)
        return done

    async def _kept(self, name: str) -> TexDone | None:
        content = await asyncio.to_thread(self._store.get, name) if self._store is not None else None
        try:
            return TexDone(svg=content.decode()) if content is not None else None
        except (UnicodeDecodeError, ValidationError):
            return None  # another version of this program kept more


def key(document: TexDocument, versions: Mapping[str, str]) -> str:
    """Return the name of what ``document`` becomes with these versions of the tools."""
    parts = [LAYOUT, document.source, document.compiler, document.output_format, versions_of(versions)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def limits(seconds: float) -> TexLimits:
    """Return the bounds on one run of TeX that may take ``seconds``."""
    return TexLimits(seconds=seconds, file_bytes=MAX_FILE)
