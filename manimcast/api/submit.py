"""Queue what a client asks for, or say why not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import structlog
from fastapi import Request

from manimcast.api.batch_requests import BatchOrder, moved
from manimcast.api.context import Context, find
from manimcast.api.problems import Problem, ProblemError
from manimcast.api.validation import refuse
from manimcast.assets import AssetError
from manimcast.attached import AssetRef, AssetUse, check_beside
from manimcast.executors.policy import AUTO
from manimcast.renders import CacheMode, Draft, KeyTakenError, NoExecutor, QueueFull, Render, RequestKey, WebhookWish
from manimcast.spec import JsonObject, RenderSpec

MAX_KEY = 255
"""Characters of an ``Idempotency-Key``."""


async def with_assets(context: Context, spec: RenderSpec, references: Sequence[AssetRef], *, tenant: str) -> RenderSpec:
    """Return ``spec`` with the assets that the tenant has under these ids, or refuse."""
    if not references:
        return spec
    try:
        uses = await context.assets.resolve(tenant, references)
        check_beside(spec.files, (use.name for use in uses))
    except AssetError as error:
        raise refuse([{"field": error.field, "message": str(error)}]) from None
    except ValueError as error:
        raise refuse([{"field": "assets", "message": str(error)}]) from None
    return spec.model_copy(update={"assets": uses})


async def with_assets_each(context: Context, order: BatchOrder, *, tenant: str) -> list[Draft]:
    """Return the renders of a batch with their assets, or refuse: what is wrong is named by where it stands."""
    drafts: list[Draft] = []
    known: dict[tuple[tuple[AssetRef, ...], tuple[str, ...]], tuple[AssetUse, ...]] = {}
    for draft, (where, references) in zip(order.drafts, order.assets, strict=True):
        likewise = (references, tuple(draft.spec.files))
        if likewise not in known:
            try:
                known[likewise] = (await with_assets(context, draft.spec, references, tenant=tenant)).assets
            except ProblemError as problem:
                raise refuse(moved(problem.errors, where)) from None
        drafts.append(replace(draft, spec=draft.spec.model_copy(update={"assets": known[likewise]})))
    return drafts


async def submit(
    context: Context,
    spec: RenderSpec,
    *,
    tenant: str,
    assets: Sequence[AssetRef] = (),
    executor: str = AUTO,
    cache: CacheMode = CacheMode.use,
    priority: int = 0,
    metadata: JsonObject | None = None,
    key: RequestKey | None = None,
    webhook: WebhookWish | None = None,
) -> Render:
    """Queue ``spec`` with ``assets`` and return its render; raise :class:`ProblemError` when it is not taken.

    With a ``key`` that was sent before, that request's render is returned. ``webhook`` is where its end is told.
    """
    with taking(context):
        try:
            if key is not None:  # before its assets, which may have been deleted since
                await context.renders.look(key, tenant=tenant)
            spec = await with_assets(context, spec, assets, tenant=tenant)
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
                raise
            render = await find(context, taken.render_id, tenant)
    # What this request still has to log is about this render.
    structlog.contextvars.bind_contextvars(render_id=render.id)
    return render


@contextmanager
def taking(context: Context) -> Iterator[None]:
    """Refuse to take anything while the service stops, and say in a problem's words why something is not taken."""
    if context.stopping:
        raise ProblemError(Problem.stopping, "the service is stopping", headers={"retry-after": "5"})
    try:
        yield
    except KeyTakenError as taken:
        raise ProblemError(
            Problem.key_conflict,
            f"this Idempotency-Key was sent before with another body, for {taken.render_id}; "
            "send a new key with a new request",
        ) from None
    except QueueFull as full:
        raise ProblemError(
            Problem.queue_full, str(full), headers={"retry-after": str(max(1, math.ceil(full.retry_after)))}
        ) from None
    except NoExecutor as none:
        raise ProblemError(Problem.no_executor, none.reason) from None


def request_key(request: Request, body: JsonObject) -> RequestKey | None:
    """Return the key that the client gave this request, if it gave one."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        message = f"Idempotency-Key must have 1 to {MAX_KEY} printable ASCII characters"
        raise refuse([{"field": "Idempotency-Key", "message": message}])
    return RequestKey.of(key, body)
