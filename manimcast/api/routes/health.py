"""Whether the service lives, may be sent requests, and what it can do. These never wait for anything slow."""

from __future__ import annotations

import asyncio
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from manimcast import __version__
from manimcast.api.context import Context, InContext
from manimcast.api.openapi import HEALTH
from manimcast.api.warnings import sandbox_of, warnings
from manimcast.executors.base import ExecutorStatus
from manimcast.renders import StoreError

PATIENCE = 1.0
"""Seconds that a look at the queue may take."""
NO_STORE = {"cache-control": "no-store"}

router = APIRouter(tags=["health"])


@router.get("/v1/health", summary="What the service can do", **HEALTH)
async def health(context: InContext) -> Response:
    """Answer 200 when it can render and 503 when it cannot."""
    executors = {executor.name: executor.status() for executor in context.executors}
    queued, running = await _queue(context)
    able = _able(context, executors) and queued is not None
    states = list(executors.values())
    sandbox = sandbox_of(next((status for status in states if status.available), ExecutorStatus(available=False)))
    body = {
        "status": "healthy" if able else "unhealthy",
        "modal_enabled": False,
        "modal_available": "N/A",
        "modal_tokens": "❌ Missing - not needed for local rendering",
        "modal_health": "❌ Error: Modal integration is disabled",
        "storage": "local",
        "sandbox": sandbox,
        "versions": {"manimcast": __version__, "python": platform.python_version(), "manim": _manim()},
        "queue": {
            "queued": queued,
            "running": running,
            "slots": context.settings.slots,
            "limit": context.settings.queue_limit,
        },
        "executors": {
            name: {"available": status.available, "reason": status.reason, **status.details}
            for name, status in executors.items()
        },
        "warnings": warnings(context.settings, states),
    }
    return JSONResponse(body, 200 if able else 503, NO_STORE)


@router.get("/livez", summary="Whether the process lives")
async def livez() -> dict[str, str]:
    """Answer 200 as long as the process answers at all."""
    return {"status": "ok"}


@router.get("/readyz", summary="Whether it should be sent requests", responses={503: {"description": "Not now."}})
async def readyz(context: InContext) -> JSONResponse:
    """Answer 200 when a render would be taken, and 503 when not."""
    executors = {executor.name: executor.status() for executor in context.executors}
    if _able(context, executors):
        return JSONResponse({"status": "ok"}, headers=NO_STORE)
    reasons = [f"{name}: {status.reason}" for name, status in executors.items() if not status.available]
    reason = "the service is stopping" if context.stopping else "; ".join(reasons) or "no executor is configured"
    return JSONResponse({"status": "unavailable", "reason": reason}, 503, NO_STORE)


def _able(context: Context, executors: dict[str, ExecutorStatus]) -> bool:
    return not context.stopping and any(status.available for status in executors.values())


async def _queue(context: Context) -> tuple[int | None, int | None]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await context.renders.queue_depth()
    except (StoreError, TimeoutError):
        return None, None


@cache
def _manim() -> str | None:
    try:
        return version("manim")
    except PackageNotFoundError:
        return None
