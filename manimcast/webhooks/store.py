"""The table of deliveries, one method for each thing that happens to one.

A delivery is entered in the transaction of what it tells of. After that it belongs to nobody: any service may take it
when it is due, and has it then for as long as an attempt may take, by the database's clock. One that dies meanwhile
leaves it to the others, so a message may arrive twice, with the same id, but is never lost.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.database import Database, Now, Present
from manimcast.webhooks.model import Claimed, DeliveryState, NewDelivery, Webhook, WebhookAttempt, at
from manimcast.webhooks.schedule import pause
from manimcast.webhooks.sender import Answer
from manimcast.webhooks.table import webhook_attempts, webhook_deliveries
from manimcast.webhooks.target import Target

PER_PLACE = 4
"""Deliveries to one receiver (host and port) that one service sends at once."""
KEPT_ATTEMPTS = 100
"""Attempts of one delivery that are kept."""
LEASE_MARGIN = 15.0
"""Seconds for which a delivery is its sender's after the attempt must have ended: to write down how."""

AHEAD = 60.0
"""Seconds in the future that are more than two looks at the same clock differ by."""

INTERRUPTED = "nothing is known of the answer: the service that sent it ended meanwhile"
UNDER_WAY = "under way"

_D = webhook_deliveries.c
_A = webhook_attempts.c
_PENDING = DeliveryState.pending.value
_CLAIMED = (_D.id, _D.tenant, _D.subject, _D.type, _D.url, _D.place, _D.base, _D.data, _D.created, _D.number, _D.tries)


