"""``POST /v1/video/rendering``: the original endpoint. The client waits, or reads progress lines; if it leaves,
the render is canceled."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from manimcast.api import answers
from manimcast.api.body import read_json_object
from manimcast.api.clients import ClientGone, JsonLines, until_gone
from manimcast.api.context import Context, InContext, Tenant
from manimcast.api.openapi import VIDEO_RENDERING
from manimcast.api.problems import ORIGINAL_ENDPOINT, Problem, ProblemError
from manimcast.api.progress import ProgressLines
from manimcast.api.requests import parse_original
from manimcast.api.submit import submit
from manimcast.database import DatabaseError
from manimcast.renders import Render, RenderNotFound, RenderStatus
from manimcast.spec import JsonObject

CLIENT_GONE = 499
"""Status of a request whose client has left, for the log; nobody receives it."""

router = APIRouter()
logger = logging.getLogger(__name__)


@router.post(ORIGINAL_ENDPOINT, tags=["original"], summary="Render a scene and wait for it", **VIDEO_RENDERING)
async def render_video(request: Request, context: InContext, tenant: Tenant) -> Response:
    """Render a scene; answer when it is done, or with progress lines while it renders."""
    body = await read_json_object(request, limit=context.settings.max_body_bytes)
    spec, stream = parse_original(body, context.settings)
    render = await submit(context, spec, tenant=tenant)
    left = partial(_cancel, context, render.id, tenant)
    if stream:
        lines = _lines(request, context, render.id, tenant)
        return JsonLines(lines, left=left, headers={"location": f"/v1/renders/{render.id}"})
    try:
        ended = await until_gone(request.receive, _end_of(context, render.id, tenant))
    except ClientGone:
        await left()
        return Response(status_code=CLIENT_GONE)
    if ended.status is RenderStatus.succeeded:
        answer = {"message": "Video generation completed", **await answers.succeeded(ended, request, context)}
        return JSONResponse(answer, headers={"cache-control": "no-store"})
    status, answer = answers.failure(ended)
    return JSONResponse({"message": answers.FAILED, **answer}, status, headers={"cache-control": "no-store"})


async def _end_of(context: Context, render_id: str, tenant: str) -> Render:
    """Wait for the end of a render, however long that takes."""
    try:
        render = await context.renders.wait(render_id, tenant=tenant)
        if render.status.ended:
            return render
    except RenderNotFound as error:  # somebody has deleted it meanwhile
        raise ProblemError(Problem.render_not_found, str(error)) from None
    except DatabaseError:
        if not context.stopping:
            raise
    # Those who wait are let go before the end only when the service ends.
    raise ProblemError(
        Problem.stopping,
        f"the service is stopping; render {render_id} stays queued for its next start",
        extra={"render_id": render_id},
    )


async def _lines(request: Request, context: Context, render_id: str, tenant: str) -> AsyncGenerator[JsonObject, None]:
    """Yield progress while the render runs, then how it ended."""
    progress = ProgressLines()
    try:
        async with aclosing(context.renders.events(render_id, tenant=tenant)) as events:
            async for event in events:
                for line in progress.after(event):
                    yield line
        render = await context.renders.get(render_id, tenant=tenant)
        if render is None:
            yield _line(f"render {render_id} was deleted", render_id)
        elif render.status is RenderStatus.succeeded:
            yield await answers.succeeded(render, request, context)
        elif render.status.ended:
            yield answers.failure(render)[1]
        else:
            yield _stopping(render_id)
    except DatabaseError as error:
        if context.stopping:
            yield _stopping(render_id)
        else:
            logger.exception("the end of a render could not be read", extra={"render_id": render_id})
            yield _line(str(error), render_id)


def _stopping(render_id: str) -> JsonObject:
    return _line(f"the service is stopping; render {render_id} stays queued for its next start", render_id)


def _line(error: str, render_id: str) -> JsonObject:
    return {"error": error, "details": [error], "render_id": render_id}


async def _cancel(context: Context, render_id: str, tenant: str) -> None:
    """Cancel the render of a client that has left; unless the service is stopping, which hung up on it."""
    if context.stopping:
        return
    logger.info("client left; canceling its render unless others wait for it", extra={"render_id": render_id})
    with suppress(RenderNotFound):
        await context.renders.leave(render_id, tenant=tenant)
