"""Requests that bear a key of the client's: the same key is the same render or batch, however often it is sent.

A key is noted in the transaction that queues its render, so of any number of equal requests at once one queues it and
the others find it. It is remembered for ``IDEMPOTENCY_TTL``, or until its render or batch is deleted.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.database import Now
from manimcast.renders.table import idempotency_keys

_KEYS = idempotency_keys.c


@dataclass(frozen=True)
class RequestKey:
    """A client's key, and a digest of the request that it was sent with."""

    key: str
    digest: str

    @classmethod
    def of(cls, key: str, body: Any) -> RequestKey:
        """Return the key of a request with this JSON body; two bodies are equal when their values are."""
        return cls(key, hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest())


class KeyTakenError(Exception):
    """The key belongs to a render or a batch; ``is_same`` tells whether that was asked for with the same body."""

    def __init__(self, render_id: str, *, is_same: bool) -> None:
        super().__init__(f"the key belongs to render {render_id}")
        self.render_id = render_id
        self.is_same = is_same


async def note(connection: AsyncConnection, tenant: str, key: RequestKey, render_id: str, *, lifetime: float) -> None:
    """Give the key to a render, within the transaction that enters it.

    Raises :class:`KeyTakenError` when another one has it; a transaction that is about to give it away is waited for.
    """
    await connection.execute(delete(idempotency_keys).where(_KEYS.noted < Now() - lifetime))
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {"tenant": tenant, "key": key.key, "digest": key.digest, "render_id": render_id, "noted": Now()}
    done = await connection.execute(insert(idempotency_keys).values(values).on_conflict_do_nothing())
    if done.rowcount != 1:
        await look(connection, tenant, key, lifetime=lifetime)


async def look(connection: AsyncConnection, tenant: str, key: RequestKey, *, lifetime: float) -> None:
    """Raise :class:`KeyTakenError` when the key belongs to a render or a batch."""
    mine = (_KEYS.tenant == tenant, _KEYS.key == key.key, _KEYS.noted >= Now() - lifetime)
    taken = (await connection.execute(select(idempotency_keys).where(*mine))).first()
    if taken is not None:
        raise KeyTakenError(taken.render_id, is_same=taken.digest == key.digest)
