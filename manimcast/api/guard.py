"""Around every request: refuse what a foreign web page caused, note it in the log, survive its handler's bugs.

A plain ASGI middleware: it never holds back a response, so progress lines pass as they come.
"""

from __future__ import annotations

import logging
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from manimcast.access import BrowserGuard, WrongHostError, WrongOriginError
from manimcast.api.problems import Problem, ProblemError, respond

QUIET = {"/livez", "/readyz", "/v1/health"}
"""Paths that monitors ask for all the time; they are logged at DEBUG when all is well."""

logger = logging.getLogger(__name__)


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, *, browser_guard: BrowserGuard) -> None:
        self._app = app
        self._browser_guard = browser_guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        path: str = scope["path"]
        status: int | None = None

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).setdefault("x-content-type-options", "nosniff")
            await send(message)

        try:
            self._browser_guard.check(Headers(scope=scope))
            await self._app(scope, receive, sending)
        except (WrongHostError, WrongOriginError) as error:
            kind = Problem.wrong_host if isinstance(error, WrongHostError) else Problem.wrong_origin
            await respond(path, ProblemError(kind, str(error)))(scope, receive, sending)
        except Exception:  # the client gets an answer in the right shape, the log gets the traceback
            error_id = f"err_{secrets.token_hex(8)}"
            logger.exception("%s %s failed", scope["method"], path, extra={"error_id": error_id})
            if status is None:
                detail = f"Something went wrong in the service. Its log says more about {error_id}."
                problem = ProblemError(Problem.internal, detail, extra={"error_id": error_id})
                await respond(path, problem)(scope, receive, sending)
            else:
                raise  # the response has begun; the server breaks the connection, so that nobody takes it as whole
        finally:
            level = logging.DEBUG if path in QUIET and status is not None and status < 400 else logging.INFO
            # Without the query string: it may carry a link's signature.
            milliseconds = round((time.monotonic() - began) * 1000)
            logger.log(level, "%s %s %s %d ms", scope["method"], path, status or "-", milliseconds)
