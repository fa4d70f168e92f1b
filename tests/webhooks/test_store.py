"""The table: who gets a delivery, whose word counts, and in which turn."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from sqlalchemy import func, select, update

from manimcast.database import Now
from manimcast.webhooks import Claimed, DeliveryState, Webhook
from manimcast.webhooks.schedule import JITTER, LONGEST_WISH, PAUSES, TRIES, pause
from manimcast.webhooks.sender import Answer
from manimcast.webhooks.store import INTERRUPTED, KEPT_ATTEMPTS, PER_PLACE, UNDER_WAY
from manimcast.webhooks.table import webhook_attempts, webhook_deliveries

from .conftest import Serve, Service

pytestmark = pytest.mark.anyio

URL = "https://example.org/hooks"
NO = Answer("answered 500", 500, "out of order")
YES = Answer("answered 204", 204)


async def claim(
    service: Service,
    room: int = 100,
    *,
    per_tenant: int = 100,
    busy: Mapping[str, int] | None = None,
    tenants: Mapping[str, int] | None = None,
) -> list[Claimed]:
    return await service.store.claim(room=room, per_tenant=per_tenant, busy=busy or {}, tenants=tenants or {})


async def only(service: Service) -> Claimed:
    [claimed] = await claim(service)
    return claimed


async def state(service: Service, subject: str = "rnd_1") -> Webhook:
    return await service.store.of(subject, URL)


async def expire(service: Service) -> None:
    """Have all leases run out, as if whoever has them had been silent for long."""
    async with service.database.write() as connection:
        await connection.execute(update(webhook_deliveries).values(due=0))
        await connection.execute(update(webhook_attempts).values(lease=0))


async def rows(service: Service) -> tuple[int, int]:
    """Return how many deliveries and attempts there are."""
    async with service.database.read() as connection:
        tables = (webhook_deliveries, webhook_attempts)
        counts = [(await connection.execute(select(func.count()).select_from(table))).scalar_one() for table in tables]
    return counts[0], counts[1]


async def test_each_delivery_is_one_services_at_a_time(serve: Serve) -> None:
    async with serve(sends=False) as one, serve(sends=False) as two:
        for number in range(20):
            await one.tell(f"rnd_{number}", f"https://{number}.example.org/")
        took = await asyncio.gather(*(claim(service, 3) for service in (one, two) for _ in range(10)))
        ids = [claimed.id for each in took for claimed in each]
        while more := await claim(two):
            ids += [claimed.id for claimed in more]
        assert len(ids) == len(set(ids)) == 20


async def test_what_is_entered_is_told_of_from_the_first_moment(serve: Serve) -> None:
    async with serve(sends=False) as service:
        assert await state(service) == Webhook(url=URL)
        await service.tell("rnd_1", URL)
        seen = await state(service)
        assert (seen.state, seen.attempts) == (DeliveryState.pending, ())
        claimed = await only(service)
        assert (claimed.id, claimed.data, claimed.number, claimed.tries) == (seen.id, {"id": "rnd_1"}, 1, 1)
        [attempt] = (await state(service)).attempts
        assert (attempt.number, attempt.reason, attempt.duration) == (1, UNDER_WAY, None)
        assert await service.store.record(claimed, YES) is DeliveryState.delivered
        seen = await state(service)
        assert (seen.state, seen.next_attempt_at, seen.id) == (DeliveryState.delivered, None, claimed.id)
        assert seen.ended_at is not None
        assert seen.attempts[0].status == 204
        assert await claim(service) == []


async def test_what_is_not_taken_is_tried_again_as_often_as_the_schedule_says(serve: Serve) -> None:
    async with serve(sends=False) as service:
        await service.tell("rnd_1", URL)
        for number in range(1, TRIES + 1):
            claimed = await only(service)
            left = await service.store.record(claimed, NO)
            seen = await state(service)
            attempt = seen.attempts[-1]
            assert (attempt.number, attempt.status, attempt.body) == (number, 500, "out of order")
            if number < TRIES:
                assert left is DeliveryState.pending
                assert seen.next_attempt_at == attempt.next_attempt_at
                assert seen.next_attempt_at is not None
                assert attempt.duration is not None
                wait = (seen.next_attempt_at - attempt.started_at).total_seconds() - attempt.duration
                assert 1 - JITTER - 0.001 <= wait / PAUSES[number - 1] <= 1 + JITTER + 0.001
                assert await claim(service) == []
                await service.hasten("rnd_1")
        assert (left, seen.state, seen.next_attempt_at) == (DeliveryState.failed, DeliveryState.failed, None)
        assert await claim(service) == []


async def test_gone_is_the_end(serve: Serve) -> None:
    async with serve(sends=False) as service:
        await service.tell("rnd_1", URL)
        assert await service.store.record(await only(service), Answer("answered 410", 410)) is DeliveryState.failed


async def test_what_somebody_died_with_is_taken_when_the_lease_has_run_out(serve: Serve) -> None:
    async with serve(sends=False) as one, serve(sends=False) as two:
        await one.tell("rnd_1", URL)
        dead = await only(one)
        assert await claim(two) == [], "it is somebody's"
        await expire(two)
        assert (await state(two)).attempts[0].reason == INTERRUPTED
        living = await only(two)
        assert (living.id, living.number) == (dead.id, 2)
        assert await one.store.record(dead, NO) is DeliveryState.pending
        assert await claim(two) == [], "the word of who was late does not count"
        assert await two.store.record(living, NO) is DeliveryState.pending
        assert [attempt.reason for attempt in (await state(two)).attempts] == ["answered 500"] * 2


async def test_what_has_arrived_has_arrived_however_late_that_is_known(serve: Serve) -> None:
    async with serve(sends=False) as one, serve(sends=False) as two:
        await one.tell("rnd_1", URL)
        late = await only(one)
        await expire(two)
        other = await only(two)
        await one.store.record(late, YES)
        assert (await state(two)).state is DeliveryState.delivered
        await two.store.record(other, NO)
        assert (await state(two)).state is DeliveryState.delivered


async def test_what_is_given_back_is_due_at_once_and_was_no_try(serve: Serve) -> None:
    async with serve(sends=False) as service:
        await service.tell("rnd_1", URL)
        await service.store.interrupt(await only(service))
        again = await only(service)
        assert (again.number, again.tries) == (2, 1)


async def test_a_replay_begins_the_schedule_anew_under_the_same_id(serve: Serve) -> None:
    async with serve(sends=False) as service:
        assert not await service.store.replay("rnd_1")
        await service.tell("rnd_1", URL)
        first = await only(service)
        await service.store.record(first, YES)
        assert await service.store.replay("rnd_1")
        seen = await state(service)
        assert (seen.state, seen.ended_at) == (DeliveryState.pending, None)
        again = await only(service)
        assert (again.id, again.number, again.tries) == (first.id, 2, 1)


async def test_a_replay_of_what_is_under_way_waits_for_that(serve: Serve) -> None:
    async with serve(sends=False) as service:
        await service.tell("rnd_1", URL)
        first = await only(service)
        assert await service.store.replay("rnd_1")
        assert await claim(service) == [], "nobody sends it twice at once"
        await service.store.record(first, Answer("answered 410", 410))
        again = await only(service)
        assert (again.number, again.tries) == (2, 1)
        assert (await state(service)).attempts[0].next_attempt_at is not None


async def test_a_receiver_and_a_tenant_have_so_many_and_no_more(serve: Serve) -> None:
    async with serve(sends=False) as service:
        for number in range(10):
            await service.tell(f"rnd_a{number}", "https://busy.example.org/", tenant="a")
        for number in range(10):
            await service.tell(f"rnd_b{number}", f"https://{number}.example.org/", tenant="a")
        await service.tell("rnd_c", "https://other.example.org/", tenant="c")
        first = await claim(service, 6, per_tenant=5)
        assert [claimed.tenant for claimed in first].count("a") == 5
        assert "rnd_c" in {claimed.subject for claimed in first}, "one tenant's many do not come before another's one"
        assert len({claimed.place for claimed in first}) == 6, "and one receiver's not before others'"
        assert await claim(service, tenants={"a": 5}, per_tenant=5) == []
        rest = await claim(service, busy={"busy.example.org:443": PER_PLACE - 1})
        assert [claimed.place for claimed in rest].count("busy.example.org:443") == 1
        assert await claim(service, busy={"busy.example.org:443": PER_PLACE}) == []
        places = [claimed.place for claimed in await claim(service, busy={"busy.example.org:443": 1})]
        assert places == ["busy.example.org:443"] * (PER_PLACE - 1)


async def test_what_is_told_of_a_deleted_subject_is_forgotten_when_it_has_been_told(serve: Serve) -> None:
    async with serve(sends=False) as service:
        for subject in ("rnd_1", "rnd_2"):
            await service.tell(subject, URL)
        told, waits = await claim(service)
        await service.store.record(told, YES)
        async with service.database.write() as connection:
            await service.store.forget(connection, told.subject)
            await service.store.forget(connection, waits.subject)
        assert await rows(service) == (1, 1)
        assert await service.store.record(waits, YES) is DeliveryState.delivered
        assert await rows(service) == (0, 0)


async def test_the_log_of_attempts_does_not_grow_for_ever(serve: Serve) -> None:
    async with serve(sends=False) as service:
        await service.tell("rnd_1", URL)
        async with service.database.write() as connection:
            await connection.execute(update(webhook_deliveries).values(number=KEPT_ATTEMPTS - 1))
        for _ in range(3):
            await service.store.interrupt(await only(service))
        numbers = [attempt.number for attempt in (await state(service)).attempts]
        assert numbers == [KEPT_ATTEMPTS, KEPT_ATTEMPTS + 1, KEPT_ATTEMPTS + 2]
        async with service.database.write() as connection:
            await connection.execute(update(webhook_deliveries).values(number=2 * KEPT_ATTEMPTS))
        await only(service)
        assert [attempt.number for attempt in (await state(service)).attempts] == [
            KEPT_ATTEMPTS + 2,
            2 * KEPT_ATTEMPTS + 1,
        ]


async def test_pauses_grow_to_hours_and_what_the_receiver_asks_for_is_heard_within_bounds() -> None:
    pauses = [pause(tries) for tries in range(1, TRIES)]
    assert all(
        (1 - JITTER) * usual <= found <= (1 + JITTER) * usual
        for usual, found in zip(PAUSES, pauses, strict=True)
        if found
    )
    assert None not in pauses
    assert pause(TRIES) is None
    assert len({pause(8) for _ in range(20)}) > 1, "not all at the same moment"
    assert pause(1, 600) == 600
    assert (pause(8, 1) or 0) > 1, "less than usual is not waited"
    assert pause(1, 1e9) == LONGEST_WISH


async def test_a_clock_that_is_set_back_keeps_nothing_waiting_for_as_long_as_it_was_ahead(serve: Serve) -> None:
    async with serve(sends=False) as service:
        for number in range(3):
            await service.tell(f"rnd_{number}", f"https://{number}.example.org/")
        first, second, third = sorted(await claim(service), key=lambda claimed: claimed.subject)
        for claimed in (first, second, third):
            await service.store.record(claimed, NO)
        await service.tell("rnd_3", URL)
        assert await service.store.hasten() == 0, "they wait for as long as they should"
        ahead = Now() + 3600
        async with service.database.write() as connection:
            tried = webhook_attempts.c.delivery == second.id
            await connection.execute(update(webhook_attempts).where(tried).values(started=ahead))
            is_second = webhook_deliveries.c.id == second.id
            await connection.execute(update(webhook_deliveries).where(is_second).values(due=ahead))
            entered = {"created": ahead, "due": ahead}
            is_new = webhook_deliveries.c.subject == "rnd_3"
            await connection.execute(update(webhook_deliveries).where(is_new).values(entered))
        assert await claim(service) == []
        assert await service.store.hasten() == 2
        assert {claimed.subject for claimed in await claim(service)} == {"rnd_1", "rnd_3"}
