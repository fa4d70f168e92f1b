"""How a render is shown to clients: with links that they can follow, and errors in words that they can show."""

from __future__ import annotations

from fastapi import Request

from manimcast.api.context import Context
from manimcast.api.shown import file_link, render_json
from manimcast.renders import Render, RenderStatus, executor_at_fault
from manimcast.spec import ErrorCode, JsonObject, RenderSpec, SceneError

FAILED = "Video generation failed"
TIMED_OUT = "Compilation timed out"

_STATUS = {ErrorCode.timeout: 504, ErrorCode.internal: 500, ErrorCode.canceled: 409}
"""HTTP status of a failed render on the original endpoint; 422 for what the scene itself did wrong."""
_NO_EXECUTOR = 503
"""And of one that no executor could render."""


def base_url(request: Request, context: Context) -> str:
    """Return the address that the client reaches the service under, without a slash at the end."""
    return context.settings.public_url or str(request.base_url).rstrip("/")


async def show(
    render: Render, request: Request, context: Context, *, source: RenderSpec | None = None, work: bool = False
) -> JsonObject:
    """Return the render as JSON, with links that lead where the client has come; see :func:`render_json`."""
    return await render_json(render, context.storage, base_url(request, context), source=source, work=work)


async def succeeded(render: Render, request: Request, context: Context) -> JsonObject:
    """Return what the original endpoint tells of a finished render, without its message."""
    assert render.result is not None  # noqa: S101 - a render that succeeded has one
    link = await file_link(context.storage, base_url(request, context), render.result.place, render.result.video)
    return {
        "video_url": link.url,
        "processingTime": _seconds(render),
        "render_id": render.id,
        "executor": render.executor,
        "cost": render.cost and render.cost.model_dump(mode="json"),
        "cache": render.cache.model_dump(mode="json"),
    }


def failure(render: Render) -> tuple[int, JsonObject]:
    """Return the HTTP status and what the original endpoint tells of a render that has no video."""
    error = render.error or SceneError(
        code=ErrorCode.canceled if render.status is RenderStatus.canceled else ErrorCode.internal,
        message="The render was canceled" if render.status is RenderStatus.canceled else FAILED,
    )
    status = _NO_EXECUTOR if executor_at_fault(error) else _STATUS.get(error.code, 422)
    return status, {
        "error": TIMED_OUT if error.code is ErrorCode.timeout else error.message,
        "details": details(error),
        "scene_error": error.model_dump(mode="json"),
        "processingTime": _seconds(render),
        "render_id": render.id,
        "executor": render.executor,
    }


def details(error: SceneError) -> list[str]:
    """Return the error line by line, for clients that just print it."""
    lines = [error.message]
    if error.line is not None:
        place = f"{error.file}, line" if error.file else "Line"
        lines.append(f"{place} {error.line}" + (f", column {error.column}" if error.column is not None else ""))
    lines += (error.excerpt or "").splitlines()
    if error.hint:
        lines.append(f"Hint: {error.hint}")
    lines += (error.traceback or "").splitlines()
    return lines


def _seconds(render: Render) -> float:
    """Return how long the client waited for the render: from when it was accepted to its end."""
    end = render.finished_at or render.created_at
    return round((end - render.created_at).total_seconds(), 3)
