"""``/v1/renders/{render_id}/webhook``: what has become of telling of a render's end, and telling it again."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from manimcast.api.context import Context, InContext, Tenant, find
from manimcast.api.ids import RenderId
from manimcast.api.openapi import READ_WEBHOOK, REPLAY_WEBHOOK
from manimcast.api.problems import Problem, ProblemError
from manimcast.renders import Render
from manimcast.webhooks import Webhook

router = APIRouter(prefix="/v1/renders", tags=["webhooks"])


@router.get("/{render_id}/webhook", summary="What has become of a webhook", **READ_WEBHOOK)
async def read_webhook(context: InContext, tenant: Tenant, render_id: RenderId) -> Response:
    """Answer with where the webhook is, and with every attempt at it."""
    return _answer(await _webhook(context, await find(context, render_id, tenant)))


@router.post("/{render_id}/webhook/replay", status_code=202, summary="Send a webhook again", **REPLAY_WEBHOOK)
async def replay_webhook(context: InContext, tenant: Tenant, render_id: RenderId) -> Response:
    """Have the webhook sent again, with the same id, from the beginning of the schedule; answer with it."""
    render = await find(context, render_id, tenant)
    await _webhook(context, render)
    if not await context.deliveries.replay(render_id):
        raise ProblemError(Problem.not_finished, f"render {render_id} is {render.status}; there is nothing to tell yet")
    return _answer(await _webhook(context, render), 202)


async def _webhook(context: Context, render: Render) -> Webhook:
    if render.webhook is None:
        raise ProblemError(Problem.no_webhook, f"render {render.id} was asked for without a webhook")
    return await context.deliveries.of(render.id, render.webhook)


def _answer(webhook: Webhook, status: int = 200) -> Response:
    return JSONResponse(webhook.model_dump(mode="json"), status, {"cache-control": "no-store"})
