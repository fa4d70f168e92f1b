"""Stored files by signed link: ``/v1/files/{render_id}/{name}?expires=...&signature=...``.

A file that lives in a bucket is not sent from here: the answer is where it can be had. What strangers' code drew is
served with a content type that we chose, and may not run anything.
"""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, RedirectResponse, Response

from manimcast.api.context import Context, InContext
from manimcast.api.openapi import SIGNED_FILE
from manimcast.api.problems import Problem, ProblemError
from manimcast.storage import LinkExpired, LinkForged, NoSuchFile, StoredFile
from manimcast.storage.model import media_type

SECURITY = {
    "content-security-policy": "default-src 'none'; img-src 'self'; media-src 'self'; "
    "style-src 'unsafe-inline'; frame-ancestors *; sandbox allow-same-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "cross-origin",
}
"""A browser may show the picture or play the video, and nothing else: no scripts, no forms, no plug-ins.

Without `allow-same-origin` Chromium does not play a video whose link is opened by itself: the page that it makes
around the video has no origin then, and may not load it.
"""

RETRY_AFTER = "5"
"""Seconds after which a file may be asked for again that is on its way to the bucket."""

router = APIRouter()


@router.head("/v1/files/{render_id}/{name}", include_in_schema=False)
@router.get("/v1/files/{render_id}/{name}", tags=["files"], summary="A file by its link", **SIGNED_FILE)
async def signed_file(
    request: Request,
    context: InContext,
    render_id: str,
    name: str,
    *,
    expires: str = "",
    signature: str = "",
) -> Response:
    """Answer with the bytes that the link is for. Needs no key: the link is one."""
    try:
        context.storage.verify(render_id, name, expires=expires, signature=signature)
    except LinkForged as error:
        raise ProblemError(Problem.link_invalid, str(error)) from None
    except LinkExpired as error:
        raise ProblemError(Problem.link_expired, str(error)) from None
    try:
        path = context.storage.path(render_id, name)
    except NoSuchFile as error:
        # Since the link was given out, the file may have gone where it belongs.
        file = await context.renders.file(render_id, name)
        if file is None:
            if (when := await context.renders.expired(render_id)) is not None:
                raise expired(render_id, when) from None
            raise ProblemError(Problem.not_found, str(error)) from None
        return await hand_out(request, context, render_id, file)
    return _send(request, path, render_id, name, max_age=int(expires) - int(time.time()))


def expired(its_id: str, when: datetime, what: str = "render") -> ProblemError:
    """Return the problem that the files are gone of a render, or of ``what`` has the id."""
    return ProblemError(
        Problem.video_expired,
        f"the video of {what} {its_id} was removed at {when:%Y-%m-%dT%H:%M:%SZ}, as this service keeps videos for a "
        "limited time; post the scene again for a new one",
        extra={"expired_at": when.isoformat().replace("+00:00", "Z")},
    )


async def hand_out(request: Request, context: Context, render_id: str, file: StoredFile) -> Response:
    """Return a file of a render: the bytes, or the ranges that the client asks for, or where they can be had."""
    try:
        link = await context.storage.link(render_id, file, method=request.method)
        if not link.is_here:
            # 307: the client asks there in the same way, and the link is not to be remembered as it expires.
            return RedirectResponse(link.url, 307, {"cache-control": "no-store", "referrer-policy": "no-referrer"})
        return _send(request, context.storage.path(render_id, file.name), render_id, file.name)
    except NoSuchFile as error:
        if file.on_its_way:
            detail = f"{file.name} is still on its way to the bucket, from the service that rendered it; try again"
            raise ProblemError(Problem.video_pending, detail, headers={"retry-after": RETRY_AFTER}) from None
        if file.key is not None:
            detail = f"{file.name} lies in a bucket that this service cannot use at the moment"
            raise ProblemError(Problem.storage_unavailable, detail) from None
        raise ProblemError(Problem.not_found, str(error)) from None


def _send(request: Request, path: Path, render_id: str, name: str, *, max_age: int = 0) -> Response:
    kind = media_type(name)
    return FileResponse(
        path,
        media_type=kind,
        filename=f"{render_id}-{name}",
        content_disposition_type="attachment" if request.query_params.get("download") else "inline",
        stat_result=path.stat(),
        headers=SECURITY | {"cache-control": f"private, max-age={max(0, max_age)}"},
    )
