"""``POST /v1/scenes/inspect``: what scenes would come to, without drawing them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from manimcast.api.body import read_json_object
from manimcast.api.clients import ClientGone, until_gone
from manimcast.api.context import Context, InContext, Tenant
from manimcast.api.openapi import INSPECT
from manimcast.api.outages import outage
from manimcast.api.requests import parse_render
from manimcast.api.submit import taking, with_assets
from manimcast.assets import AssetGoneError
from manimcast.inspection import Inspection
from manimcast.spec import ErrorCode, RenderSpec, SceneError
from manimcast.storage import StorageError

router = APIRouter(prefix="/v1/scenes", tags=["scenes"])


@router.post("/inspect", summary="Run scenes dry", **INSPECT)
async def inspect_scenes(request: Request, context: InContext, tenant: Tenant) -> Response:
    """Answer with the timeline of each scene: how long, how much work, what is wrong. When the client leaves, it ends.

    The body is that of a render, and checked as that; what has no meaning here, such as ``webhook``, is not used. A
    scene that fails is an answer like any other, with its ``error``.
    """
    body = await read_json_object(request, limit=context.settings.max_body_bytes)
    order = parse_render(body, context.settings)
    with taking(context):
        spec = await with_assets(context, order.spec, order.assets, tenant=tenant)
        try:
            inspection = await until_gone(request.receive, _inspect(context, spec, order.executor, tenant))
        except AssetGoneError as gone:
            inspection = Inspection(error=SceneError(code=ErrorCode.asset_missing, message=str(gone)))
        except StorageError as error:
            raise outage(error, "the assets cannot be read") from None
        except ClientGone:
            return Response(status_code=499)  # for the log; nobody receives it
    return JSONResponse(inspection.model_dump(mode="json"), headers={"cache-control": "no-store"})


async def _inspect(context: Context, spec: RenderSpec, executor: str, tenant: str) -> Inspection:
    async with context.assets.opened(tenant, spec.assets) as attached:
        return await context.inspections.inspect(spec, executor=executor, attached=attached)
