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
from manimcast.api.warnings import MODAL, sandbox_of, storage_warnings, warnings
from manimcast.database import DatabaseError
from manimcast.executors.base import ExecutorStatus
from manimcast.executors.modal.tokens import told
from manimcast.renders import NO_WORKER
from manimcast.settings import Settings
from manimcast.spec import JsonObject
from manimcast.storage import Status

PATIENCE = 1.0
"""Seconds that a look at the queue may take."""
NO_STORE = {"cache-control": "no-store"}

router = APIRouter(tags=["health"])


@router.get("/v1/health", summary="What the service can do", **HEALTH)
async def health(context: InContext) -> Response:
    """Answer 200 when it can render, be it in a reduced way, and 503 when it cannot."""
    offers = context.renders.offers()
    executors = {offer.name: offer.status for offer in offers}
    queued, running = await _queue(context)
    able = _able(context, executors) and queued is not None
    states = list(executors.values())
    storage = context.storage.status()
    sandbox = sandbox_of(next((status for status in states if status.available), ExecutorStatus(available=False)))
    body = {
        "role": context.settings.role.value,
        "status": _overall(executors, storage) if able else "unhealthy",
        **_modal(executors.get(MODAL), context.settings),
        "storage": context.storage.kind,
        "uploads": {"pending": storage.pending, "error": storage.fault},
        "sandbox": sandbox,
        "versions": {"manimcast": __version__, "python": platform.python_version(), "manim": _manim()},
        "queue": {
            "queued": queued,
            "running": running,
            "slots": context.renders.slots,
            "limit": context.settings.queue_limit,
        },
        "executors": {offer.name: _shown(offer.status) | {"slots": offer.slots} for offer in offers},
        "warnings": [*warnings(context.settings, executors), *storage_warnings(storage)],
    }
    return JSONResponse(body, 200 if able else 503, NO_STORE)


@router.get("/livez", summary="Whether the process lives")
async def livez() -> dict[str, str]:
    """Answer 200 as long as the process answers at all."""
    return {"status": "ok"}


@router.get("/readyz", summary="Whether it should be sent requests", responses={503: {"description": "Not now."}})
async def readyz(context: InContext) -> JSONResponse:
    """Answer 200 when a render would be taken, and 503 when not."""
    executors = {offer.name: offer.status for offer in context.renders.offers()}
    if _able(context, executors):
        return JSONResponse({"status": "ok"}, headers=NO_STORE)
    reasons = [f"{name}: {status.reason}" for name, status in executors.items() if not status.available]
    reason = "the service is stopping" if context.stopping else "; ".join(reasons) or NO_WORKER
    return JSONResponse({"status": "unavailable", "reason": reason}, 503, NO_STORE)


def _able(context: Context, executors: dict[str, ExecutorStatus]) -> bool:
    return not context.stopping and any(status.available for status in executors.values())


def _overall(executors: dict[str, ExecutorStatus], storage: Status) -> str:
    """Tell how well a service that can render does: without the Modal or the bucket that it is meant to use, it only
    gets by."""
    modal = executors.get(MODAL)
    return "healthy" if storage.fault is None and (modal is None or modal.available) else "degraded"


def _modal(status: ExecutorStatus | None, settings: Settings) -> JsonObject:
    """Return the fields about Modal. What is told of its containers is what they said last, so nobody waits."""
    if status is None:
        return {
            "modal_enabled": False,
            "modal_available": "N/A",
            "modal_tokens": told(settings),
            "modal_health": "❌ Error: Modal integration is disabled",
        }
    facts = status.details.get("modal_health")
    reason = None if status.available else status.reason or "Modal is not available"
    return {
        "modal_enabled": True,
        "modal_available": status.available,
        "modal_tokens": status.details.get("tokens") or told(settings),
        "modal_health": facts
        if isinstance(facts, dict) and reason is None
        else f"❌ Error: {reason or 'no container has reported yet'}",
    }


def _shown(status: ExecutorStatus) -> JsonObject:
    return {"available": status.available, "reason": status.reason, **status.details}


async def _queue(context: Context) -> tuple[int | None, int | None]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await context.renders.queue_depth()
    except (DatabaseError, TimeoutError):
        return None, None


@cache
def _manim() -> str | None:
    try:
        return version("manim")
    except PackageNotFoundError:
        return None
