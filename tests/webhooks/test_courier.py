"""The courier: what is due is sent, signed and written down, whatever receivers do meanwhile."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook as Verifier

from manimcast.database import DatabaseError
from manimcast.settings import Settings
from manimcast.webhooks import Claimed, DeliveryState, Secrets, Webhook, courier, new_secret
from manimcast.webhooks.sender import Answer
from manimcast.webhooks.store import INTERRUPTED, PER_PLACE
from tests.patience import eventually
from tests.receivers import OK, Receiver, answers, hangs, receiving, status

from .conftest import Serve, Service

pytestmark = pytest.mark.anyio

SHARED = {"database_url": "postgresql://nobody@nowhere/nothing", "shared_data_dir": False}


async def has(service: Service, subject: str, state: DeliveryState, attempts: int = 1) -> Webhook:
    """Wait until a subject's delivery is in ``state`` after so many attempts have ended, and return it."""
    found = Webhook(url="")

    async def look() -> bool:
        nonlocal found
        found = await service.store.of(subject, "")
        return found.state is state and sum(each.duration is not None for each in found.attempts) >= attempts

    await eventually(look, f"{subject} is {state}")
    return found


def verified(receiver: Receiver, secret: str, place: int = -1) -> Any:
    """Return what was received, once the stock library has verified it."""
    got = receiver.got[place]
    return Verifier(secret).verify(got.body, got.headers)


async def test_what_arrives_is_what_the_standard_says(serve: Serve) -> None:
    secret = new_secret()
    async with receiving() as receiver, serve(webhook_secret=secret) as service:
        await service.tell("rnd_1", receiver.url)
        seen = await has(service, "rnd_1", DeliveryState.delivered)
        content = verified(receiver, secret)
        assert content.keys() == {"type", "timestamp", "data"}
        assert (content["type"], content["data"]) == ("render.succeeded", {"id": "rnd_1", "told": True})
        assert datetime.fromisoformat(content["timestamp"]) == seen.created_at
        headers = receiver.got[0].headers
        assert headers["webhook-id"] == seen.id
        assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 300
        assert headers["content-type"] == "application/json"
        assert seen.attempts[0].status == 204


async def test_two_secrets_sign_at_once_while_rotating(serve: Serve) -> None:
    new, old = new_secret(), new_secret()
    async with receiving() as receiver, serve(webhook_secret=f"{new}, {old}") as service:
        await service.tell("rnd_1", receiver.url)
        await has(service, "rnd_1", DeliveryState.delivered)
        for secret in (new, old):
            assert verified(receiver, secret)["data"]["id"] == "rnd_1"
        with pytest.raises(Exception, match="No matching signature"):
            verified(receiver, new_secret())


async def test_a_secret_that_the_service_made_is_rotated_while_it_runs(serve: Serve) -> None:
    async with receiving() as receiver, serve() as service:
        await service.tell("rnd_1", receiver.url)
        await has(service, "rnd_1", DeliveryState.delivered)
        secrets = Secrets(service.settings)
        [old] = secrets.current()
        assert verified(receiver, old)
        new, kept = secrets.rotate()
        assert kept == old
        await service.tell("rnd_2", receiver.url)
        await has(service, "rnd_2", DeliveryState.delivered)
        assert verified(receiver, old) == verified(receiver, new)
        assert secrets.retire() == (new,)
        await service.tell("rnd_3", receiver.url)
        await has(service, "rnd_3", DeliveryState.delivered)
        assert verified(receiver, new)
        with pytest.raises(Exception, match="No matching signature"):
            verified(receiver, old)


async def test_what_failed_comes_again_under_the_same_id(serve: Serve) -> None:
    acts = (answers(status(500, body=b"not yet")), answers(b""), answers(OK))
    async with receiving(*acts) as receiver, serve() as service:
        await service.tell("rnd_1", receiver.url)
        seen = await has(service, "rnd_1", DeliveryState.pending, 1)
        assert seen.attempts[0].body == "not yet"
        await service.hasten("rnd_1")
        await has(service, "rnd_1", DeliveryState.pending, 2)
        await service.hasten("rnd_1")
        seen = await has(service, "rnd_1", DeliveryState.delivered, 3)
        assert {got.headers["webhook-id"] for got in receiver.got} == {seen.id}
        assert [attempt.status for attempt in seen.attempts] == [500, None, 204]


async def test_gone_ends_it_and_a_replay_begins_it_anew(serve: Serve) -> None:
    async with receiving(answers(status(410)), answers(OK)) as receiver, serve() as service:
        await service.tell("rnd_1", receiver.url)
        await has(service, "rnd_1", DeliveryState.failed)
        await service.store.replay("rnd_1")
        await has(service, "rnd_1", DeliveryState.delivered, 2)
        assert len({got.headers["webhook-id"] for got in receiver.got}) == 1


async def test_a_receiver_that_hangs_holds_up_nobody_else_and_gets_no_more_than_its_share(serve: Serve) -> None:
    async with receiving(hangs) as hanging, receiving() as receiver, serve() as service:
        for number in range(3 * PER_PLACE):
            await service.tell(f"rnd_hangs_{number}", hanging.url)
        await eventually(lambda: hanging.open == PER_PLACE, "it has its share")
        await service.tell("rnd_1", receiver.url)
        await has(service, "rnd_1", DeliveryState.delivered)
        assert (hanging.open, hanging.most_open) == (PER_PLACE, PER_PLACE)


