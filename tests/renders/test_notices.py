"""However a render ends, its webhook is entered with its end, and once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import select, update

from manimcast.database import DatabaseError
from manimcast.renders import Notices, RenderStatus, RenderStore, WebhookWish
from manimcast.renders.outcomes import CANCELED, LOST, given_up
from manimcast.renders.rows import NewRender, Outcome
from manimcast.renders.table import renders
from manimcast.settings import Settings
from manimcast.spec import OutputRole
from manimcast.storage import StoredFile, StoredResult
from manimcast.webhooks import DeliveryState, DeliveryStore
from manimcast.webhooks.table import webhook_deliveries

from .scripted import a_report, a_spec

pytestmark = pytest.mark.anyio

URL = "https://example.org/hooks"
VIDEO = StoredFile(role=OutputRole.video, name="video.mp4", bytes=1, sha256="0" * 64)
SUCCEEDED = Outcome(RenderStatus.succeeded, report=a_report(), stored=StoredResult(place="rnd_1", files=(VIDEO,)))


@pytest.fixture
async def store(anyio_backend: str, settings: Callable[..., Settings]) -> AsyncIterator[RenderStore]:
    store = RenderStore(settings())
    store.witnesses.append(Notices(DeliveryStore(store.database)))
    await store.open()
    yield store
    await store.close()


async def queue(store: RenderStore, *, url: str | None = URL, render_id: str = "rnd_1") -> None:
    wish = WebhookWish(url, "https://casts.example.org") if url else None
    assert await store.admission.insert(NewRender(render_id, "t", a_spec(), webhook=wish), room=100)


async def claim(store: RenderStore, owner: str = "me") -> int:
    claimed = await store.claims.take("rnd_1", owner=owner, executor="local")
    assert claimed is not None
    return claimed.attempt


async def entered(store: RenderStore) -> list[str]:
    """Return what is to be told, by its type."""
    async with store.database.read() as connection:
        return list((await connection.execute(select(webhook_deliveries.c.type))).scalars())


async def succeeds(store: RenderStore) -> None:
    assert await store.endings.finish("rnd_1", await claim(store), SUCCEEDED)


async def fails(store: RenderStore) -> None:
    assert await store.endings.finish("rnd_1", await claim(store), Outcome(RenderStatus.failed, error=LOST.error))


async def is_canceled_while_it_waits(store: RenderStore) -> None:
    assert await store.endings.end("rnd_1", status=RenderStatus.queued, outcome=CANCELED)


async def is_canceled_while_it_runs(store: RenderStore) -> None:
    await claim(store)
    assert await store.endings.end("rnd_1", status=RenderStatus.running, outcome=CANCELED)


async def is_given_up(store: RenderStore) -> None:
    assert await store.endings.end("rnd_1", status=RenderStatus.queued, outcome=given_up("nothing renders"))


async def is_lost_too_often(store: RenderStore) -> None:
    for number in range(3):
        assert await entered(store) == []
        await claim(store, owner=f"the dead {number}")
        await store.leases.recover(LOST, dead=[f"the dead {number}"])


@pytest.mark.parametrize(
    ("ends", "type_"),
    [
        (succeeds, "render.succeeded"),
        (fails, "render.failed"),
        (is_canceled_while_it_waits, "render.canceled"),
        (is_canceled_while_it_runs, "render.canceled"),
        (is_given_up, "render.failed"),
        (is_lost_too_often, "render.failed"),
    ],
)
async def test_however_it_ends_that_is_told_once(store: RenderStore, ends: Callable, type_: str) -> None:
    await queue(store)
    await ends(store)
    assert await entered(store) == [type_]
    assert not await store.endings.finish("rnd_1", 1, SUCCEEDED)
    assert not await store.endings.end("rnd_1", status=RenderStatus.running, outcome=CANCELED)
    assert await entered(store) == [type_]


async def test_of_several_who_end_it_at_once_one_is_told_of(store: RenderStore) -> None:
    await queue(store)
    attempt = await claim(store)
    ways = [store.endings.finish("rnd_1", attempt, SUCCEEDED) for _ in range(3)]
    ways += [store.endings.end("rnd_1", status=RenderStatus.running, outcome=CANCELED) for _ in range(3)]
    assert sum(await asyncio.gather(*ways)) == 1
    render = await store.get("rnd_1")
    assert render is not None
    assert await entered(store) == [f"render.{render.status}"]


async def test_a_render_from_the_cache_is_told_of_too(store: RenderStore) -> None:
    new = NewRender("rnd_1", "t", a_spec(), webhook=WebhookWish(URL, ""))
    claimed = await store.admission.insert_running(new, owner="me", executor="local")
    assert claimed is not None
    assert await store.endings.finish("rnd_1", claimed.attempt, SUCCEEDED)
    assert await entered(store) == ["render.succeeded"]


async def test_who_asked_for_no_webhook_gets_none(store: RenderStore) -> None:
    await queue(store, url=None)
    await succeeds(store)
    assert await entered(store) == []


async def test_what_cannot_be_told_of_has_not_ended(store: RenderStore) -> None:
    await queue(store)
    attempt = await claim(store)
    async with store.database.write() as connection:  # as a disk that is full would
        await connection.execute(update(renders).values(webhook_url="https://"))
    with pytest.raises((DatabaseError, ValueError)):
        await store.endings.finish("rnd_1", attempt, SUCCEEDED)
    render = await store.get("rnd_1")
    assert render is not None
    assert render.status is RenderStatus.running


async def test_it_is_told_as_it_ended_with_what_is_needed_for_links(store: RenderStore) -> None:
    await queue(store)
    await succeeds(store)
    [claimed] = await DeliveryStore(store.database).claim(room=1, per_tenant=1, busy={}, tenants={})
    assert (claimed.url, claimed.base, claimed.tenant) == (URL, "https://casts.example.org", "t")
    render = await store.get("rnd_1")
    assert render is not None
    assert claimed.data == render.model_dump(mode="json")
    assert claimed.data["status"] == "succeeded"
    assert claimed.data["result"]["video_url"] is None


async def test_of_a_render_that_is_deleted_what_was_not_told_yet_still_is(store: RenderStore) -> None:
    deliveries = DeliveryStore(store.database)
    await queue(store)
    await is_canceled_while_it_waits(store)
    assert await store.delete("rnd_1")
    [claimed] = await deliveries.claim(room=1, per_tenant=1, busy={}, tenants={})
    assert claimed.data["status"] == "canceled"
    await queue(store, render_id="rnd_2")
    assert (await deliveries.of("rnd_2", URL)).state is DeliveryState.waiting
