"""``/v1/renders``: queue a render, look at it, cancel it, fetch what came of it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from manimcast.api.answers import base_url, show
from manimcast.api.body import read_json_object
from manimcast.api.clients import ClientGone, until_gone
from manimcast.api.context import Context, InContext, Tenant, find
from manimcast.api.ids import RenderId
from manimcast.api.openapi import CANCEL, CREATE_RENDER, DELETE_RENDER, LIST_RENDERS, READ_RENDER, RESULT_FILE
from manimcast.api.paging import MAX_PAGE, PAGE, cursor_of, position_of
from manimcast.api.problems import Problem, ProblemError
from manimcast.api.requests import parse_render
from manimcast.api.routes.files import expired, hand_out
from manimcast.api.submit import request_key, submit
from manimcast.renders import RenderNotFound, RenderStatus, WebhookWish
from manimcast.spec import JsonObject, OutputRole, SceneError

MAX_WAIT = 3600.0
"""Seconds that ``Prefer: wait`` may ask for; more is taken as this."""

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?=$|[,;])", re.IGNORECASE)
_RENDER = re.compile(r"rnd_[0-9a-z]+")

_INCLUDE = "`code` puts the posted code and files into `spec`; `work` adds `work`, the processor time of each segment."

router = APIRouter(prefix="/v1/renders", tags=["renders"])


@router.post("", status_code=202, summary="Queue a render", **CREATE_RENDER)
async def create_render(request: Request, context: InContext, tenant: Tenant) -> Response:
    """Queue a render; with ``Prefer: wait=N``, answer when it ends, or after N seconds as it is then."""
    body = await read_json_object(request, limit=context.settings.max_body_bytes)
    order = parse_render(body, context.settings)
    render = await submit(
        context,
        order.spec,
        tenant=tenant,
        assets=order.assets,
        executor=order.executor,
        cache=order.cache,
        priority=order.priority,
        metadata=order.metadata,
        key=request_key(request, body),
        webhook=None if order.webhook is None else WebhookWish(order.webhook, base_url(request, context)),
    )
    headers = {"location": f"/v1/renders/{render.id}", "cache-control": "no-store"}
    wanted = _WAIT.search(",".join(request.headers.getlist("prefer")))
    if wanted:
        seconds = min(float(wanted[1]), MAX_WAIT)
        headers["preference-applied"] = f"wait={seconds:g}"
        try:
            render = await until_gone(request.receive, context.renders.wait(render.id, tenant=tenant, timeout=seconds))
        except ClientGone:
            return Response(status_code=499)  # the render goes on: its client can ask for it again
    status = 200 if render.status.ended else 202
    return JSONResponse(await show(render, request, context), status, headers)


@router.get("", summary="Your renders, the newest first", **LIST_RENDERS)
async def list_renders(
    request: Request,
    context: InContext,
    tenant: Tenant,
    *,
    status: Annotated[list[RenderStatus] | None, Query(description="Only in this state; may be repeated.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Renders of one page.")] = PAGE,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the page before.")] = None,
) -> Response:
    """Answer with a page of renders, and with what to send as `cursor` for the next one, if there is one."""
    last = position_of(cursor, _RENDER)
    before = last and last[0]
    found = await context.renders.newest(tenant=tenant, statuses=status or (), before=before, limit=limit + 1)
    page = found[:limit]
    body = {
        "renders": [await show(render, request, context) for render in page],
        "next_cursor": cursor_of(page[-1].id) if len(found) > limit else None,
    }
    return JSONResponse(body, headers={"cache-control": "no-store"})


@router.get("/{render_id}", summary="A render as it is now", **READ_RENDER)
async def read_render(
    request: Request,
    context: InContext,
    tenant: Tenant,
    render_id: RenderId,
    include: Annotated[Literal["code", "work"] | None, Query(description=_INCLUDE)] = None,
) -> Response:
    """Answer with the render: where it stands, and its links or its error once it has ended."""
    render = await find(context, render_id, tenant)
    source = await context.renders.spec(render_id, tenant=tenant) if include == "code" else None
    shown = await show(render, request, context, source=source, work=include == "work")
    return JSONResponse(shown, headers={"cache-control": "no-store"})


@router.post("/{render_id}/cancel", summary="Cancel a render", **CANCEL)
async def cancel_render(request: Request, context: InContext, tenant: Tenant, render_id: RenderId) -> Response:
    """Cancel a render and answer when nothing of it runs any more. One that has ended stays as it is."""
    try:
        render = await context.renders.cancel(render_id, tenant=tenant)
    except RenderNotFound as error:
        raise ProblemError(Problem.render_not_found, str(error)) from None
    return JSONResponse(await show(render, request, context), headers={"cache-control": "no-store"})


@router.delete("/{render_id}", status_code=204, summary="Delete a render", **DELETE_RENDER)
async def delete_render(context: InContext, tenant: Tenant, render_id: RenderId) -> Response:
    """Cancel the render if it has not ended, then remove it with its video and all that came with that."""
    try:
        await context.renders.delete(render_id, tenant=tenant)
    except RenderNotFound as error:
        raise ProblemError(Problem.render_not_found, str(error)) from None
    return Response(status_code=204)


@router.head("/{render_id}/video", include_in_schema=False)
@router.get("/{render_id}/video", summary="The video", **RESULT_FILE)
async def video(request: Request, context: InContext, tenant: Tenant, render_id: RenderId) -> Response:
    """Answer with the bytes of the video (or of the picture, when the format is png)."""
    return await _result_file(request, context, tenant, render_id, OutputRole.video)


@router.head("/{render_id}/poster", include_in_schema=False)
@router.get("/{render_id}/poster", summary="The poster frame", **RESULT_FILE)
async def poster(request: Request, context: InContext, tenant: Tenant, render_id: RenderId) -> Response:
    """Answer with a picture that stands for the video."""
    return await _result_file(request, context, tenant, render_id, OutputRole.poster)


@router.head("/{render_id}/subtitles", include_in_schema=False)
@router.get("/{render_id}/subtitles", summary="The subtitles", **RESULT_FILE)
async def subtitles(request: Request, context: InContext, tenant: Tenant, render_id: RenderId) -> Response:
    """Answer with the subtitles of a scene that has subcaptions."""
    return await _result_file(request, context, tenant, render_id, OutputRole.subtitles)


@router.head("/{render_id}/sections/{index}", include_in_schema=False)
@router.get("/{render_id}/sections/{index}", summary="A section's video", **RESULT_FILE)
async def section(request: Request, context: InContext, tenant: Tenant, render_id: RenderId, index: str) -> Response:
    """Answer with the video of one section, counted from 0 as in ``result.sections``."""
    return await _result_file(request, context, tenant, render_id, OutputRole.section, index=index)


async def _result_file(
    request: Request, context: Context, tenant: str, render_id: str, role: OutputRole, *, index: str = ""
) -> Response:
    render = await find(context, render_id, tenant)
    if not render.status.ended:
        raise ProblemError(Problem.not_finished, f"render {render_id} is {render.status}; wait for it to end")
    if render.result is None:
        assert render.status is not RenderStatus.succeeded  # noqa: S101 - one that succeeded has a result
        raise ProblemError(Problem.no_video, f"render {render_id} {_ENDED[render.status]}", extra=_error(render.error))
    if render.result.expired_at is not None:
        raise expired(render_id, render.result.expired_at)
    if role is OutputRole.section:
        position = int(index) if index.isascii() and index.isdigit() and len(index) < 6 else -1
        names = [section.file for section in render.result.sections]
        name = names[position] if 0 <= position < len(names) else None
        file = next((file for file in render.result.files if file.name == name), None)
    else:
        file = next((file for file in render.result.files if file.role is role), None)
    if file is None:
        raise ProblemError(Problem.not_found, f"render {render_id} has no {role} {index}".rstrip())
    return await hand_out(request, context, render.result.place, file)


_ENDED = {RenderStatus.failed: "failed", RenderStatus.canceled: "was canceled"}


def _error(error: object) -> JsonObject:
    return {"scene_error": error.model_dump(mode="json")} if isinstance(error, SceneError) else {}
