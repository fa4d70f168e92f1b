"""Large files go to the bucket in parts, and after a break only those parts that have not arrived.

The id of an upload is noted in the outbox before the first part is sent. Whoever goes on with it, this process or
the next one after a ``kill -9``, asks the bucket which parts it has, and compares each one's size and MD5 with the
file's. A bucket that does not know the upload any more, or cannot say what it has, is sent all of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

from manimcast.storage.bucket import PART, PARTS_AT_ONCE, Bucket, Headers
from manimcast.storage.model import BucketError, StorageError
from manimcast.storage.multipart import GoneError, Part, RefusedError
from manimcast.storage.outbox import Outbox
from manimcast.storage.shelf import plainly

UNREADABLE = "a file that is to be uploaded cannot be read"

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


class Resuming:
    """Uploads large files from ``outbox`` to ``bucket``."""

    def __init__(self, outbox: Outbox, bucket: Bucket) -> None:
        self._outbox = outbox
        self._bucket = bucket

    async def upload(self, key: str, path: Path, headers: Headers, *, is_wanted: Callable[[], bool]) -> None:
        """Write the file at ``path`` as the object ``key``; raises as :meth:`Bucket.upload`.

        Ends early, with some of the parts sent, once it is not wanted any more.
        """
        with plainly(UNREADABLE):
            size = (await asyncio.to_thread(path.stat)).st_size
        if size <= PART or not self._bucket.multipart.is_possible:
            await self._bucket.upload(key, path, headers)
            return
        try:
            upload, there = await self._begun(key, size, headers)
        except BucketError as error:
            if not isinstance(error.__cause__, RefusedError) or error.__cause__.is_passing:
                raise
            logger.info("%s is not sent in parts that could be gone on with: %s", key, error)
            await self._bucket.upload(key, path, headers)
            return
        if upload is None:
            return
        tags: dict[int, str] = {}
        numbers = iter(range(1, -(-size // PART) + 1))

        async def bring() -> None:
            for number in numbers:
                if not is_wanted():
                    return
                with plainly(UNREADABLE):
                    content = await asyncio.to_thread(_read, path, number)
                known = there.get(number)
                if known is not None and known == Part(len(content), _md5(content)):
                    tags[number] = known.tag
                else:
                    send = partial(self._bucket.multipart.send, key, upload, number, content)
                    tags[number] = await self._ask("write", send)

        # Those that are under way are let end when one fails: what has arrived is not sent again.
        done = await asyncio.gather(*(bring() for _ in range(PARTS_AT_ONCE)), return_exceptions=True)
        try:
            for outcome in done:
                if isinstance(outcome, BaseException):
                    raise outcome
            if is_wanted():
                ordered = [tags[number] for number in sorted(tags)]
                await self._ask("write", partial(self._bucket.multipart.complete, key, upload, ordered))
                await asyncio.to_thread(self._outbox.ended, key)
        except BucketError as error:
            if not isinstance(error.__cause__, GoneError):
                raise
            if await self._is_there(key, size):  # only the answer was lost
                await asyncio.to_thread(self._outbox.ended, key)
                return
            await self.abort(key)  # the next try begins anew
            raise

    async def abort(self, key: str) -> None:
        """End the upload of ``key`` that was begun, if there is one, and have the bucket remove its parts."""
        upload = await asyncio.to_thread(self._outbox.begun, key)
        if upload is not None:
            await self._ask("delete", partial(self._bucket.multipart.abort, key, upload))
            await asyncio.to_thread(self._outbox.ended, key)

    async def abort_all(self, keys: Iterable[str]) -> None:
        """End the uploads of these objects, which nobody wants any more; what fails is left to the next start."""
        for key in keys:
            try:
                await self.abort(key)
            except BucketError as error:
                logger.warning("parts of an upload that nobody wants were not removed: %s", error)

    async def _begun(self, key: str, size: int, headers: Headers) -> tuple[str | None, dict[int, Part]]:
        """Return the id of an upload, begun now or before, and the parts that have arrived.

        Without an id it was completed before, by a process that died before it could say so.
        """
        multipart = self._bucket.multipart
        if (upload := await asyncio.to_thread(self._outbox.begun, key)) is not None:
            try:
                return upload, await self._ask("read", partial(multipart.parts, key, upload))
            except BucketError as error:
                if not isinstance(error.__cause__, RefusedError) or error.__cause__.is_passing:
                    raise  # the parts may well be there
                if isinstance(error.__cause__, GoneError) and await self._is_there(key, size):
                    await asyncio.to_thread(self._outbox.ended, key)
                    return None, {}
                logger.info("the parts of %s that have arrived are not known; it is sent from its beginning", key)
                await self.abort(key)
        upload = await self._ask("write", partial(multipart.begin, key, headers.attributes()))
        try:
            await asyncio.to_thread(self._outbox.begin, key, upload)
        except StorageError as error:  # there is no room for the note at the moment; and without it, no parts
            await self._ask("delete", partial(multipart.abort, key, upload))
            raise BucketError(str(error), is_lasting=False) from error
        return upload, {}

    async def _is_there(self, key: str, size: int) -> bool:
        """Tell whether the object is complete. Its name is this upload's alone, so what has its size is it."""
        with contextlib.suppress(BucketError):  # a key may be allowed to write and not to look
            return await self._bucket.size(key) == size
        return False

    async def _ask(self, doing: str, call: Callable[[], Answer]) -> Answer:
        return await self._bucket.run(doing, call)


def _read(path: Path, number: int) -> bytes:
    with path.open("rb") as file:
        file.seek((number - 1) * PART)
        return file.read(PART)


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
