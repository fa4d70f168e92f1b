"""``/v1/batches``: many renders at once, watched, canceled and deleted together."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from manimcast.api.answers import base_url, show
from manimcast.api.batch_requests import parse_batch
from manimcast.api.body import read_json_object
from manimcast.api.context import Context, InContext, Tenant
from manimcast.api.ids import BatchId
from manimcast.api.openapi import (
    BATCH_RENDERS,
    BATCH_VIDEO,
    CANCEL_BATCH,
    CREATE_BATCH,
    DELETE_BATCH,
    LIST_BATCHES,
    READ_BATCH,
    READ_BATCH_WEBHOOK,
)
from manimcast.api.paging import MAX_PAGE, PAGE, cursor_of, position_of
from manimcast.api.problems import Problem, ProblemError
from manimcast.api.routes.files import expired, hand_out
from manimcast.api.shown import batch_json
from manimcast.api.submit import request_key, taking, with_assets_each
from manimcast.renders import Batch, KeyTakenError, RenderStatus
from manimcast.spec import JsonObject

NO_STORE = {"cache-control": "no-store"}
_BATCH, _ITEM = re.compile(r"bat_[0-9a-z]+"), re.compile(r"item_([0-9]{1,9})")

router = APIRouter(prefix="/v1/batches", tags=["batches"])

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Entries of one page.")]
Cursor = Annotated[str | None, Query(max_length=100, description="`next_cursor` of the page before.")]


@router.post("", status_code=202, summary="Queue many renders", **CREATE_BATCH)
async def create_batch(request: Request, context: InContext, tenant: Tenant) -> Response:
    """Queue all renders of a batch, or none."""
    body = await read_json_object(request, limit=context.settings.max_batch_bytes)
    # Thousands of them take a while, in which others are to be answered.
    order = await asyncio.to_thread(parse_batch, body, context.settings, base=base_url(request, context))
    key = request_key(request, body)
    with taking(context):
        try:
            if key is not None:  # before its assets, which may have been deleted since
                await context.renders.look(key, tenant=tenant)
            drafts = await with_assets_each(context, order, tenant=tenant)
            batch = await context.batches.submit(
                drafts,
                tenant=tenant,
                metadata=order.metadata,
                key=key,
                webhook=order.webhook,
                join=order.join,
            )
        except KeyTakenError as taken:
            if not taken.is_same:
                raise
            batch = await context.batches.get(taken.render_id, tenant=tenant)
    return JSONResponse(await _shown(batch, request, context), 202, NO_STORE | {"location": f"/v1/batches/{batch.id}"})


@router.get("", summary="Your batches, the newest first", **LIST_BATCHES)
async def list_batches(
    request: Request, context: InContext, tenant: Tenant, *, limit: Limit = PAGE, cursor: Cursor = None
) -> Response:
    """Answer with a page of batches, and with what to send as `cursor` for the next one, if there is one."""
    last = position_of(cursor, _BATCH)
    found = await context.batches.newest(tenant=tenant, before=last and last[0], limit=limit + 1)
    page = found[:limit]
    more = cursor_of(page[-1].id) if len(found) > limit else None
    return JSONResponse(
        {"batches": [await _shown(batch, request, context) for batch in page], "next_cursor": more}, headers=NO_STORE
    )


@router.get("/{batch_id}", summary="A batch as it is now", **READ_BATCH)
async def read_batch(request: Request, context: InContext, tenant: Tenant, batch_id: BatchId) -> Response:
    """Answer with the batch: how many of its renders are in each state, and how much is done."""
    batch = await context.batches.get(batch_id, tenant=tenant)
    return JSONResponse(await _shown(batch, request, context), headers=NO_STORE)


@router.get("/{batch_id}/renders", summary="The renders of a batch, in their order", **BATCH_RENDERS)
async def batch_renders(
    request: Request,
    context: InContext,
    tenant: Tenant,
    batch_id: BatchId,
    *,
    status: Annotated[list[RenderStatus] | None, Query(description="Only in this state; may be repeated.")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> Response:
    """Answer with a page of the batch's renders, each with its own video or its own error."""
    last = position_of(cursor, _ITEM)
    after = int(last[1]) if last is not None else -1
    found = await context.batches.items(batch_id, tenant=tenant, statuses=status or (), after=after, limit=limit + 1)
    page = found[:limit]
    body = {
        "renders": [await show(render, request, context) for render in page],
        "next_cursor": cursor_of(f"item_{page[-1].item}") if len(found) > limit else None,
    }
    return JSONResponse(body, headers=NO_STORE)


@router.head("/{batch_id}/video", include_in_schema=False)
@router.get("/{batch_id}/video", summary="The one video of a batch", **BATCH_VIDEO)
async def batch_video(request: Request, context: InContext, tenant: Tenant, batch_id: BatchId) -> Response:
    """Answer with the bytes of the video that was made of all renders."""
    batch = await context.batches.get(batch_id, tenant=tenant)
    if batch.join is None:
        raise ProblemError(Problem.no_video, f"batch {batch_id} was asked for without join")
    if batch.finished_at is None:
        raise ProblemError(Problem.not_finished, f"batch {batch_id} is {batch.status}; wait for it to end")
    if batch.join.result is None:
        detail = f"the videos of batch {batch_id} were not joined: {batch.join.error or batch.join.status}"
        raise ProblemError(Problem.no_video, detail)
    if batch.join.place is None:
        assert batch.join.result.expired_at is not None  # noqa: S101 - else it would have a place
        raise expired(batch_id, batch.join.result.expired_at, "batch")
    return await hand_out(request, context, batch.join.place, batch.join.result.video)


@router.get("/{batch_id}/webhook", summary="What has become of a batch's webhook", **READ_BATCH_WEBHOOK)
async def read_batch_webhook(context: InContext, tenant: Tenant, batch_id: BatchId) -> Response:
    """Answer with where the webhook is, and with every attempt at it."""
    batch = await context.batches.get(batch_id, tenant=tenant)
    if batch.webhook is None:
        raise ProblemError(Problem.no_webhook, f"batch {batch_id} was asked for without a webhook")
    found = await context.deliveries.of(batch_id, batch.webhook)
    return JSONResponse(found.model_dump(mode="json"), headers=NO_STORE)


@router.post("/{batch_id}/cancel", summary="Cancel a batch", **CANCEL_BATCH)
async def cancel_batch(request: Request, context: InContext, tenant: Tenant, batch_id: BatchId) -> Response:
    """Cancel what of the batch has not ended, and answer when nothing of it runs any more."""
    batch = await context.batches.cancel(batch_id, tenant=tenant)
    return JSONResponse(await _shown(batch, request, context), headers=NO_STORE)


@router.delete("/{batch_id}", status_code=204, summary="Delete a batch", **DELETE_BATCH)
async def delete_batch(context: InContext, tenant: Tenant, batch_id: BatchId) -> Response:
    """Cancel what has not ended, then remove the batch with all its renders and their videos."""
    await context.batches.delete(batch_id, tenant=tenant)
    return Response(status_code=204)


async def _shown(batch: Batch, request: Request, context: Context) -> JsonObject:
    return await batch_json(batch, context.storage, base_url(request, context))
