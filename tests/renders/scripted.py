"""Executors that do what a test tells them to, when the test tells them, and a few specs and reports.

They obey the executor's contract to the letter and draw nothing. Each render that one is given appears in its
``begun``; the test then lets it say things, end, or fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from manimcast.executors.attachment import Attachment
from manimcast.executors.base import ExecutorStatus
from manimcast.executors.price import Rate
from manimcast.executors.segments import Reuse
from manimcast.spec import (
    Drawing,
    DrawingWork,
    ErrorCode,
    Progress,
    RenderReport,
    RenderSpec,
    SceneError,
    SegmentWay,
    SegmentWork,
)
from manimcast.wire import Failed, Finished, Hello, Message, Played, Playing, Progressed, Started
from tests import reports

VIDEO = b"not really a video"


def a_spec(**fields: object) -> RenderSpec:
    """Return a request that nobody will draw."""
    return RenderSpec.model_validate({"code": "class A(Scene): pass", **fields})


DRAWING = Drawing(segments=3, processes=2, forked=2, stepped_over=1)
WORK = DrawingWork(
    scene=0.2, join=0.01, segments=(SegmentWork(way=SegmentWay.over, ready=0.1, step=0.02, draw=0.5, encode=0.3),)
)


def a_report(size: int = len(VIDEO)) -> RenderReport:
    """Return the report of a render that wrote one video of ``size`` bytes."""
    video = reports.video(size)
    return reports.a_report(video, width=1280, height=720, frame_rate=30, frames=30, drawing=DRAWING, work=WORK)


def playing(index: int) -> Playing:
    """Return the beginning of play ``index``."""
    return Playing(index=index, kind="Wait", duration=1)


def played(index: int, frames: int = 30) -> Played:
    """Return the end of play ``index``."""
    return Played(index=index, kind="Wait", frames=frames, duration=frames / 30)


def at(percent: int, index: int = 0) -> Progressed:
    """Return the news that play ``index`` is at ``percent``."""
    return Progressed(
        progress=Progress(
            animation_index=index, animation_percent=percent, percent=percent / 2, frames_done=percent, frames_total=200
        )
    )


GREETING: tuple[Message, ...] = (
    Hello(),
    Started(scene="A", width=1280, height=720, frame_rate=30),
    playing(0),
    at(0),
)


@dataclass
class Performance:
    """One render on the scripted executor, in the test's hands."""

    render_id: str
    into: Path
    timeout: float
    reuse: Reuse | None = None
    spec: RenderSpec | None = None
    contents: tuple[bytes, ...] = ()
    lines: asyncio.Queue[Message | BaseException] = field(default_factory=asyncio.Queue)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when nothing of the render runs any more."""
    linger: asyncio.Event | None = None
    """If set, the end of a canceled render waits for it."""

    def say(self, *messages: Message) -> None:
        """Let the render say something."""
        for message in messages:
            self.lines.put_nowait(message)

    def succeed(self) -> None:
        """Let the render write its video and end."""
        (self.into / "video.mp4").write_bytes(VIDEO)
        self.say(Finished(report=a_report()))

    def fail(self, code: ErrorCode = ErrorCode.exception) -> None:
        """Let the scene fail."""
        self.say(Failed(error=SceneError(code=code, message="the scene is at fault")))

    def break_off(self, fault: BaseException) -> None:
        """Let the executor fail."""
        self.lines.put_nowait(fault)


class ScriptedExecutor:
    """An executor whose renders do what the test says."""

    def __init__(self, name: str = "scripted", *, slots: int = 1, tries: int = 3, overtime: float = 60) -> None:
        self.name = name
        self.slots = slots
        self.tries = tries
        self.overtime = overtime
        self.rate = Rate(cores=2, gib=4, usd_core_second=0.5, usd_gib_second=0.25)
        self.details: dict[str, object] = {}
        self.begun: asyncio.Queue[Performance] = asyncio.Queue()
        self.unavailable: str | None = None
        self.running = 0
        self.most_running = 0
        self.is_started = False
        self.fingerprint: dict[str, str] | None = None

    async def start(self) -> None:
        self.is_started = True

    async def stop(self) -> None:
        self.is_started = False

    def status(self) -> ExecutorStatus:
        return ExecutorStatus(available=self.unavailable is None, reason=self.unavailable, details=self.details)

    def versions(self) -> dict[str, str] | None:
        return self.fingerprint

    async def render(
        self,
        spec: RenderSpec,
        *,
        render_id: str,
        into: Path,
        timeout: float,
        reuse: Reuse | None = None,
        attached: Sequence[Attachment] = (),
    ) -> AsyncGenerator[Message, None]:
        performance = Performance(render_id, into, timeout, reuse, spec, tuple(one.read() for one in attached))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self.begun.put_nowait(performance)
        try:
            while True:
                line = await performance.lines.get()
                if isinstance(line, BaseException):
                    raise line
                yield line
        finally:
            if performance.linger is not None:
                await performance.linger.wait()
            self.running -= 1
            performance.over.set()
