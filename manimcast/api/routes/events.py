"""``GET /v1/renders/{id}/events``: what happens to a render, as Server-Sent Events that can be resumed."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from pydantic_core import to_json
from starlette.responses import Response

from manimcast.api.answers import show
from manimcast.api.context import Context, InContext, Tenant
from manimcast.api.ids import RenderId
from manimcast.api.openapi import EVENTS
from manimcast.api.problems import Problem, ProblemError
from manimcast.api.validation import refuse
from manimcast.database import DatabaseError
from manimcast.renders import Event, RenderNotFound
from manimcast.spec import MAX_COUNT

HEARTBEAT = 15.0
"""Seconds without an event after which a comment is sent, so that nobody between takes the connection for dead."""
RETRY = 2000
"""Milliseconds that clients are told to wait before they connect again."""

_LINE_ENDS = {ord(char): f"\\u{ord(char):04x}" for char in "\x85\u2028\u2029"}
"""What some clients take for the end of a line, though it is none here; JSON has it in strings only."""
_NUMBER = re.compile(r"[0-9]{1,9}")
_AFTER = "The number of an event: only what came after it is sent. `Last-Event-ID` goes before it."

router = APIRouter(prefix="/v1/renders", tags=["renders"])
logger = logging.getLogger(__name__)


@router.get("/{render_id}/events", summary="What happens to a render, as it happens", **EVENTS)
async def read_events(
    request: Request,
    context: InContext,
    tenant: Tenant,
    render_id: RenderId,
    *,
    last_event_id: Annotated[str | None, Header(description="The `id` of the last event that was received.")] = None,
    after: Annotated[int, Query(ge=0, le=MAX_COUNT, description=_AFTER)] = 0,
) -> Response:
    """Answer with the render's events from its first one, or from where the client was, until the one that ends it.

    When nothing is left to say, the answer is 204, at which a browser's ``EventSource`` stops asking.
    """
    if last_event_id is not None:
        after = _number(last_event_id)
    try:
        state, batches = await context.renders.listen(render_id, tenant=tenant, after=after, idle=HEARTBEAT)
    except RenderNotFound as error:
        raise ProblemError(Problem.render_not_found, str(error)) from None
    if after > state.last_event:
        beyond = f"render {render_id} has {state.last_event} events so far, and none has the number {after}"
        raise _bad_header(beyond) if last_event_id is not None else refuse([{"field": "after", "message": beyond}])
    if after == state.last_event and state.status.ended:
        return Response(status_code=204, headers={"cache-control": "no-store"})
    return EventSourceResponse(
        _stream(request, context, tenant, render_id, batches),
        # Without these a proxy may collect events before it passes them on.
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _stream(
    request: Request, context: Context, tenant: str, render_id: str, batches: AsyncGenerator[list[Event], None]
) -> AsyncGenerator[bytes, None]:
    """Yield the events in their form on the wire, and comments while there are none."""
    yield format_sse_event(retry=RETRY)
    try:
        async with aclosing(batches):
            async for batch in batches:
                sent = [await _encode(event, request, context, tenant, render_id) for event in batch]
                yield b"".join(sent) or KEEPALIVE_COMMENT
    except DatabaseError as error:
        # The client comes back for the rest, and is then told what is wrong, if it still is.
        logger.warning("events were broken off: %s", error, extra={"render_id": render_id})


async def _encode(event: Event, request: Request, context: Context, tenant: str, render_id: str) -> bytes:
    data = event.json
    if event.type.ends:
        render = await context.renders.ending(render_id, tenant=tenant)
        shown = None if render is None else await show(render, request, context)
        data = f'{data[:-1]},"render":{to_json(shown).decode()}}}'
    return format_sse_event(id=str(event.number), event=event.type, data_str=data.translate(_LINE_ENDS))


def _number(last_event_id: str) -> int:
    if not _NUMBER.fullmatch(last_event_id):
        raise _bad_header("it must be the id of an event of this render: a number")
    return int(last_event_id)


def _bad_header(message: str) -> ProblemError:
    return ProblemError(
        Problem.invalid_header,
        f"Last-Event-ID: {message}",
        errors=[{"field": "Last-Event-ID", "message": message}],
    )
