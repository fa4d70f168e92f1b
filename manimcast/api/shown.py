"""Renders and batches as JSON, with links that whoever gets it can follow."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from manimcast.renders import Batch, Join, Render, RenderResult
from manimcast.spec import JsonObject, OutputRole, RenderSpec
from manimcast.storage import Link, Storage, StoredFile


async def file_link(storage: Storage, base: str, place: str, file: StoredFile) -> Link:
    """Return a link to one file of a render, with the whole address; ``base`` is this service's."""
    link = await storage.link(place, file)
    return Link(base + link.url, link.expires_at) if link.is_here else link


async def render_json(
    render: Render, storage: Storage, base: str, *, source: RenderSpec | None = None, work: bool = False
) -> JsonObject:
    """Return the render as JSON, with links.

    The code and the files of ``source`` are put into its spec; ``work`` has what drawing took put in.
    """
    shown: dict[str, Any] = render.model_dump(mode="json")
    if render.result is not None and render.result.expired_at is None:
        shown["result"] |= await _links(render.result, storage, base)
    if source is not None:
        shown["spec"] |= {"code": source.code, "files": source.files}
    if work:
        shown["work"] = render.work and render.work.model_dump(mode="json")
    return shown


async def batch_json(batch: Batch, storage: Storage, base: str) -> JsonObject:
    """Return the batch as JSON, with a link to the one video of all of it, if there is one."""
    shown: JsonObject = batch.model_dump(mode="json")
    if batch.join is not None:
        shown["join"] = await join_json(batch.join, storage, base)
    return shown


async def join_json(join: Join, storage: Storage, base: str) -> JsonObject:
    """Return the one video of a batch as JSON, with a link."""
    shown: JsonObject = join.model_dump(mode="json")
    if join.result is not None and join.place is not None:
        link = await file_link(storage, base, join.place, join.result.video)
        shown["result"] |= {"video_url": link.url, "expires_at": _as_text(link.expires_at)}
    return shown


def _as_text(when: datetime | None) -> str | None:
    return when.isoformat().replace("+00:00", "Z") if when is not None else None


async def _links(result: RenderResult, storage: Storage, base: str) -> JsonObject:
    links = {file.name: await file_link(storage, base, result.place, file) for file in result.files}

    def url(name: str | None) -> str | None:
        return links[name].url if name in links else None

    by_role = {file.role: file.name for file in reversed(result.files)}
    expires_at = links[result.video.name].expires_at
    return {
        "video_url": url(result.video.name),
        "expires_at": _as_text(expires_at),
        "poster_url": url(by_role.get(OutputRole.poster)),
        "subtitles_url": url(by_role.get(OutputRole.subtitles)),
        "sections": [section.model_dump(mode="json") | {"video_url": url(section.file)} for section in result.sections],
    }
