"""Whether objects are in the bucket by now that another service was still bringing there when a row told of them.

Only such objects are asked for, and each until it is there: objects do not change. A bucket that does not answer keeps
nobody waiting for long.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import TypeVar

from manimcast.storage.bucket import Bucket
from manimcast.storage.model import StorageError

Value = TypeVar("Value")

PATIENCE = 2.0
"""Seconds that an answer is waited for."""
AGAIN = 1.0
"""Seconds before an object is asked for again that is not there, and before anything is of a bucket that is silent."""
KNOWN = 10_000
"""Objects that are remembered."""


class Arrivals:
    """What is known of such objects of ``bucket``."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._there: OrderedDict[str, None] = OrderedDict()
        self._absent: OrderedDict[str, float] = OrderedDict()
        self._silent = 0.0
        self._asking: dict[str, asyncio.Task[bool]] = {}

    async def has(self, key: str) -> bool:
        """Tell whether the object is known to be there; all who ask at the same moment share one request."""
        now = time.monotonic()
        if key in self._there:
            return True
        if now < max(self._silent, self._absent.get(key, 0.0)):
            return False
        if key not in self._asking:
            self._asking[key] = asyncio.create_task(self._ask(key))
            self._asking[key].add_done_callback(lambda _: self._asking.pop(key, None))
        try:
            return await asyncio.wait_for(asyncio.shield(self._asking[key]), PATIENCE)
        except (StorageError, TimeoutError):
            self._silent = time.monotonic() + AGAIN
            return False

    async def _ask(self, key: str) -> bool:
        is_there = await self._bucket.size(key) is not None
        if is_there:
            _remember(self._there, key, None)
            self._absent.pop(key, None)
        else:
            _remember(self._absent, key, time.monotonic() + AGAIN)
        return is_there


def _remember(known: OrderedDict[str, Value], key: str, value: Value) -> None:
    known[key] = value
    while len(known) > KNOWN:
        known.popitem(last=False)
