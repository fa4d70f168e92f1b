"""The warm process: it has imported Manim, and forks a child for each render.

It never reads a byte of a job. An order to fork is a number and three descriptors, which only the child uses, so
nothing of one render is in the memory of the next. It watches the memory and the number of processes of each
render, and ends with the service: when the control socket closes, everything is killed.

Run as ``python -m manimcast.sandbox.inside.zygote CONTROL_FD MEMORY FILE_BYTES CPU_SECONDS PROCESSES [PREPARED_TEX]``.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from manimcast.sandbox import control
from manimcast.sandbox.inside import confine, kernel, tree

WATCH_SECONDS = 0.1


@dataclass
class _Render:
    """A running render, and what the zygote found wrong with it."""

    number: int
    reason: Literal["memory", "processes"] | None = None
    started: float = field(default_factory=time.monotonic)


class Zygote:
    """The warm process's loop.

    Parameters
    ----------
    channel
        The control socket, SOCK_SEQPACKET.
    bounds
        Limits of a render.
    complaint
        What whoever runs the service should hear.
    """

    def __init__(self, channel: socket.socket, bounds: confine.Bounds, complaint: str | None = None) -> None:
        self._channel = channel
        self._bounds = bounds
        self._complaint = complaint
        self._renders: dict[int, _Render] = {}
        self._retiring = False
        self._confinement = confine.probe()

    def serve(self) -> None:
        """Announce that the process is warm, then obey until the service is gone or has no more use for it."""
        from manimcast.engine.fingerprint import fingerprint  # noqa: PLC0415  imports PyAV and cairo

        if not self._confinement.namespaces:
            kernel.adopt_orphans()
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writer)
        layers = self._confinement.layers
        self._send(control.Ready(layers=layers, fingerprint=fingerprint(), complaint=self._complaint))
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        poll.register(reader, select.POLLIN)
        while not (self._retiring and not self._renders):
            ready = {descriptor for descriptor, _ in poll.poll(WATCH_SECONDS * 1000 if self._renders else None)}
            if reader in ready:
                with suppress(BlockingIOError):
                    os.read(reader, 4096)
            self._reap()
            if self._channel.fileno() in ready and not self._obey():
                break
            self._watch()
        self._end_all()

    def _send(self, message: control.FromZygote) -> None:
        with suppress(OSError):  # the service is gone; the next read says so
            self._channel.send(control.pack(message))

    def _obey(self) -> bool:
        """Take one order. Return False when there will be no more."""
        packet, descriptors, _, _ = socket.recv_fds(self._channel, control.MAX_PACKET, 3)
        if not packet:
            return False
        order = control.unpack_order(packet)
        match order:
            case control.Launch(number=number):
                self._launch(number, descriptors)
            case control.Kill(number=number):
                for pid, render in self._renders.items():
                    if render.number == number:
                        self._kill(pid)
            case control.Retire():
                self._retiring = True
            case control.Ping():
                self._send(control.Pong())
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _launch(self, number: int, descriptors: list[int]) -> None:
        from manimcast.sandbox.inside import child  # noqa: PLC0415  imports Manim, which is warm by now

        wire, directory, log = descriptors
        try:
            pid = confine.fork(self._confinement, lambda: child.run((wire, directory, log), self._bounds))
        except OSError as error:
            os.write(2, f"cannot fork a render: {error}\n".encode())
            self._send(control.Exited(number=number, status=control.LAUNCH_REFUSED))
            return
        self._renders[pid] = _Render(number)

    def _kill(self, pid: int) -> None:
        # A keeper must live to end what it adopted; the first process of a namespace takes all with it.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL if self._confinement.namespaces else signal.SIGTERM)

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            render = self._renders.pop(pid, None)
            if render is not None:
                self._send(_exited(render, os.waitstatus_to_exitcode(status), usage))

    def _watch(self) -> None:
        """End renders that hold too much, and whatever a killed keeper left behind."""
        for pid, render in self._renders.items():
            if render.reason is not None:
                continue
            family = tree.descendants(pid, at_most=self._bounds.processes)
            if len(family) > self._bounds.processes or tree.threads(family) > self._bounds.processes:
                render.reason = "processes"
            elif tree.memory(family, self._bounds.memory) > self._bounds.memory:
                render.reason = "memory"
            if render.reason is not None:
                self._kill(pid)
        if not self._confinement.namespaces:
            self._kill_strays()

    def _kill_strays(self) -> None:
        own = tree.children(os.getpid())
        for pid in set(own) - set(self._renders):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _end_all(self) -> None:
        for pid in self._renders:
            self._kill(pid)
        for pid in self._renders:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _exited(render: _Render, status: int, usage: resource.struct_rusage) -> control.Exited:
    return control.Exited(
        number=render.number,
        status=status,
        reason=render.reason,
        user_time=usage.ru_utime,
        system_time=usage.ru_stime,
        max_rss_mib=usage.ru_maxrss / 1024,
    )


def main(arguments: list[str]) -> None:
    """Warm up and serve."""
    descriptor, memory, file_bytes, cpu_seconds, processes = map(int, arguments[:5])
    prepared_tex = Path(arguments[5]) if arguments[5:] else None
    kernel.die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the service's to handle
    from manimcast.engine.warm import warm  # noqa: PLC0415  takes a second or two

    complaint = (warm(prepared_tex) or "")[:2000] or None
    channel = socket.socket(fileno=descriptor)
    bounds = confine.Bounds(memory, file_bytes, cpu_seconds, processes)
    Zygote(channel, bounds, complaint).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
