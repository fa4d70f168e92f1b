"""Queue a render for a client, or say why not."""

from __future__ import annotations

import math

import structlog

from manimcast.api.context import Context
from manimcast.api.problems import Problem, ProblemError
from manimcast.executors.policy import AUTO
from manimcast.renders import CacheMode, NoExecutor, QueueFull, Render
from manimcast.spec import JsonObject, RenderSpec


async def submit(
    context: Context,
    spec: RenderSpec,
    *,
    tenant: str,
    executor: str = AUTO,
    cache: CacheMode = CacheMode.use,
    metadata: JsonObject | None = None,
) -> Render:
    """Queue ``spec`` and return its render; raise :class:`ProblemError` when it is not taken."""
    if context.stopping:
        raise ProblemError(Problem.stopping, "the service is stopping", headers={"retry-after": "5"})
    try:
        render = await context.renders.submit(spec, tenant=tenant, executor=executor, cache=cache, metadata=metadata)
    except QueueFull as full:
        raise ProblemError(
            Problem.queue_full, str(full), headers={"retry-after": str(max(1, math.ceil(full.retry_after)))}
        ) from None
    except NoExecutor as none:
        raise ProblemError(Problem.no_executor, none.reason) from None
    # What this request still has to log is about this render.
    structlog.contextvars.bind_contextvars(render_id=render.id)
    return render
