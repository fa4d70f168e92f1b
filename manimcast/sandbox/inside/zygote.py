"""The warm process: it has imported Manim, and forks a child for each render.

It never reads a byte of a job. An order to fork is a number and three descriptors, which only the child uses, so
nothing of one render is in the memory of the next. It watches the memory and the number of processes of each
render, and ends with the service: when the control socket closes, everything is killed.

Run as ``python -m manimcast.sandbox.inside.zygote CONTROL_FD ORDERS [PREPARED_TEX]``.
"""

from __future__ import annotations

import multiprocessing
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
from manimcast.sandbox.layers import Layer
from manimcast.sandbox.orders import SCRATCH, Orders

WATCH_SECONDS = 0.1
WEIGH_SECONDS = 1.0
"""How often, at most, the exact memory of a render is asked for."""
MAX_DESCRIPTORS = 8
"""Beside an order: three, and one for each control group that the child enters."""


@dataclass
class _Render:
    """A running render, and what the zygote found wrong with it."""

    number: int
    reason: Literal["memory", "processes"] | None = None
    started: float = field(default_factory=time.monotonic)
    weighed: float = 0.0


class Zygote:
    """The warm process's loop.

    Parameters
    ----------
    channel
        The control socket, SOCK_SEQPACKET.
    orders
        How to confine a child, and what it may have.
    complaint
        What whoever runs the service should hear.
    """

    def __init__(self, channel: socket.socket, orders: Orders, complaint: str | None = None) -> None:
        self._channel = channel
        self._orders = orders
        self._bounds = orders.bounds
        self._namespaced = orders.has(Layer.pid_namespace)
        self._complaint = complaint
        self._renders: dict[int, _Render] = {}
        self._retiring = False

    def serve(self) -> None:
        """Announce that the process is warm, then obey until the service is gone or has no more use for it."""
        from manimcast.engine.fingerprint import fingerprint  # noqa: PLC0415  imports PyAV and cairo

        if not self._namespaced:
            kernel.adopt_orphans()
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writer)
        self._send(control.Ready(fingerprint=fingerprint(), complaint=self._complaint))
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        poll.register(reader, select.POLLIN)
        watched = 0.0
        while not (self._retiring and not self._renders):
            ready = {descriptor for descriptor, _ in poll.poll(WATCH_SECONDS * 1000 if self._renders else None)}
            if reader in ready:
                with suppress(BlockingIOError):
                    os.read(reader, 4096)
            self._reap()
            if self._channel.fileno() in ready and not self._obey_all():
                break
            if time.monotonic() - watched >= WATCH_SECONDS:
                self._watch()
                watched = time.monotonic()
        self._end_all()

    def _send(self, message: control.FromZygote) -> None:
        with suppress(OSError):  # the service is gone; the next read says so
            self._channel.send(control.pack(message))

    def _obey_all(self) -> bool:
        """Take every order that waits, before anything slower. Return False when there will be no more."""
        obeyed = True
        while obeyed and select.select([self._channel], [], [], 0)[0]:
            obeyed = self._obey()
        return obeyed

    def _obey(self) -> bool:
        """Take one order. Return False when there will be no more."""
        packet, descriptors, _, _ = socket.recv_fds(self._channel, control.MAX_PACKET, MAX_DESCRIPTORS)
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

        wire, place, log, *entrances = descriptors
        try:
            pid = confine.fork(self._orders, lambda: child.run((wire, place, log), entrances, self._orders))
        except OSError as error:
            os.write(2, f"cannot fork a render: {error}\n".encode())
            self._send(control.Exited(number=number, status=1, refused=True))
            return
        self._renders[pid] = _Render(number)

    def _kill(self, pid: int) -> None:
        # A keeper must live to end what it adopted; the first process of a namespace takes all with it.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL if self._namespaced else signal.SIGTERM)

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
            elif self._holds_too_much(render, family):
                render.reason = "memory"
            if render.reason is not None:
                self._kill(pid)
        if not self._namespaced:
            self._kill_strays()

    def _holds_too_much(self, render: _Render, family: list[int]) -> bool:
        """Whether a render has more memory than it may have. What is quick to know may count pages twice."""
        if tree.resident(family) <= self._bounds.memory or time.monotonic() - render.weighed < WEIGH_SECONDS:
            return False
        held = tree.proportional(family)
        render.weighed = time.monotonic()
        return held > self._bounds.memory

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
    descriptor, orders = int(arguments[0]), Orders.loads(arguments[1])
    prepared_tex = Path(arguments[2]) if arguments[2:] else None
    kernel.die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the service's to handle
    if orders.has(Layer.bubblewrap):
        os.environ["TMPDIR"] = f"{orders.files_at}/{SCRATCH}"  # until children have one each
    # Python 3.14's own choice takes a socket with a name, which children cannot have.
    multiprocessing.set_start_method("fork")
    from manimcast.engine.warm import warm  # noqa: PLC0415  takes a second or two

    complaint = (warm(prepared_tex) or "")[:2000] or None
    kernel.keep_memory_private(private=True)
    Zygote(socket.socket(fileno=descriptor), orders, complaint).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