class DeliveryStore:
    """The deliveries in ``database``; one attempt takes up to ``timeout`` seconds."""

    def __init__(self, database: Database, timeout: float = 0) -> None:
        self._database = database
        self._timeout = timeout

    async def enqueue(self, connection: AsyncConnection, new: NewDelivery) -> None:
        """Enter a delivery that is due at once, in the transaction of ``connection``."""
        values = {
            "id": f"msg_{secrets.token_hex(16)}",
            "tenant": new.tenant,
            "subject": new.subject,
            "type": new.type,
            "url": new.url,
            "place": Target.parse(new.url).place,
            "base": new.base,
            "data": new.data,
            "state": _PENDING,
            "created": Now(),
            "due": Now(),
            "number": 0,
            "tries": 0,
            "is_kept": True,
        }
        await connection.execute(insert(webhook_deliveries).values(values))

    async def forget(self, connection: AsyncConnection, subject: str) -> None:
        """Forget what has been told of a subject, and what still has to be told of it once that is done."""
        await connection.execute(update(webhook_deliveries).where(_D.subject == subject).values(is_kept=False))
        await self._clear(connection, _D.subject == subject)

    async def claim(
        self, *, room: int, per_tenant: int, busy: Mapping[str, int], tenants: Mapping[str, int]
    ) -> list[Claimed]:
        """Take up to ``room`` deliveries that are due.

        ``busy`` and ``tenants`` say how many are under way here for which receivers and tenants already; no receiver
        gets more than :data:`PER_PLACE` at once, and no tenant more than ``per_tenant``, so that those who are slow
        hold up nobody else.
        """
        wanted = await self._next(room, per_tenant, busy, tenants)
        if not wanted:
            return []
        due = (_D.id.in_(wanted), _D.state == _PENDING, _D.due <= Now())
        free = select(_D.id).where(*due).with_for_update(skip_locked=True)
        lease = Now() + self._timeout + LEASE_MARGIN
        taking = (
            update(webhook_deliveries)
            .where(_D.id.in_(free), *due)
            .values(due=lease, number=_D.number + 1, tries=_D.tries + 1)
            .returning(*_CLAIMED, _D.due, Present().label("taken"))
        )
        async with self._database.write() as connection:
            rows = (await connection.execute(taking)).all()
            if rows:
                begun = [{"delivery": row.id, "number": row.number, "started": Now(), "lease": row.due} for row in rows]
                await connection.execute(insert(webhook_attempts).values(begun))
                for row in rows:
                    if row.number > KEPT_ATTEMPTS:
                        old = (_A.delivery == row.id, _A.number <= row.number - KEPT_ATTEMPTS)
                        await connection.execute(delete(webhook_attempts).where(*old))
        return [_claimed(row) for row in rows]

    async def _next(self, room: int, per_tenant: int, busy: Mapping[str, int], tenants: Mapping[str, int]) -> list[str]:
        """Return the ids of deliveries that are due: each receiver's first, then each one's second, and so on."""
        full = [place for place, count in busy.items() if count >= PER_PLACE]
        filled = [tenant for tenant, count in tenants.items() if count >= per_tenant]
        turn = func.row_number().over(partition_by=_D.place, order_by=(_D.due, _D.id)).label("turn")
        share = func.row_number().over(partition_by=_D.tenant, order_by=(_D.due, _D.id)).label("share")
        due = (
            select(_D.id, _D.place, _D.tenant, _D.due, turn, share)
            .where(_D.due <= Now(), _D.state == _PENDING)
            .where(_D.place.not_in(full), _D.tenant.not_in(filled))
            .subquery()
        )
        in_turn = (due.c.turn, due.c.share, due.c.due)
        statement = select(due).where(due.c.turn <= PER_PLACE).order_by(*in_turn).limit(4 * room)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        here, theirs = dict(busy), dict(tenants)
        chosen: list[str] = []
        for row in rows:
            fits = here.get(row.place, 0) < PER_PLACE and theirs.get(row.tenant, 0) < per_tenant
            if fits and len(chosen) < room:
                here[row.place] = here.get(row.place, 0) + 1
                theirs[row.tenant] = theirs.get(row.tenant, 0) + 1
                chosen.append(row.id)
        return chosen

    async def hasten(self) -> int:
        """Make due what was entered, or last tried, in the future; return how much that is.

        It was so by a clock that has been set back since, and would wait for as long as that is ahead.
        """
        future = Now() + AHEAD
        last = (_A.delivery == _D.id, _A.number == _D.number, _A.started > future)
        ahead = or_(and_(_D.number == 0, _D.created > future), exists(select(_A.delivery).where(*last)))
        which = (_D.state == _PENDING, _D.due > Now(), ahead)
        async with self._database.read() as connection:
            if (await connection.execute(select(_D.id).where(*which).limit(1))).first() is None:
                return 0
        async with self._database.write() as connection:
            return (await connection.execute(update(webhook_deliveries).where(*which).values(due=Now()))).rowcount

    async def record(self, claimed: Claimed, answer: Answer) -> DeliveryState:
        """Write down what came of an attempt, and return where that leaves the delivery."""
        again = None if answer.is_delivered or answer.is_gone else pause(claimed.tries, answer.retry_after)
        if answer.is_delivered:
            state = DeliveryState.delivered
        else:
            state = DeliveryState.failed if again is None else DeliveryState.pending
        await self._settle(claimed, answer, state, again)
        return state

    async def interrupt(self, claimed: Claimed) -> None:
        """Give a delivery back that is not going to be sent to its end here; it does not count as a try."""
        await self._settle(claimed, Answer(INTERRUPTED), DeliveryState.pending, 0, tries=claimed.tries - 1)

    async def _settle(
        self, claimed: Claimed, answer: Answer, state: DeliveryState, again: float | None, *, tries: int | None = None
    ) -> None:
        due = None if again is None else Now() + again
        change: dict[str, Any] = {"state": state.value, "due": due, "ended": Now() if again is None else None}
        if tries is not None:
            change["tries"] = tries
        mine = [_D.id == claimed.id, _D.state == _PENDING]
        if state is not DeliveryState.delivered:  # a message that arrived has arrived, however late that is known
            mine += [_D.number == claimed.number, _D.tries == claimed.tries]
        settling = update(webhook_deliveries).where(*mine).values(change).returning(_D.due)
        # Asked for anew meanwhile; if it is not, it is somebody else's by now.
        anew = (_D.id == claimed.id, _D.state == _PENDING, _D.number == claimed.number, _D.tries == 0)
        renewing = update(webhook_deliveries).where(*anew).values(due=Now()).returning(_D.due)
        attempt = (_A.delivery == claimed.id, _A.number == claimed.number)
        said = {"status": answer.status, "reason": answer.reason, "body": answer.body}
        async with self._database.write() as connection:
            settled = (await connection.execute(settling)).first() or (await connection.execute(renewing)).first()
            told = said | {"ended": Now(), "next": settled and settled.due}
            await connection.execute(update(webhook_attempts).where(*attempt).values(told))
            if state is not DeliveryState.pending:
                await self._clear(connection, _D.id == claimed.id)

    async def of(self, subject: str, url: str) -> Webhook:
        """Return what has become of a subject's webhook to ``url``."""
        mine = select(_D.id).where(_D.subject == subject)
        async with self._database.read() as connection:
            row = (await connection.execute(select(webhook_deliveries).where(_D.subject == subject))).first()
            attempts = select(webhook_attempts, (_A.lease > Now()).label("is_live")).where(_A.delivery.in_(mine))
            rows = (await connection.execute(attempts.order_by(_A.number))).all()
        if row is None:
            return Webhook(url=url)
        return Webhook(
            url=url,
            id=row.id,
            type=row.type,
            state=DeliveryState(row.state),
            created_at=at(row.created),
            ended_at=None if row.ended is None else at(row.ended),
            next_attempt_at=None if row.due is None else at(row.due),
            attempts=tuple(map(_attempt, rows)),
        )

    async def replay(self, subject: str) -> bool:
        """Have a subject's webhook sent again, from the beginning of the schedule; tell whether there is one.

        One that is under way is not sent twice at once: it begins anew when that attempt has failed.
        """
        under_way = select(_A.delivery).where(_A.number == _D.number, _A.ended.is_(None), _A.lease > Now())
        again = {"state": _PENDING, "ended": None, "tries": 0}
        mine = update(webhook_deliveries).where(_D.subject == subject)
        async with self._database.write() as connection:
            quiet = await connection.execute(mine.where(_D.id.not_in(under_way)).values(again | {"due": Now()}))
            busy = await connection.execute(mine.where(_D.id.in_(under_way)).values(again))
        return quiet.rowcount + busy.rowcount > 0

    async def _clear(self, connection: AsyncConnection, condition: Any) -> None:
        """Remove those deliveries that have ended and of whose subjects nothing is kept."""
        over = select(_D.id).where(condition, _D.is_kept.is_(False), _D.state != _PENDING)
        await connection.execute(delete(webhook_attempts).where(_A.delivery.in_(over)))
        await connection.execute(delete(webhook_deliveries).where(_D.id.in_(over)))


def _claimed(row: Row[Any]) -> Claimed:
    return Claimed(
        row.id,
        row.tenant,
        row.subject,
        row.type,
        row.url,
        row.place,
        row.base,
        row.data,
        at(row.created),
        row.number,
        row.tries,
        row.taken,
    )


def _attempt(row: Row[Any]) -> WebhookAttempt:
    over = row.ended is not None
    return WebhookAttempt(
        number=row.number,
        started_at=at(row.started),
        duration=round(max(0.0, row.ended - row.started), 3) if over else None,
        status=row.status,
        reason=row.reason or (UNDER_WAY if row.is_live else INTERRUPTED),
        body=row.body,
        next_attempt_at=None if row.next is None else at(row.next),
    )
