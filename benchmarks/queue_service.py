"""The service that `./dev bench queue` measures: the real one, on an executor that draws nothing.

``python -m benchmarks.queue_service`` takes its settings from the environment. The number at the end of a render's code
is for how many plays it lasts; each takes :data:`PLAY` seconds and is told of in steps, as a real one is.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import uvicorn

from manimcast.api.app import create_app
from manimcast.api.lifecycle import Server
from manimcast.executors.attachment import Attachment
from manimcast.executors.base import ExecutorStatus
from manimcast.executors.price import Rate
from manimcast.executors.segments import Reuse
from manimcast.settings import Settings
from manimcast.spec import Progress, RenderSpec
from manimcast.telemetry import configure
from manimcast.wire import Finished, Hello, Message, Played, Playing, Progressed, Started
from tests import reports

PLAY = 0.5
"""Seconds of a play."""
STEPS = 10
"""Times that a play says how far it is."""
BACKLOG = 4096


class Pretender:
    """An executor whose renders say what renders say, and draw nothing."""

    name = "local"
    tries = 1
    overtime = 60.0

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.rate = Rate(cores=1, gib=1, usd_core_second=0, usd_gib_second=0)

    async def start(self) -> None:
        """Be ready."""

    async def stop(self) -> None:
        """Have nothing to end."""

    def status(self) -> ExecutorStatus:
        """Be available."""
        return ExecutorStatus(available=True)

    def versions(self) -> None:
        """Keep no results."""

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
        """Say what a render of so many plays says, and leave a file."""
        del render_id, timeout, reuse, attached
        yield Hello()
        yield Started(scene="A", width=854, height=480, frame_rate=15)
        for index in range(int(spec.code.rpartition("#")[2])):
            yield Playing(index=index, kind="Wait", duration=1)
            for step in range(STEPS):
                await asyncio.sleep(PLAY / STEPS)
                percent = (step + 1) * 100 // STEPS
                progress = Progress(animation_index=index, animation_percent=percent, frames_done=15 * index)
                yield Progressed(progress=progress)
            yield Played(index=index, kind="Wait", frames=15, duration=1)
        (into / "video.mp4").write_bytes(b"video")
        yield Finished(report=reports.a_report())


async def _serve(settings: Settings) -> None:
    app = create_app(settings, [Pretender(settings.slots)])
    context = app.state.context
    with socket.create_server(("127.0.0.1", settings.port), backlog=BACKLOG) as listener:
        config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, backlog=BACKLOG)
        await context.start()
        print("ready", flush=True)
        await Server(config, context).serve(sockets=[listener])


def main() -> None:
    """Serve until SIGTERM."""
    settings = Settings(_env_file=None)
    configure(settings.log_format, settings.log_level)
    uvicorn_loop = uvicorn.Config("x").get_loop_factory()
    with asyncio.Runner(loop_factory=uvicorn_loop) as runner:
        runner.run(_serve(settings))


if __name__ == "__main__":
    main()
