"""Queue a render for a client, or say why not."""

from __future__ import annotations

import math

import structlog

from manimcast.api.context import Context, find
from manimcast.api.problems import Problem, ProblemError
from manimcast.executors.policy import AUTO
from manimcast.renders import CacheMode, KeyTakenError, NoExecutor, QueueFull, Render, RequestKey, WebhookWish
from manimcast.spec import JsonObject, RenderSpec


async def submit(
    context: Context,
    spec: RenderSpec,
    *,
    tenant: str,
    executor: str = AUTO,
    cache: CacheMode = CacheMode.use,
    priority: int = 0,
    metadata: JsonObject | None = None,
    key: RequestKey | None = None,
    webhook: WebhookWish | None = None,
) -> Render:
    """Queue ``spec`` and return its render; raise :class:`ProblemError` when it is not taken.

    With a ``key`` that was sent before, that request's render is returned. ``webhook`` is where its end is told.
    """
    if context.stopping:
        raise ProblemError(Problem.stopping, "the service is stopping", headers={"retry-after": "5"})
    try:
        render = await context.renders.submit(
            spec,
            tenant=tenant,
            executor=executor,
            cache=cache,
            priority=priority,
            metadata=metadata,
            key=key,
            webhook=webhook,
        )
    except KeyTakenError as taken:
        if not taken.is_same:
            raise ProblemError(
                Problem.key_conflict,
                f"this Idempotency-Key was sent before with another body, for render {taken.render_id}; "
                "send a new key with a new request",
            ) from None
        render = await find(context, taken.render_id, tenant)
    except QueueFull as full:
        raise ProblemError(
            Problem.queue_full, str(full), headers={"retry-after": str(max(1, math.ceil(full.retry_after)))}
        ) from None
    except NoExecutor as none:
        raise ProblemError(Problem.no_executor, none.reason) from None
    # What this request still has to log is about this render.
    structlog.contextvars.bind_contextvars(render_id=render.id)
    return render
