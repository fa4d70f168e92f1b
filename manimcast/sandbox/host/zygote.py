"""One zygote, seen from the service: start it, have it fork renders, hear of their ends."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from manimcast.sandbox import control
from manimcast.sandbox.host import bubblewrap
from manimcast.sandbox.host.cgroups import Group, Groups
from manimcast.sandbox.host.environment import become, environment
from manimcast.sandbox.host.probe import Ground
from manimcast.sandbox.layers import Layer
from manimcast.sandbox.orders import Bounds

log = logging.getLogger(__name__)

READY_SECONDS = 120.0
GONE_SECONDS = 10.0
"""How long everything within bubblewrap may take to end with its first process; the kernel does it at once."""
PING_SECONDS = 10.0
UNANSWERED = 6
"""Pings in a row without any answer after which a zygote is taken for hung.

Many, since a busy host must not look like a dead one. They are counted, not timed: a machine that was suspended, or
a container that was started from a snapshot, finds the clock far ahead of everything it remembers.
"""

_TAIL = 4000


class ZygoteError(Exception):
    """The zygote could not be started, or is gone."""


class Zygote:
    """A running zygote.

    Attributes
    ----------
    ground
        How its children are confined.
    layers
        What keeps children in, with what the trusted side adds.
    fingerprint
        The versions that decide pixels, as the zygote found them before any job was there.
    gone
        Set when the process has ended, for whatever reason.
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        channel: socket.socket,
        ground: Ground,
        bounds: Bounds,
        groups: Groups,
    ) -> None:
        self._process = process
        self._bounds = bounds
        self._groups = groups
        self._channel = channel
        self._exits: dict[int, asyncio.Future[control.Exited]] = {}
        self._group_of: dict[int, Group] = {}
        self._next = 0
        self._unanswered = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._listening: asyncio.Task[None] | None = None
        self._stderr = b""
        self.ground = ground
        self.layers = ground.layers | self._groups.layers
        self.fingerprint: dict[str, str] = {}
        self.gone = asyncio.Event()

    @classmethod
    async def start(cls, ground: Ground, bounds: Bounds, *, prepared_tex: Path | None = None) -> Zygote:
        """Start a zygote and wait until it is warm, or raise :class:`ZygoteError` with what it said.

        ``prepared_tex`` is a folder of typeset expressions, which it reads once, before any job is there. It must be
        among what ``ground`` lets it read.
        """
        groups = Groups(wanted=ground.grouped)  # before there is a process that its making would have to move
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        orders = ground.orders(bounds)
        orders = replace(orders, layers=orders.layers | groups.layers)
        inner = [sys.executable, "-s", "-P", "-m", "manimcast.sandbox.inside.zygote"]
        inner += [str(theirs.fileno()), orders.dumps(), *_optional(prepared_tex)]
        if not ground.wrapped and ground.owner is not None:
            inner = [*become(ground.owner), *inner]
        if ground.wrapped:
            inner = bubblewrap.command(inner, paths=ground.readable, become=ground.owner)
        with theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    *inner,
                    env=environment(ground.readable if ground.wrapped else None),
                    cwd="/",
                    pass_fds=(theirs.fileno(),),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        zygote = cls(process, ours, ground, bounds, groups)
        zygote._listening = asyncio.create_task(zygote._read_stderr())
        try:
            async with asyncio.timeout(READY_SECONDS):
                packet = await asyncio.get_running_loop().sock_recv(ours, control.MAX_PACKET)
            ready = control.unpack_report(packet) if packet else None
        except (TimeoutError, OSError, ValidationError) as error:
            await zygote.kill()
            raise ZygoteError(f"the warm process did not get ready: {error or 'no answer'}") from None
        except asyncio.CancelledError:
            await zygote.kill()
            raise
        if not isinstance(ready, control.Ready):
            await zygote.kill()
            raise ZygoteError(f"the warm process ended while it started:\n{zygote.last_words()}")
        zygote.fingerprint = ready.fingerprint
        if ready.complaint:
            log.warning("%s", ready.complaint)
        zygote._tasks += [asyncio.create_task(zygote._listen()), asyncio.create_task(zygote._check())]
        return zygote

    @property
    def own_files(self) -> bool:
        """Whether each child has a file system of its own to work in; else it is given a folder."""
        return Layer.own_files in self.ground.layers

    def last_words(self) -> str:
        """Return the end of what the process wrote to its standard error."""
        return self._stderr.decode(errors="replace").strip() or "(it said nothing)"

    def launch(self, wire: int, place: int, log: int) -> tuple[int, asyncio.Future[control.Exited]]:
        """Fork a child that talks over ``wire`` and prints to ``log``.

        ``place`` is the folder that it works in or, with files of its own, a socket over which it hands that folder
        out. The descriptors stay the caller's to close. Returns the child's number and the future of its end, which
        fails with :class:`ZygoteError` when the zygote itself ends first.
        """
        if self.gone.is_set():
            raise ZygoteError("the warm process is gone")
        self._next += 1
        number = self._next
        try:
            files = self._bounds.files_bytes if self.own_files else 0
            group = self._groups.make(memory=self._bounds.memory + files, processes=self._bounds.processes)
        except OSError as error:
            raise ZygoteError(f"no control group can be made: {error}") from None
        try:
            descriptors = [wire, place, log, *group.entrances]
            socket.send_fds(self._channel, [control.pack(control.Launch(number=number))], descriptors)
        except OSError as error:
            group.remove()
            raise ZygoteError(f"the warm process does not answer: {error}") from None
        group.close_entrances()
        future = asyncio.get_running_loop().create_future()
        self._exits[number], self._group_of[number] = future, group
        return number, future

    def kill_child(self, number: int) -> None:
        """End child ``number`` and all its processes; its future tells when."""
        self._order(control.Kill(number=number))

    def retire(self) -> None:
        """Have the process exit by itself after its last render."""
        self._order(control.Retire())

    async def kill(self) -> None:
        """End the process and every render, and wait until it is gone."""
        self._kill_process()
        # Whatever of it should outlive its first process ends when this side has hung up. Closing wakes nobody who
        # waits on the socket, so who does has to be told.
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        await self._process.wait()
        if self._listening is not None:
            # Its first process may be gone before those inside are; they hold its standard error.
            await asyncio.wait({self._listening}, timeout=GONE_SECONDS)
            self._tasks.append(self._listening)
        self._end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._channel.close()

    @property
    def idle(self) -> bool:
        """Whether no render runs."""
        return not self._exits

    def _kill_process(self) -> None:
        """Kill it with the bubblewraps around it, which are one process group, and the kernel what is inside.

        Root's bubblewrap alone would not be enough: its end is no reason to the kernel to end the user's.
        """
        # Not Process.kill(): that also reaps, behind the back of the loop's own watcher.
        if not self.gone.is_set():
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _order(self, message: control.ToZygote) -> None:
        with suppress(OSError):  # a process that is gone needs no orders
            self._channel.send(control.pack(message))

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                packet = await loop.sock_recv(self._channel, control.MAX_PACKET)
            except OSError:
                break
            if not packet:
                break
            self._unanswered = 0
            message = control.unpack_report(packet)
            if isinstance(message, control.Exited):
                future = self._exits.pop(message.number, None)
                if (group := self._group_of.pop(message.number, None)) is not None:
                    if message.reason is None and message.status and group.ran_out_of_memory():
                        message = message.model_copy(update={"reason": "memory"})
                    group.remove()
                if future is not None and not future.done():
                    future.set_result(message)
        self._kill_process()
        await self._process.wait()
        self._end()

    async def _check(self) -> None:
        """Kill the process when it has not answered for long; its renders are then tried again elsewhere."""
        while self._unanswered < UNANSWERED:
            self._unanswered += 1
            self._order(control.Ping())
            await asyncio.sleep(PING_SECONDS)
        self._kill_process()

    async def _read_stderr(self) -> None:
        while self._process.stderr is not None and (data := await self._process.stderr.read(4096)):
            self._stderr = (self._stderr + data)[-_TAIL:]

    def _end(self) -> None:
        self.gone.set()
        for future in self._exits.values():
            if not future.done():
                future.set_exception(ZygoteError("the warm process ended while the render ran"))
                future.exception()  # mark as seen: whoever waits still gets it
        self._exits.clear()
        for group in self._group_of.values():
            group.remove()
        self._group_of.clear()


def _optional(folder: Path | None) -> tuple[str, ...]:
    """Return the argument for a folder, which the warm process sees from another working directory."""
    return (str(folder.absolute()),) if folder else ()
