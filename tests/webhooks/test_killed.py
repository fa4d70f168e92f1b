"""Couriers that are killed while they send, again and again: every message arrives, under one id."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select, update

from manimcast.webhooks import DeliveryState
from manimcast.webhooks.table import webhook_attempts, webhook_deliveries
from tests.patience import eventually
from tests.receivers import OK, Act, answers, hangs, receiving, status

from .conftest import Serve, Service

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
DELIVERIES = 80
KILLS = 4


def moods() -> itertools.cycle[Act]:
    """Return what receivers are like: most are well, some fail, break off, or hang."""
    well = answers(OK)
    return itertools.cycle([well, answers(status(500)), hangs, well, answers(b""), well, answers(status(302))])


async def hasten(service: Service) -> None:
    """Have the time come at which what is not delivered is due, whoever was sending it."""
    async with service.database.write() as connection:
        pending = webhook_deliveries.c.state == "pending"
        await connection.execute(update(webhook_deliveries).where(pending).values(due=0, tries=0))


async def pending(service: Service) -> int:
    async with service.database.read() as connection:
        state = select(webhook_deliveries.c.id).where(webhook_deliveries.c.state == DeliveryState.pending.value)
        return len((await connection.execute(state)).all())


async def test_couriers_are_killed_and_every_message_arrives_under_one_id(
    serve: Serve, database_url: str | None, tmp_path: Path
) -> None:
    fields = {
        "data_dir": str(tmp_path / "data"),
        "database_url": database_url,
        "shared_data_dir": True,
        "webhook_allowed_networks": "127.0.0.0/8",
        "webhook_timeout": 60,
    }
    command = [sys.executable, "-m", "tests.webhooks.killed", json.dumps(fields)]
    async with serve(sends=False) as service, receiving(*itertools.islice(moods(), 1000)) as receiver:
        for number in range(DELIVERIES):
            await service.tell(f"rnd_{number}", f"{receiver.url}/{number}")
        for _ in range(KILLS):
            before = len(receiver.got)
            process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
            try:
                await eventually(lambda before=before: len(receiver.got) > before + 6, "some of it")
            finally:
                process.kill()
                await process.wait()
            await hasten(service)
        assert await pending(service), "there is something left to be taken over"
        receiver.acts = [answers(OK)]
        await service.courier.start()
        await eventually(lambda: _none_is_left(service), "the rest")
        ids = {(got.line.split()[1], got.headers["webhook-id"]) for got in receiver.got}
        assert len(ids) == len({path for path, _ in ids}) == len({id_ for _, id_ in ids}) == DELIVERIES
        async with service.database.read() as connection:
            entered = Counter((await connection.execute(select(webhook_attempts.c.delivery))).scalars())
        arrived = Counter(got.headers["webhook-id"] for got in receiver.got)
        assert all(arrived[id_] <= count for id_, count in entered.items()), "each request is in the log"


async def _none_is_left(service: Service) -> bool:
    return not await pending(service)
