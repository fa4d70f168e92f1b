"""The life of the serving process: what its role starts, announce, serve, and stop without losing a render.

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
from fastapi import FastAPI

from manimcast.api.app import EVERYTHING, HEALTH, create_app
from manimcast.api.context import Context, NothingRendersError
from manimcast.database import DatabaseError
from manimcast.executors.configured import from_settings
from manimcast.settings import Role, Settings
from manimcast.storage import StorageError
from manimcast.telemetry import configure

LAST_WORDS = 5.0
"""Seconds that connections may take to close after the last render has ended."""

logger = logging.getLogger(__name__)


class StartError(Exception):
    """The service cannot start. The message says why, and what helps."""


def assemble(settings: Settings) -> FastAPI:
    """Return the application of the settings' role. What a role answers to, and what it runs, is all that roles are.

    Every one of them opens the database and the storage, notes itself among the services, and puts back what dead ones
    were running (:class:`~manimcast.renders.RenderService`).
    """
    match settings.role:
        case Role.all:
            return create_app(settings, from_settings(settings), routes=EVERYTHING)
        case Role.api:
            return create_app(settings, (), routes=EVERYTHING)
        case Role.worker:
            return create_app(settings, from_settings(settings), routes=HEALTH)


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve on ``listener`` until SIGTERM or SIGINT; raise :class:`StartError` when there is no starting."""
    configure(settings.log_format, settings.log_level)
    app = assemble(settings)
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
    if context.settings.role is not Role.all:
        logger.info("Role: %s", context.settings.role)
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
