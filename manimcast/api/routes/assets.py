"""``/v1/assets``: upload a file that renders then name, list what is there, delete it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from manimcast.api.context import InContext, Tenant
from manimcast.api.ids import AssetId
from manimcast.api.openapi import CREATE_ASSET, DELETE_ASSET, LIST_ASSETS, READ_ASSET
from manimcast.api.outages import outage
from manimcast.api.paging import MAX_PAGE, PAGE, cursor_of, position_of
from manimcast.api.problems import Problem, ProblemError, missing
from manimcast.api.submit import taking
from manimcast.api.upload import read_upload
from manimcast.api.validation import refuse
from manimcast.assets import Asset, AssetError, QuotaError
from manimcast.spec import JsonObject
from manimcast.storage import StorageError

_UNSTORED = {"cache-control": "no-store"}
_LAST = re.compile(r"([0-9]{1,17}) (ast_[0-9a-f]{64})")

router = APIRouter(prefix="/v1/assets", tags=["assets"])


@router.post("", status_code=201, summary="Upload an asset", **CREATE_ASSET)
async def create_asset(request: Request, context: InContext, tenant: Tenant) -> Response:
    """Take a file; ``200`` when the same bytes were there, under what name ever: then they are called this now."""
    try:
        with taking(context), context.assets.incoming() as file:
            name = await read_upload(request, file)
            asset, is_new = await context.assets.take(tenant, name, file)
    except AssetError as error:
        raise refuse([{"field": error.field, "message": str(error)}]) from None
    except QuotaError as error:
        raise ProblemError(Problem.quota_exceeded, str(error)) from None
    except (StorageError, OSError) as error:
        raise outage(error, "the asset was not stored") from None
    headers = {"location": f"/v1/assets/{asset.id}", **_UNSTORED}
    return JSONResponse(_shown(asset), 201 if is_new else 200, headers)


@router.get("", summary="Your assets, the newest first", **LIST_ASSETS)
async def list_assets(
    context: InContext,
    tenant: Tenant,
    *,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Assets of one page.")] = PAGE,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
) -> Response:
    """Answer with a page of assets, and with what to send as `cursor` for the next one, if there is one."""
    found = await context.assets.newest(tenant, before=_position(cursor), limit=limit + 1)
    page = found[:limit]
    body = {
        "assets": [_shown(asset) for asset in page],
        "next_cursor": _cursor(page[-1]) if len(found) > limit else None,
    }
    return JSONResponse(body, headers=_UNSTORED)


@router.get("/{asset_id}", summary="An asset", **READ_ASSET)
async def read_asset(context: InContext, tenant: Tenant, asset_id: AssetId) -> Response:
    """Answer with what is known of an asset. Its bytes are only handed to renders."""
    asset = await context.assets.get(tenant, asset_id)
    if asset is None:
        raise missing(Problem.asset_not_found, "asset", asset_id)
    return JSONResponse(_shown(asset), headers=_UNSTORED)


@router.delete("/{asset_id}", status_code=204, summary="Delete an asset", **DELETE_ASSET)
async def delete_asset(context: InContext, tenant: Tenant, asset_id: AssetId) -> Response:
    """Remove an asset. Renders that have begun go on with it; those that wait fail."""
    if not await context.assets.delete(tenant, asset_id):
        raise missing(Problem.asset_not_found, "asset", asset_id)
    return Response(status_code=204)


def _shown(asset: Asset) -> JsonObject:
    return {
        "id": asset.id,
        "name": asset.name,
        "kind": asset.kind.value,
        "media_type": asset.media_type,
        "bytes": asset.bytes,
        "sha256": asset.id.removeprefix("ast_"),
        "created_at": asset.created_at.isoformat().replace("+00:00", "Z"),
    }


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _cursor(asset: Asset) -> str:
    return cursor_of(f"{(asset.created_at - _EPOCH) // _MICROSECOND} {asset.id}")


def _position(cursor: str | None) -> tuple[datetime, str] | None:
    """Return time and id of the last asset of the page before."""
    last = position_of(cursor, _LAST)
    return (_EPOCH + int(last[1]) * _MICROSECOND, last[2]) if last is not None else None
