"""One zygote, seen from the service: start it, have it fork renders, hear of their ends."""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import manimcast
from manimcast.sandbox import control
from manimcast.sandbox.host.pids import PidsCeiling

log = logging.getLogger(__name__)

READY_SECONDS = 120.0
PING_SECONDS = 10.0
UNANSWERED = 6
"""Pings in a row without any answer after which a zygote is taken for hung.

Many, since a busy host must not look like a dead one. They are counted, not timed: a machine that was suspended, or
a container that was started from a snapshot, finds the clock far ahead of everything it remembers.
"""

_TAIL = 4000


class ZygoteError(Exception):
    """The zygote could not be started, or is gone."""


@dataclass(frozen=True)
class ZygoteLimits:
    """What the zygote holds its renders to. Sizes in bytes, time in seconds of CPU for one process.

    ``processes`` bounds one render, ``all_processes`` everything below the zygote.
    """

    memory: int
    file_bytes: int
    cpu_seconds: int
    processes: int
    all_processes: int


class Zygote:
    """A running zygote.

    Attributes
    ----------
    layers
        What keeps renders apart on this host.
    fingerprint
        The versions that decide pixels, as the zygote found them before any job was there.
    owner
        User and group that renders run as, when they are not the service's own.
    gone
        Set when the process has ended, for whatever reason.
    """

    def __init__(self, process: asyncio.subprocess.Process, channel: socket.socket, ceiling: PidsCeiling) -> None:
        self._process = process
        self.owner: tuple[int, int] | None = None
        self._ceiling = ceiling
        self._channel = channel
        self._exits: dict[int, asyncio.Future[control.Exited]] = {}
        self._next = 0
        self._unanswered = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._stderr = b""
        self.launched = 0
        self.layers: tuple[str, ...] = ()
        self.fingerprint: dict[str, str] = {}
        self.gone = asyncio.Event()

    @classmethod
    async def start(cls, limits: ZygoteLimits, *, user: str | None = None, prepared_tex: Path | None = None) -> Zygote:
        """Start a zygote and wait until it is warm, or raise :class:`ZygoteError` with what it said.

        ``user`` is the name of the user that it and its renders run as, which takes root; by default the service's.
        ``prepared_tex`` is a folder of typeset expressions, which it reads once, before any job is there.
        """
        owner = _owner(user)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        arguments = (theirs.fileno(), limits.memory, limits.file_bytes, limits.cpu_seconds, limits.processes)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-s", "-P", "-m", "manimcast.sandbox.inside.zygote"),
                *map(str, arguments),
                *_optional(prepared_tex),
                env=_environment(),
                cwd="/",
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                **_become(owner),
            )
        zygote = cls(process, ours, PidsCeiling(process.pid, limits.all_processes))
        zygote.owner = owner
        zygote._tasks.append(asyncio.create_task(zygote._read_stderr()))
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
        extra = {"pids_cgroup": zygote._ceiling.in_force, "other_user": owner is not None}
        zygote.layers = (*ready.layers, *(name for name, in_force in extra.items() if in_force))
        zygote.fingerprint = ready.fingerprint
        if ready.complaint:
            log.warning("%s", ready.complaint)
        zygote._tasks += [asyncio.create_task(zygote._listen()), asyncio.create_task(zygote._check())]
        return zygote

    def last_words(self) -> str:
        """Return the end of what the process wrote to its standard error."""
        return self._stderr.decode(errors="replace").strip() or "(it said nothing)"

    def launch(self, wire: int, directory: int, log: int) -> tuple[int, asyncio.Future[control.Exited]]:
        """Fork a render that talks over ``wire``, works in ``directory`` and prints to ``log``.

        The descriptors stay the caller's to close. Returns the render's number and the future of its end, which
        fails with :class:`ZygoteError` when the zygote itself ends first.
        """
        if self.gone.is_set():
            raise ZygoteError("the warm process is gone")
        self._next += 1
        number = self._next
        try:
            socket.send_fds(self._channel, [control.pack(control.Launch(number=number))], [wire, directory, log])
        except OSError as error:
            raise ZygoteError(f"the warm process does not answer: {error}") from None
        self.launched += 1
        future = asyncio.get_running_loop().create_future()
        self._exits[number] = future
        return number, future

    def kill_render(self, number: int) -> None:
        """End render ``number`` and all its processes; its future tells when."""
        self._order(control.Kill(number=number))

    def retire(self) -> None:
        """Have the process exit by itself after its last render."""
        self._order(control.Retire())

    async def kill(self) -> None:
        """End the process and every render, and wait until it is gone."""
        self._kill_process()
        await self._process.wait()
        self._end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._channel.close()
        self._ceiling.remove()

    @property
    def idle(self) -> bool:
        """Whether no render runs."""
        return not self._exits

    def _kill_process(self) -> None:
        # Not Process.kill(): that also reaps, behind the back of the loop's own watcher.
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

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


def _owner(user: str | None) -> tuple[int, int] | None:
    if not user:
        return None
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise ZygoteError(f"there is no user {user} on this host") from None
    return entry.pw_uid, entry.pw_gid


def _become(owner: tuple[int, int] | None) -> dict[str, Any]:
    """Return what makes a subprocess run as ``owner``, with none of the service's groups."""
    return {"user": owner[0], "group": owner[1], "extra_groups": []} if owner else {}


def _optional(folder: Path | None) -> tuple[str, ...]:
    """Return the argument for a folder, which the warm process sees from another working directory."""
    return (str(folder.absolute()),) if folder else ()


def _environment() -> dict[str, str]:
    """Return the environment of the warm process: nothing of the service's, so no secret is in reach.

    Without a home directory neither a user's Manim configuration nor a user's fonts change what is drawn.
    """
    return {
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        # Each further arena of the allocator maps 64 MiB, which would count against a render's address space.
        "MALLOC_ARENA_MAX": "2",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(Path(manimcast.__file__).parent.parent),
    }
