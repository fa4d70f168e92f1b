"""What a forked render does: read its job, render it, say how it went, end."""

from __future__ import annotations

import io
import os
import random
import socket
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from manimcast import wire
from manimcast.engine.errors import SceneFailure
from manimcast.engine.render import render
from manimcast.sandbox.inside import confine
from manimcast.spec import ErrorCode, SceneError, Strict


class _Channel:
    """The wire, seen from the render."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)

    def read_job(self) -> wire.Job:
        """Return the job, the first and only thing that the service sends."""
        decoder = wire.FrameDecoder(max_frame=wire.MAX_JOB_FRAME, max_messages=1)
        while True:
            data = self._socket.recv(1 << 16)
            if not data:
                raise wire.WireError("the service hung up before it sent the job")
            for body in decoder.feed(data):
                return wire.parse_job(body)

    def send(self, message: Strict) -> None:
        """Send ``message``; when nobody listens any more there is nothing left to render for."""
        try:
            self._socket.sendall(wire.encode(message))
        except OSError:
            os._exit(75)


def run(descriptors: tuple[int, int, int], bounds: confine.Bounds) -> None:
    """Be a render: ``descriptors`` are the wire, the working directory and the log. Never returns."""
    directory = confine.settle(*descriptors, bounds)
    channel = _Channel(descriptors[0])
    job = channel.read_job()
    channel.send(wire.Hello())
    # A fork of one process must not draw the same random numbers as the next.
    random.seed(job.spec.seed)
    np.random.seed(job.spec.seed)
    # New streams: the zygote's were opened on other files.
    sys.stdout, sys.stderr = _stream(1), _stream(2)
    channel.send(_outcome(job, directory, channel))
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # the scene closed it
            stream.flush()
    os._exit(0)


def _stream(descriptor: int) -> io.TextIOWrapper:
    raw = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _outcome(job: wire.Job, directory: Path, channel: _Channel) -> wire.Terminal:
    try:
        report = render(job.spec, job.limits, directory, channel.send)
    except SceneFailure as failure:
        return wire.Failed(error=failure.error)
    except MemoryError:
        confine.lift_soft_memory_limit()
        message = "The scene needs more memory than a render may have."
        return wire.Failed(error=SceneError(code=ErrorCode.out_of_memory, message=message))
    return wire.Finished(report=report)
