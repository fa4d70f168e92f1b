"""The services that work with one database: which of them live, in which role, and what each can run.

Each notes itself in a table, again and again, with what its executors can do at the moment; by the database's clock,
whose note is too old is dead. So a service that runs nothing itself (``ROLE=api``) knows whether anybody does, and one
that runs renders leaves to the others what only they can run.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from manimcast.database import Database, Now
from manimcast.executors import policy
from manimcast.executors.base import Executor, ExecutorStatus
from manimcast.renders.table import services
from manimcast.settings import Role

TYPICAL_RENDER = 10.0
"""Seconds that a render is taken to need while none has been seen."""
NO_WORKER = (
    "this service only takes requests (ROLE=api), and none that renders is alive: start one on the same database, "
    "`manimcast serve --role worker`"
)
RECENT = 20
"""Renders of which it is remembered how long they took."""

_ROW = services.c


@dataclass(frozen=True)
class Offer:
    """What an executor can do, at one service or at several together.

    ``average`` is how many seconds its last renders took. ``versions`` is the fingerprint of its engine.
    """

    name: str
    slots: int
    tries: int
    average: float
    status: ExecutorStatus
    versions: Mapping[str, str] | None = None

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Offer:
        """Return what a service has noted."""
        return cls(**{**stored, "status": ExecutorStatus(**stored["status"])})

    @property
    def candidate(self) -> policy.Candidate:
        """The executor as the policy sees it."""
        return policy.Candidate(self.name, self.tries, self.status)

    def with_another(self, other: Offer) -> Offer:
        """Return what both can do together; what is told of one is told of the first that is available."""
        first, second = (self, other) if self.status.available or not other.status.available else (other, self)
        slots = first.slots + (second.slots if second.status.available else 0)
        return Offer(
            first.name,
            slots,
            max(first.tries, second.tries),
            first.average,
            first.status,
            first.versions or second.versions,
        )


class Fleet:
    """The living services, of which the one called ``name`` is this process, with these ``executors``.

    A service that has not been heard of for ``lifetime`` seconds is dead.
    """

    def __init__(
        self, database: Database, name: str, role: Role, executors: Sequence[Executor], *, lifetime: float
    ) -> None:
        self._database = database
        self._name = name
        self._role = role
        self._executors = executors
        self._lifetime = lifetime
        self._recent: dict[str, deque[float]] = {executor.name: deque(maxlen=RECENT) for executor in executors}
        self._others: list[list[Offer]] = []
        self._has_left = False
        self._turns = asyncio.Lock()

    async def beat(self) -> None:
        """Say that this service lives and what it can do, and look at what the others say."""
        async with self._turns:
            if not self._has_left:
                await self._note()
        await self.look()

    async def look(self) -> None:
        """Look at what the other services say."""
        living = select(_ROW.executors).where(_ROW.name != self._name, _ROW.seen > Now() - self._lifetime)
        async with self._database.read() as connection:
            rows = (await connection.execute(living.order_by(_ROW.name))).all()
        self._others = [[Offer.of(stored) for stored in row.executors] for row in rows]

    async def leave(self) -> None:
        """Be none of them any more."""
        async with self._turns:
            self._has_left = True
            await self.bury([self._name])

    async def bury(self, names: Collection[str]) -> None:
        """Forget services that are known to be dead."""
        if names:
            async with self._database.write() as connection:
                await connection.execute(delete(services).where(_ROW.name.in_(names)))

    def took(self, executor: str, seconds: float) -> None:
        """Take note of how long a render on one of the executors here took."""
        self._recent[executor].append(seconds)

    def own(self) -> list[Offer]:
        """Return what the executors of this service can do, the preferred one first."""
        return [self._offer(executor) for executor in self._executors]

    def offers(self) -> list[Offer]:
        """Return what the executors of all services can do, those of one name together, the preferred one first."""
        found: dict[str, Offer] = {}
        # Whoever has most of them knows their order.
        for offer in _flat([self.own(), *sorted(self._others, key=len, reverse=True)]):
            found[offer.name] = found[offer.name].with_another(offer) if offer.name in found else offer
        return list(found.values())

    @property
    def slots(self) -> int:
        """How many renders run at once on what is available; at least as many as on the first executor."""
        offers = self.offers()
        return sum(offer.slots for offer in offers[1:] if offer.status.available) + sum(
            offer.slots for offer in offers[:1]
        )

    def choose(self, asked: str, faults: policy.Faults) -> policy.Choice:
        """Return what becomes of a render, whoever is to run it."""
        return policy.choose(asked, faults, [offer.candidate for offer in self.offers()])

    def _offer(self, executor: Executor) -> Offer:
        recent = self._recent[executor.name]
        average = sum(recent) / len(recent) if recent else TYPICAL_RENDER
        return Offer(
            executor.name, executor.slots, executor.tries, average, executor.status(), versions=executor.versions()
        )

    async def _note(self) -> None:
        said = [asdict(offer) | {"versions": offer.versions and dict(offer.versions)} for offer in self.own()]
        values = {"role": self._role.value, "seen": Now(), "executors": said}
        async with self._database.write() as connection:
            old = delete(services).where(_ROW.seen < Now() - 10 * self._lifetime)
            known = await connection.execute(update(services).where(_ROW.name == self._name).values(values))
            if known.rowcount == 0:
                await connection.execute(old)
                await connection.execute(insert(services).values(name=self._name, **values))


def _flat(lists: Iterable[Iterable[Offer]]) -> Iterable[Offer]:
    return (offer for offers in lists for offer in offers)
