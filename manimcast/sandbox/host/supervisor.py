"""Keep one warm zygote ready: start it, replace it when it dies, renew it after a number of renders."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path

from manimcast.sandbox.host import canary
from manimcast.sandbox.host.probe import Ground
from manimcast.sandbox.host.zygote import Zygote, ZygoteError
from manimcast.sandbox.layers import Layer, Tier
from manimcast.sandbox.orders import Bounds

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
TRIES = 3
"""Starts in a row that fail before renders are told that there is no warm process: one that was killed is no reason."""


@dataclass(frozen=True)
class SupervisorState:
    """Whether renders can start. ``reason`` says why not."""

    ready: bool
    starting: bool
    reason: str | None
    restarts: int


class _EscapeError(Exception):
    """The sandbox is not what it was found to be."""


class Supervisor:
    """Keep a zygote.

    Parameters
    ----------
    bounds
        What renders are held to.
    recycle
        Renders after which a fresh zygote takes over. The old one ends after its last render.
    insists
        Whether no scene may run where one of the canary attacks comes through.
    prepared_tex
        A folder of typeset expressions for the zygotes.

    Attributes
    ----------
    escapes
        The canary attacks that came through, when they were last tried.
    """

    def __init__(
        self, bounds: Bounds, *, recycle: int, insists: bool = False, prepared_tex: Path | None = None
    ) -> None:
        self._bounds = bounds
        self._ground = Ground()
        self._prepared_tex = prepared_tex
        self._recycle = recycle
        self._insists = insists
        self.escapes: tuple[str, ...] = ()
        self._current: Zygote | None = None
        self._retired: set[Zygote] = set()
        self._burials: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._worn = asyncio.Event()
        self._reason: str | None = None
        self._restarts = 0
        self._given = 0

    async def start(self, ground: Ground) -> None:
        """Begin to keep a zygote that confines its children as ``ground`` says; returns at once."""
        self._ground = ground
        if importlib.util.find_spec("manim") is None:
            self._reason = "manim is not installed here: run ./dev setup, or pip install 'manimcast[local]'"
            return
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End every zygote and with it every render."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        zygotes = [*self._retired, *([self._current] if self._current else [])]
        await asyncio.gather(*(zygote.kill() for zygote in zygotes))
        self._current = None
        self._task = None

    def state(self) -> SupervisorState:
        """Tell how things stand, without waiting."""
        ready = self._current is not None and not self._current.gone.is_set()
        return SupervisorState(
            ready=ready,
            starting=self._task is not None and not ready and self._reason is None,
            reason=None if ready else self._reason,
            restarts=self._restarts,
        )

    def layers(self) -> frozenset[Layer]:
        """Return what keeps renders in; empty while there is no warm process."""
        return self._current.layers if self._current else frozenset()

    def fingerprint(self) -> dict[str, str] | None:
        """Return the versions that decide pixels; None while there is no warm process."""
        return self._current.fingerprint if self._current and not self._current.gone.is_set() else None

    async def zygote(self) -> Zygote:
        """Return a warm zygote, waiting while one starts; raise :class:`ZygoteError` when there will be none."""
        async with self._changed:
            while self._current is None or self._current.gone.is_set():
                if self._reason is not None or self._task is None:
                    raise ZygoteError(self._reason or "the service is stopping")
                await self._changed.wait()
            zygote = self._current
            self._given += 1
        if self._given >= self._recycle:
            self._worn.set()
        return zygote

    async def _keep(self) -> None:
        pause, failures = FIRST_PAUSE, 0
        while True:
            try:
                fresh = await self._start()
            except _EscapeError as error:
                log.error("%s", error)  # noqa: TRY400  where it was raised says nothing
                await self._set(reason=str(error))
                return
            except Exception as error:  # whoever waits for a warm process must hear of it
                expected = isinstance(error, ZygoteError | OSError)
                log.warning("The warm process does not start: %s", error, exc_info=not expected)
                failures += 1
                if failures >= TRIES:
                    await self._set(reason=str(error) or type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause, failures = FIRST_PAUSE, 0
            await self._set(zygote=fresh)
            await self._until_worn_or_gone(fresh)
            if fresh.gone.is_set():
                self._restarts += 1
                log.warning("The warm process ended; starting another. Its last words: %s", fresh.last_words())
                await self._set(zygote=None)
                await fresh.kill()

    async def _start(self) -> Zygote:
        """Start a zygote and let the canary attacks loose in a child of it."""
        fresh = await Zygote.start(self._ground, self._bounds, prepared_tex=self._prepared_tex)
        try:
            if self._ground.tier is not Tier.none:
                self.escapes = await canary.prove(fresh)
            if self.escapes and self._insists:
                raise _EscapeError(
                    "the sandbox does not hold: a scene could " + ", ".join(self.escapes) + ". Please report this"
                )
        except BaseException:
            await fresh.kill()
            raise
        return fresh

    async def _until_worn_or_gone(self, zygote: Zygote) -> None:
        self._worn.clear()
        waits = [asyncio.create_task(zygote.gone.wait()), asyncio.create_task(self._worn.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _set(self, *, zygote: Zygote | None = None, reason: str | None = None) -> None:
        async with self._changed:
            if zygote is not None and self._current is not None and not self._current.gone.is_set():
                self._retire(self._current)
            self._current, self._reason, self._given = zygote, reason, 0
            self._changed.notify_all()

    def _retire(self, zygote: Zygote) -> None:
        self._retired.add(zygote)
        zygote.retire()

        async def bury() -> None:
            await zygote.gone.wait()
            await zygote.kill()
            self._retired.discard(zygote)

        self._burials.add(burial := asyncio.create_task(bury()))
        burial.add_done_callback(self._burials.discard)
