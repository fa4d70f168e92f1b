"""The life of the serving process: start, announce, serve, and stop without losing a render.

uvicorn serves; the service behind the application is started and stopped here, because uvicorn would stop it
only after the last connection has closed, and connections wait for renders.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import signal
import socket
from collections.abc import Iterator
from types import FrameType

import uvicorn

from manimcast.api.app import create_app
from manimcast.api.context import Context, NothingRendersError
from manimcast.database import DatabaseError
from manimcast.settings import Settings
from manimcast.storage import StorageError
from manimcast.telemetry import configure

LAST_WORDS = 5.0
"""Seconds that connections may take to close after the last render has ended."""

logger = logging.getLogger(__name__)


class StartError(Exception):
    """The service cannot start. The message says why, and what helps."""


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve on ``listener`` until SIGTERM or SIGINT; raise :class:`StartError` when there is no starting."""
    configure(settings.log_format, settings.log_level)
    app = create_app(settings)
    context: Context = app.state.context
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,  # the application's own leaves out query strings, which carry signatures
        server_header=False,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_grace + LAST_WORDS),
    )
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_live(context, Server(config, context), listener))


async def _live(context: Context, server: Server, listener: socket.socket) -> None:
    try:
        await context.start()
    except (DatabaseError, StorageError, NothingRendersError) as error:
        raise StartError(str(error)) from error
    logger.info("Listening on %s", address(listener))
    await server.serve(sockets=[listener])
    logger.info("Stopped")


def address(listener: socket.socket) -> str:
    """Return the address of a listening socket as a link."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """Begins to stop the moment a signal arrives, so that nothing that is queued is begun any more."""

    def __init__(self, config: uvicorn.Config, context: Context) -> None:
        super().__init__(config)
        self._context = context
        self._hurry = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal arrives and everything has ended."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End renders and connections together: a connection ends with the render that it waits for."""
        closing = asyncio.create_task(super().shutdown(sockets))
        stopping = asyncio.create_task(self._context.stop())
        hurry = asyncio.create_task(self._hurry.wait())
        await asyncio.wait({stopping, hurry}, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if not stopping.done():
            stopping.cancel()
            await asyncio.wait({stopping})
            await self._context.stop(grace=0)
        elif (fault := stopping.exception()) is not None:
            logger.error("the service did not stop cleanly", exc_info=fault)
        await closing

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop; at the second signal, without waiting for anything."""
        if self.should_exit:
            self.force_exit = True
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._hurry.set)
        self.should_exit = True
        self._context.drain()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals, but do not raise them again at the end, as uvicorn does.

        A service that was told to stop, and did, has succeeded.
        """
        before = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)