async def test_a_tenant_whose_receivers_hang_holds_up_no_other(serve: Serve) -> None:
    async with receiving(hangs) as hanging, receiving() as receiver:

        async def resolve(_host: str, _port: int) -> list[str]:
            return ["127.0.0.1"]

        async with serve(webhook_slots=4, resolve=resolve) as service:
            for number in range(8):
                await service.tell(f"rnd_h{number}", f"http://{number}.example.org:{hanging.port}/", tenant="slow")
            await eventually(lambda: hanging.open == 2, "half of the slots are the tenant's")
            for number in range(8):
                await service.tell(f"rnd_{number}", receiver.url, tenant="quick")
            for number in range(8):
                await has(service, f"rnd_{number}", DeliveryState.delivered)
            assert hanging.most_open == 2


async def test_many_go_out_through_several_services_and_each_once(serve: Serve) -> None:
    async with receiving() as receiver, serve() as one, serve() as two, serve() as three:
        for number in range(30):
            await (one, two, three)[number % 3].tell(f"rnd_{number}", receiver.url)
        for number in range(30):
            seen = await has(one, f"rnd_{number}", DeliveryState.delivered)
            assert len(seen.attempts) == 1
        assert len(receiver.got) == len({got.headers["webhook-id"] for got in receiver.got}) == 30
        assert {json.loads(got.body)["data"]["id"] for got in receiver.got} == {f"rnd_{n}" for n in range(30)}


async def test_what_is_under_way_at_the_end_is_given_to_the_next(serve: Serve) -> None:
    async with receiving(hangs, answers(OK)) as receiver, serve() as one:
        await one.tell("rnd_1", receiver.url)
        await eventually(lambda: receiver.got, "it is under way")
        await one.courier.stop()
        assert (await one.store.of("rnd_1", "")).attempts[0].reason == INTERRUPTED
        async with serve() as two:
            seen = await has(two, "rnd_1", DeliveryState.delivered, 2)
            assert [got.headers["webhook-id"] for got in receiver.got] == [seen.id] * 2


async def test_what_cannot_be_put_together_or_signed_is_tried_again(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiving() as receiver, serve() as service:
        path = Secrets(service.settings).path
        path.parent.mkdir(exist_ok=True)
        path.write_text("nonsense")
        await service.tell("rnd_1", receiver.url)
        seen = await has(service, "rnd_1", DeliveryState.pending)
        assert seen.attempts[0].reason == "the service has nothing to sign it with"
        assert "webhook.key is damaged" in caplog.text
        path.unlink()

        async def fails(_claimed: object) -> Any:
            raise RuntimeError("the storage is not to be reached")

        with monkeypatch.context() as patch:
            patch.setattr(service.courier, "_compose", fails)
            await service.hasten("rnd_1")
            seen = await has(service, "rnd_1", DeliveryState.pending, 2)
        assert seen.attempts[1].reason == "the service had a fault", "whose words are for the log"
        assert receiver.connections == 0
        await service.hasten("rnd_1")
        await has(service, "rnd_1", DeliveryState.delivered, 3)


async def test_what_came_of_it_is_written_when_the_database_is_back(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "WRITE_PAUSES", (0.0, 0.0, 0.0))
    async with receiving() as receiver, serve(sends=False) as service:
        record, faults = service.store.record, [DatabaseError("it is away"), DatabaseError("it is away")]

        async def away(claimed: Any, answer: Answer) -> DeliveryState:
            if faults:
                raise faults.pop()
            return await record(claimed, answer)

        monkeypatch.setattr(service.store, "record", away)
        await service.courier.start()
        await service.tell("rnd_1", receiver.url)
        await has(service, "rnd_1", DeliveryState.delivered)
        assert len(receiver.got) == 1
        assert not faults


async def test_a_database_that_fails_does_not_keep_it_from_ending(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, away = asyncio.Event(), asyncio.Event()

    async def claim(**_: Any) -> list[Claimed]:
        asked.set()
        await away.wait()
        raise DatabaseError("it is away")

    async with serve(sends=False) as service:
        monkeypatch.setattr(service.store, "claim", claim)
        await service.courier.start()
        await asked.wait()
        stopping = asyncio.create_task(service.courier.stop())
        await asyncio.sleep(0)
        away.set()
        await stopping


async def test_a_database_that_fails_does_not_end_it(serve: Serve) -> None:
    async with receiving() as receiver, serve(sends=False) as service:
        async with service.database.write() as connection:
            await connection.execute(text("ALTER TABLE webhook_attempts RENAME TO elsewhere"))
        await service.tell("rnd_1", receiver.url)
        await service.courier.start()
        await asyncio.sleep(0)
        async with service.database.write() as connection:
            await connection.execute(text("ALTER TABLE elsewhere RENAME TO webhook_attempts"))
        await has(service, "rnd_1", DeliveryState.delivered)


async def test_a_url_that_the_rules_no_longer_permit_is_not_connected_to(serve: Serve) -> None:
    async with receiving() as receiver, serve(webhook_allowed_networks="") as service:
        await service.tell("rnd_1", receiver.url)
        seen = await has(service, "rnd_1", DeliveryState.pending)
        assert "internal" in seen.attempts[0].reason
        assert receiver.connections == 0


@pytest.mark.parametrize(
    ("fields", "signs"),
    [
        ({}, True),
        (SHARED, False),
        (SHARED | {"webhook_secret": new_secret()}, True),
        (SHARED | {"shared_data_dir": True}, True),
    ],
)
async def test_services_on_several_hosts_need_one_secret_for_all(fields: dict[str, Any], signs: bool) -> None:
    assert Settings(_env_file=None, **fields).signs_webhooks is signs
