"""`manimcast webhooks`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from manimcast.database import Database
from manimcast.settings import Settings
from manimcast.webhooks import DeliveryState, DeliveryStore, NewDelivery, Webhook, new_secret
from manimcast.webhooks.message import headers
from manimcast.webhooks.sender import Answer
from tests.cli.conftest import Run

BODY = '{"type":"render.succeeded","timestamp":"2026-01-01T00:00:00Z","data":{"name":"Ω"}}'


def request(secret: str, *, text: str = BODY, age: float = 0) -> str:
    """Return a signed request, as it may be seen on the wire."""
    signed = headers("msg_1", text, [secret], now=datetime.now(UTC) - timedelta(seconds=age))
    lines = [f"{name.title()}: {value}" for name, value in signed.items()]
    return "\n".join(["POST /hooks HTTP/1.1", *lines, "", ""]) + BODY


def test_a_secret_that_the_service_keeps_is_made_rotated_and_retired(manimcast: Run, tmp_path: Path) -> None:
    made = manimcast("webhooks", "secret")
    assert made.returncode == 0
    [first] = made.stdout.split()
    assert manimcast("webhooks", "secret").stdout.split() == [first]
    second, old = manimcast("webhooks", "secret", "--rotate").stdout.split()
    assert old == first
    assert manimcast("webhooks", "secret").stdout.split() == [second, first]
    assert manimcast("webhooks", "secret", "--retire").stdout.split() == [second]
    assert (tmp_path / "data" / "webhook.key").read_text() == second


def test_a_secret_that_is_set_is_for_the_operator_to_change(manimcast: Run, tmp_path: Path) -> None:
    old = new_secret()
    done = manimcast("webhooks", "secret", "--rotate", WEBHOOK_SECRET=old)
    line = done.stdout.strip()
    assert line.startswith("WEBHOOK_SECRET=whsec_")
    assert line.endswith(f",{old}")
    both = line.removeprefix("WEBHOOK_SECRET=")
    retired = manimcast("webhooks", "secret", "--retire", WEBHOOK_SECRET=both)
    assert retired.stdout.strip() == f"WEBHOOK_SECRET={both.partition(',')[0]}"
    fresh = manimcast("webhooks", "secret", "--new", WEBHOOK_SECRET=old).stdout.strip()
    assert fresh.startswith("whsec_")
    assert fresh != old
    assert not (tmp_path / "data").exists()
    assert manimcast("webhooks", "secret", "--new", "--rotate").returncode == 2


def test_a_genuine_webhook_is_told_from_others(manimcast: Run, tmp_path: Path) -> None:
    secret, old = new_secret(), new_secret()
    done = manimcast("webhooks", "verify", stdin=request(old), WEBHOOK_SECRET=f"{secret},{old}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "holds with secret 2 of 2: msg_1" in done.stdout
    (tmp_path / "request").write_text(request(secret))
    assert manimcast("webhooks", "verify", "request", "--secret", secret).returncode == 0
    for other in (request(new_secret()), request(secret, text=BODY + " "), request(secret) + "\n"):
        done = manimcast("webhooks", "verify", stdin=other, WEBHOOK_SECRET=secret)
        assert (done.returncode, done.stdout) == (1, "")
        assert "does not hold" in done.stderr


def test_headers_can_be_given_apart_from_the_body(manimcast: Run) -> None:
    secret = new_secret()
    signed = headers("msg_1", BODY, [secret], now=datetime.now(UTC))
    options = [part for name, value in signed.items() for part in ("-H", f"{name}: {value}")]
    assert manimcast("webhooks", "verify", *options, "--secret", secret, stdin=BODY).returncode == 0


def test_an_old_webhook_is_told(manimcast: Run) -> None:
    secret = new_secret()
    done = manimcast("webhooks", "verify", "--secret", secret, stdin=request(secret, age=3600))
    assert done.returncode == 1
    assert "holds, but" in done.stderr


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        ("no headers at all", "no empty line"),
        ("webhook-id: a\n\n{}", "no webhook-timestamp, webhook-signature"),
        ("webhook-id: a\nwebhook-timestamp: soon\nwebhook-signature: v1,x\n\n{}", "webhook-timestamp"),
        ("webhook-id: a\nwebhook-timestamp: 1\nwebhook-signature: v1,\xfc\n\n{}", "does not hold"),
    ],
)
def test_what_is_no_webhook_is_told(manimcast: Run, stdin: str, said: str) -> None:
    done = manimcast("webhooks", "verify", stdin=stdin, WEBHOOK_SECRET=new_secret())
    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert "Traceback" not in done.stderr


async def prepare(data: Path) -> None:
    """Make a database with a delivery that has ended."""
    database = Database(Settings(_env_file=None, data_dir=data))
    await database.open()
    store = DeliveryStore(database)
    async with database.write() as connection:
        await store.enqueue(connection, NewDelivery("t", "rnd_1", "render.succeeded", "https://example.org/", {}))
    [claimed] = await store.claim(room=1, per_tenant=1, busy={}, tenants={})
    await store.record(claimed, Answer("answered 410", 410))
    await database.close()


async def look(data: Path) -> Webhook:
    database = Database(Settings(_env_file=None, data_dir=data))
    await database.open()
    try:
        return await DeliveryStore(database).of("rnd_1", "")
    finally:
        await database.close()


def test_a_webhook_is_sent_again(manimcast: Run, tmp_path: Path) -> None:
    nowhere = manimcast("webhooks", "replay", "rnd_1")
    assert nowhere.returncode == 1
    assert "no database" in nowhere.stderr
    assert not (tmp_path / "data").exists()
    asyncio.run(prepare(tmp_path / "data"))
    assert asyncio.run(look(tmp_path / "data")).state is DeliveryState.failed
    done = manimcast("webhooks", "replay", "rnd_1")
    assert (done.returncode, done.stderr) == (0, "")
    assert asyncio.run(look(tmp_path / "data")).state is DeliveryState.pending
    unknown = manimcast("webhooks", "replay", "rnd_2")
    assert unknown.returncode == 2
    assert "no webhook of rnd_2" in unknown.stderr
