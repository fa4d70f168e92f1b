"""What a forked child does: read its job, do it, say how it went, end."""

from __future__ import annotations

import io
import os
import random
import resource
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import numpy as np

from manimcast import wire
from manimcast.engine import foresee
from manimcast.engine.concatenate import Part, concatenate, kind_of
from manimcast.engine.errors import SceneFailure
from manimcast.engine.format import dump
from manimcast.engine.inspection import inspect
from manimcast.engine.join import JoinError
from manimcast.engine.patches import tex
from manimcast.engine.render import render
from manimcast.engine.typeset import typeset
from manimcast.sandbox.inside import canary, confine, kernel
from manimcast.sandbox.inside.channel import Channel
from manimcast.sandbox.layers import Layer
from manimcast.sandbox.orders import Orders
from manimcast.spec import ErrorCode, SceneError
from manimcast.tex import FORMAT


def run(descriptors: tuple[int, int, int], entrances: Sequence[int], orders: Orders) -> None:
    """Be a child: ``descriptors`` are the wire, the place of its files and the log. Never returns.

    ``entrances`` lead into the control groups that were made for it.
    """
    for entrance in entrances:
        os.write(entrance, b"0")
    if entrances and orders.has(Layer.cgroup_namespace):
        kernel.leave_cgroup_namespace()  # else their names tell of the service
    directory = confine.settle(*descriptors, orders)
    channel = Channel(descriptors[0])
    job = channel.read_job()
    channel.send(wire.Hello())
    if isinstance(job, wire.TexJob):
        _typeset(job, directory, channel)
        os._exit(0)
    if isinstance(job, wire.FormatJob):
        _limit_files(job.limits.file_bytes)
        channel.send(wire.FormatDone(made=dump(job, directory)))
        os._exit(0)
    if isinstance(job, wire.JoinJob):
        channel.send(_joined(job, directory, channel))
        os._exit(0)
    if isinstance(job, wire.CanaryJob):
        channel.send(canary.attempt(job))
        os._exit(0)
    arrived = _receive(job, channel)
    channel.when_waiting(foresee.send_ahead)
    tex.use_typesetter(foresee.beside(channel.typeset))
    # A fork of one process must not draw the same random numbers as the next.
    random.seed(job.spec.seed)
    np.random.seed(job.spec.seed)
    # New streams: the zygote's were opened on other files.
    sys.stdout, sys.stderr = _stream(1), _stream(2)
    channel.send(
        _inspected(job, directory, channel, arrived)
        if isinstance(job, wire.InspectJob)
        else _outcome(job, directory, channel, arrived)
    )
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # the scene closed it
            stream.flush()
    os._exit(0)


def _receive(job: wire.Job | wire.InspectJob, channel: Channel) -> Path | None:
    """Take the assets of a job, which come when it has said hello; return their folder, if there are some."""
    if not job.spec.assets:
        return None
    folder = Path(tempfile.gettempdir(), "arrived")
    folder.mkdir()
    for number, asset in enumerate(job.spec.assets):
        channel.receive(asset.bytes, folder / str(number))
    return folder


def _typeset(job: wire.TexJob, directory: Path, channel: Channel) -> None:
    _limit_files(job.limits.file_bytes)
    dumped = None
    if job.format_bytes:
        dumped = Path(tempfile.gettempdir(), FORMAT)  # where no document looks
        channel.receive(job.format_bytes, dumped)
    done = typeset(job, directory, dumped)
    try:
        channel.send(done)
    except wire.WireError:
        channel.send(wire.TexDone(reason="unavailable"))  # more than fits into a message


def _joined(job: wire.JoinJob, directory: Path, channel: Channel) -> wire.JoinDone:
    """Take the videos, join them, and tell what was wrong, if anything was."""
    _limit_files(job.file_bytes)
    folder = Path(tempfile.gettempdir(), "arrived")
    folder.mkdir()
    parts = []
    for number, part in enumerate(job.parts):
        parts.append(Part(folder / str(number), part.frames, part.title, part.name))
        channel.receive(part.bytes, parts[-1].path)
    kind = kind_of(job.format, job.width, job.height, job.frame_rate, transparent=job.transparent)
    try:
        concatenate(parts, directory / f"{wire.JOINED}.{job.format}", kind)
    except JoinError as error:
        return wire.JoinDone(fault=str(error)[:500])
    except (OSError, MemoryError) as error:
        return wire.JoinDone(fault=f"The videos cannot be joined: {error or type(error).__name__}"[:500])
    return wire.JoinDone()


def _limit_files(size: int) -> None:
    size = min(size, resource.getrlimit(resource.RLIMIT_FSIZE)[0])
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _stream(descriptor: int) -> io.TextIOWrapper:
    raw = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _outcome(job: wire.Job, directory: Path, channel: Channel, arrived: Path | None) -> wire.Terminal:
    try:
        report = render(
            job.spec,
            job.limits,
            directory,
            channel.send,
            voice=channel,
            shelf=channel if job.reuse else None,
            arrived=arrived,
        )
    except SceneFailure as failure:
        return wire.Failed(error=failure.error)
    except MemoryError:
        return _out_of_memory()
    return wire.Finished(report=report)


def _inspected(
    job: wire.InspectJob, directory: Path, channel: Channel, arrived: Path | None
) -> wire.Inspected | wire.Failed:
    def reads_pixels() -> NoReturn:
        # At once: what the scene catches, and the code after it, must not run on without the pixels.
        channel.send(wire.Inspected(measured=None))
        os._exit(0)

    try:
        measured = inspect(
            job.spec,
            job.limits,
            directory,
            channel.send,
            reads_pixels=reads_pixels,
            draws=job.draws,
            arrived=arrived,
        )
    except SceneFailure as failure:
        return wire.Failed(error=failure.error)
    except MemoryError:
        return _out_of_memory()
    return wire.Inspected(measured=measured)


def _out_of_memory() -> wire.Failed:
    confine.lift_soft_memory_limit()
    message = "The scene needs more memory than a render may have."
    return wire.Failed(error=SceneError(code=ErrorCode.out_of_memory, message=message))
