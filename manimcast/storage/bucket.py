"""A bucket: objects are written, read, deleted and linked to. What goes wrong comes out in plain words."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from manimcast.settings import Settings
from manimcast.storage.base import Link
from manimcast.storage.connect import connect
from manimcast.storage.faults import explain
from manimcast.storage.model import BucketError, NoSuchFile, StorageError
from manimcast.storage.multipart import Multipart
from manimcast.storage.places import public_base, public_url
from manimcast.storage.threads import Result, Threads
from manimcast.storage_settings import Place

if TYPE_CHECKING:
    from manimcast.storage.connect import Client

PART = 5 * 1024 * 1024
"""Bytes of one part of an upload: the least that S3 takes, so that also a slow line carries it in time."""
PARTS_AT_ONCE = 3
LONGEST_LINK = timedelta(days=7)
"""S3 and Google sign no longer ones."""
CHECK = "manimcast-check"
LAST_WORDS = 1.0
"""Seconds that requests may take to end when the service does."""


@dataclass(frozen=True)
class Headers:
    """What an object is served with."""

    media_type: str
    filename: str
    is_public: bool

    def attributes(self) -> dict[str, str]:
        """Return them as obstore names them. An object never changes, so a copy of it is good as long as it is kept."""
        return {
            "Content-Type": self.media_type,
            "Content-Disposition": f'inline; filename="{self.filename}"',
            "Cache-Control": f"{'public' if self.is_public else 'private'}, max-age=86400, immutable",
        }


class Bucket:
    """The bucket that the settings name. Nothing is sent before the first request.

    Attributes
    ----------
    multipart
        Uploads in parts that outlive this process, for :mod:`manimcast.storage.resuming`.
    """

    def __init__(self, settings: Settings, place: Place) -> None:
        self._settings = settings
        self._place = place
        self._public = public_base(settings, place)
        self._threads = Threads()
        self.multipart = Multipart(settings, place)

    @property
    def is_public(self) -> bool:
        """Whether links are permanent ones that anyone may follow."""
        return self._public is not None

    async def upload(self, key: str, path: Path, headers: Headers) -> None:
        """Write the file at ``path`` as the object ``key``, in parts when it is larger than one.

        Each part is tried again a few times by itself. An object appears whole or not at all. Raises
        :class:`BucketError`, and :class:`StorageError` when there is no such file.
        """
        import obstore  # noqa: PLC0415

        if not await asyncio.to_thread(path.is_file):
            raise StorageError(f"the file {path} that was to be uploaded is gone")
        put = partial(obstore.put, attributes=headers.attributes(), chunk_size=PART, max_concurrency=PARTS_AT_ONCE)
        with self._plainly("write"):
            await self._threads.run(partial(put, self._client, key, path))

    async def size(self, key: str) -> int | None:
        """Return how many bytes the object ``key`` has; None when there is none. Raises :class:`BucketError`."""
        import obstore  # noqa: PLC0415

        with self._plainly("read"):
            try:
                return (await self._threads.run(partial(obstore.head, self._client, key)))["size"]
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None

    async def run(self, doing: str, call: Callable[[], Result]) -> Result:
        """Return what a call of ``multipart`` returns; what that raises is the cause of a :class:`BucketError`."""
        with self._plainly(doing):
            return await self._threads.run(call)

    async def download(self, key: str, file: BinaryIO) -> None:
        """Write the object ``key`` into ``file``, and leave that at its beginning.

        Raises :class:`NoSuchFile` when there is none, and :class:`BucketError`.
        """
        import obstore  # noqa: PLC0415

        def copy() -> None:
            file.writelines(obstore.get(self._client, key).stream(min_chunk_size=1 << 20))
            file.seek(0)

        with self._plainly("read"):
            try:
                await self._threads.run(copy)
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                raise NoSuchFile("the file is not in the bucket any more") from None

    async def delete(self, key: str) -> None:
        """Remove the object; nothing there is no error."""
        import obstore  # noqa: PLC0415

        with self._plainly("delete"):
            try:
                await self._threads.run(partial(obstore.delete, self._client, key))
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise

    async def link(self, key: str, ttl: float, method: str = "GET") -> Link:
        """Return a link to the object that works for ``ttl`` seconds, or for ever when the bucket can be read by all.

        A signed one is good for ``method`` only, and for a week at most.
        """
        if self._public is not None:
            return Link(public_url(self._public, key), None)
        import obstore  # noqa: PLC0415

        lifetime = min(timedelta(seconds=int(ttl) or 1), LONGEST_LINK)
        expires_at = datetime.now(UTC).replace(microsecond=0) + lifetime
        with self._plainly("sign links"):
            sign = partial(obstore.sign, self._link_client, cast("Literal['GET', 'HEAD']", method), key, lifetime)
            url = sign() if self._has_own_key else await self._threads.run(sign)
            return Link(url, expires_at)

    async def check(self) -> None:
        """Write a small object, read it and delete it. Raises :class:`BucketError`, which says what to do."""
        import obstore  # noqa: PLC0415

        key = f"{self._place.prefix}{CHECK}-{secrets.token_hex(8)}.txt"
        content = key.encode()
        with self._plainly("write"):
            put = partial(obstore.put, attributes={"Content-Type": "text/plain"})
            await self._threads.run(partial(put, self._client, key, content))
        try:
            with self._plainly("read"):
                found = await self._threads.run(lambda: bytes(obstore.get(self._client, key).bytes()))
            if found != content:
                raise BucketError(
                    f"the bucket {self._place.bucket} does not give back what was written. Check S3_ENDPOINT.",
                    is_lasting=True,
                )
        finally:
            await self.delete(key)
        await self.link(key, 60)

    async def close(self) -> None:
        """Let requests that are under way end, for a moment; what hangs is left behind."""
        await self._threads.join(LAST_WORDS)
        self.multipart.close()

    @property
    def _has_own_key(self) -> bool:
        """Whether signing is only arithmetic; else the role of the machine may have to be asked for a key."""
        settings = self._settings
        own = (settings.s3_access_key_id, settings.google_service_account, settings.azure_storage_account_key)
        return own[("s3", "gcs", "azure").index(self._place.kind)] is not None

    @cached_property
    def _client(self) -> Client:
        return connect(self._settings, self._place)

    @cached_property
    def _link_client(self) -> Client:
        return connect(self._settings, self._place, for_links=True)

    @contextmanager
    def _plainly(self, doing: str) -> Iterator[None]:
        """Turn what obstore raises into a :class:`BucketError`."""
        from obstore.exceptions import BaseError  # noqa: PLC0415

        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            raise explain(error, doing, self._settings, self._place) from error
