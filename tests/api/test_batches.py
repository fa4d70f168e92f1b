"""``/v1/batches``: what is posted, what is answered, and what is wrong with it."""

from __future__ import annotations

import json

import pytest

from manimcast.api.paging import cursor_of
from manimcast.webhooks import courier
from tests.patience import eventually
from tests.receivers import receiving

from .conftest import Api, Start, finished

pytestmark = pytest.mark.anyio

CODE = "class A(Scene): pass"


async def test_a_list_of_renders(api: Api):
    body = {"renders": [{"code": CODE, "seed": 1}, {"code": CODE, "quality": "low"}], "metadata": {"n": 1}}
    created = await api.client.post("/v1/batches", json=body)
    assert created.status_code == 202, created.text
    batch = created.json()
    assert created.headers["location"] == f"/v1/batches/{batch['id']}"
    assert (batch["size"], batch["metadata"]) == (2, {"n": 1})
    (await api.begun()).succeed()
    (await api.begun()).fail()
    batch = await finished(api, created.headers["location"])
    assert (batch["status"], batch["percent"]) == ("partial", 100)
    assert batch["counts"] == {"queued": 0, "running": 0, "succeeded": 1, "failed": 1, "canceled": 0}
    page = (await api.client.get(f"{created.headers['location']}/renders")).json()
    assert [one["item"] for one in page["renders"]] == [0, 1]
    assert page["renders"][0]["result"]["video_url"].startswith("http")
    assert page["renders"][1]["error"]["code"] == "exception"
    assert page["next_cursor"] is None


async def test_one_scene_with_a_list_of_params(api: Api):
    body = {"render": {"code": CODE, "params": {"school": "Ada's", "n": 0}}, "params": [{"n": 1}, {"n": 2}, {}]}
    path = (await api.client.post("/v1/batches", json=body)).headers["location"]
    renders = (await api.client.get(f"{path}/renders")).json()["renders"]
    assert [one["spec"]["params"] for one in renders] == [{"school": "Ada's", "n": n} for n in (1, 2, 0)]
    assert (await api.client.post(f"{path}/cancel")).json()["status"] == "canceled"
    assert (await api.client.delete(path)).status_code == 204
    for gone in (path, f"{path}/renders"):
        answer = await api.client.get(gone)
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:manimcast:problem:batch-not-found")
    for answer in (await api.client.post(f"{path}/cancel"), await api.client.delete(path)):
        assert answer.status_code == 404


async def test_pages(api: Api):
    paths = []
    for number in range(3):
        body = {"renders": [{"code": CODE, "seed": 10 * number + seed} for seed in range(5)]}
        paths.append((await api.client.post("/v1/batches", json=body)).headers["location"])
    first = (await api.client.get("/v1/batches?limit=2")).json()
    second = (await api.client.get(f"/v1/batches?limit=2&cursor={first['next_cursor']}")).json()
    listed = [f"/v1/batches/{batch['id']}" for batch in (*first["batches"], *second["batches"])]
    assert listed == paths[::-1]
    assert second["next_cursor"] is None
    seen: list[int] = []
    cursor = ""
    while cursor is not None:
        page = (await api.client.get(f"{paths[0]}/renders?limit=2" + (f"&cursor={cursor}" if cursor else ""))).json()
        seen += [one["item"] for one in page["renders"]]
        cursor = page["next_cursor"]
    assert seen == [0, 1, 2, 3, 4]
    for path in ("/v1/batches", f"{paths[0]}/renders"):
        assert (await api.client.get(f"{path}?cursor=cm5kXzE")).status_code == 422
    for position in ("item_", "item_x", "item_\0", f"item_{10**19}"):
        answer = await api.client.get(f"{paths[0]}/renders", params={"cursor": cursor_of(position)})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "renders", "renders or render must be there"),
        ({"renders": []}, "renders", "renders"),
        ({"renders": [{"code": CODE}], "params": [{}]}, "renders", "not both"),
        ({"params": [{}]}, "render", "render is required with params"),
        ({"render": {"code": CODE}}, "params", "params is required with render"),
        ({"renders": [{"code": CODE}, {"code": CODE, "quality": "best"}]}, "renders[1].quality", "must be one of"),
        ({"renders": [{}]}, "renders[0].code", "No code provided"),
        ({"renders": [{"code": CODE, "colour": "red"}]}, "renders[0].colour", "there is no field"),
        ({"renders": ["a scene"]}, "renders[0]", 'renders[0] must be an object, such as {"code": '),
        ({"renders": {"code": CODE}}, "renders", 'renders must be a list, such as [{"code": '),
        ({"renders": [{"code": CODE, "assets": [7]}]}, "renders[0].assets[0]", "; it is a number"),
        (
            {"render": {"code": CODE}, "params": [{}, None]},
            "params[1]",
            'such as {"name": "Ada"}; it is null',
        ),
        ({"render": {"code": CODE, "quality": "best"}, "params": [{}, {}]}, "render.quality", "must be one of"),
        ({"renders": [{"code": CODE}] * 4}, "renders", "must not have more than 3 entries; it has 4"),
        ({"renders": [{"code": CODE}], "metadata": {"a": "b" * 2000}}, "metadata", "1024 bytes"),
        (
            {"renders": [{"code": CODE}], "speed": 1},
            "speed",
            "there are renders, render, params, join, webhook, ",
        ),
        ({"code": CODE, "params": [{}]}, "code", "put it into render, beside params, or into each of renders"),
        ({"render": {"code": CODE}, "params": []}, "params", "params must have entries; it has none"),
        (
            {"renders": [{"code": CODE}], "join": "yes"},
            "join",
            'must be true, false or {"on_failure": "skip"}',
        ),
        ({"renders": [{"code": CODE}], "join": {"on_failure": "x"}}, "join.on_failure", "must be one of fail or skip"),
        ({"renders": [{"code": CODE}], "join": {"fade": 1}}, "join.fade", "there is no field 'join.fade'"),
    ],
)
async def test_what_is_wrong_is_named(start: Start, body: dict[str, object], field: str, message: str):
    async with start(batch_size=3) as api:
        answer = await api.client.post("/v1/batches", json=body)
        assert answer.status_code == 422, answer.text
        (error,) = answer.json()["errors"]
        assert error["field"] == field
        assert message in error["message"]
        assert (await api.client.get("/v1/renders")).json()["renders"] == []


async def test_code_that_is_posted_once_counts_for_each(start: Start):
    async with start(max_batch_bytes=2048, batch_size=1000) as api:
        code = CODE + "\n" + "#" * 1000
        few = {"render": {"code": code}, "params": [{}] * 10}
        assert (await api.client.post("/v1/batches", json=few)).status_code == 202
        many = {"render": {"code": code}, "params": [{}] * 100}
        answer = await api.client.post("/v1/batches", json=many)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "params")


async def test_every_wrong_render_is_named(api: Api):
    renders = [{"code": CODE, "frame_rate": -1} if index % 2 else {"code": CODE} for index in range(6)]
    answer = await api.client.post("/v1/batches", json={"renders": renders})
    assert [error["field"] for error in answer.json()["errors"]] == [f"renders[{n}].frame_rate" for n in (1, 3, 5)]
    assert answer.json()["errors"][0]["message"].startswith("renders[1].frame_rate must be")


async def test_a_key_is_the_same_batch(api: Api):
    body, key = {"renders": [{"code": CODE}]}, {"idempotency-key": "once"}
    first, again = [await api.client.post("/v1/batches", json=body, headers=key) for _ in range(2)]
    assert first.json()["id"] == again.json()["id"]
    other = await api.client.post("/v1/batches", json={"renders": [{"code": CODE, "seed": 2}]}, headers=key)
    assert (other.status_code, other.json()["type"]) == (409, "urn:manimcast:problem:key-conflict")
    single = await api.client.post("/v1/renders", json={"code": CODE}, headers=key)
    assert single.status_code == 409
    assert len((await api.client.get("/v1/renders")).json()["renders"]) == 1


async def test_a_batch_that_is_too_much_is_refused_whole(start: Start):
    async with start(batch_queue_limit=2) as api:
        answer = await api.client.post("/v1/batches", json={"renders": [{"code": CODE}] * 3})
        assert (answer.status_code, answer.json()["type"]) == (429, "urn:manimcast:problem:queue-full")
        assert int(answer.headers["retry-after"]) > 0
        assert (await api.client.get("/v1/batches")).json()["batches"] == []
        api.executor.unavailable = "it is down"
        answer = await api.client.post("/v1/batches", json={"renders": [{"code": CODE}]})
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:manimcast:problem:no-executor")


async def test_one_webhook_tells_of_the_end_of_all(start: Start, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(courier, "LOOK_AGAIN", 0.05)
    async with receiving() as receiver, start(webhook_allowed_networks="127.0.0.0/8") as api:
        renders = [{"code": CODE, "seed": 1}, {"code": CODE, "seed": 2, "webhook": {"url": f"{receiver.url}?one"}}]
        body = {"renders": renders, "webhook": {"url": f"{receiver.url}?all"}}
        created = await api.client.post("/v1/batches", json=body)
        assert created.status_code == 202, created.text
        path = created.headers["location"]
        assert (await api.client.get(f"{path}/webhook")).json()["state"] == "waiting"
        (await api.begun()).succeed()
        (await api.begun()).fail()
        seen: dict[str, object] = {}

        async def is_told() -> bool:
            seen.update((await api.client.get(f"{path}/webhook")).json())
            return seen["state"] == "delivered" and len(receiver.got) == 2

        await eventually(is_told, "the deliveries")
        told = {got["type"]: got["data"] for got in (json.loads(one.body) for one in receiver.got)}
        assert set(told) == {"batch.partial", "render.failed"}
        assert told["batch.partial"] == (await api.client.get(path)).json()
        assert told["render.failed"]["item"] == 1
        assert seen["type"] == "batch.partial"
        await api.client.delete(path)
        assert (await api.client.get(f"{path}/webhook")).status_code == 404


async def test_a_webhook_that_leads_inwards_is_refused_and_none_has_none(api: Api):
    body = {"renders": [{"code": CODE}], "webhook": {"url": "http://127.0.0.1/hook"}}
    answer = await api.client.post("/v1/batches", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "webhook.url"
    item = await api.client.post("/v1/batches", json={"renders": [{"code": CODE, "webhook": body["webhook"]}]})
    assert item.json()["errors"][0]["field"] == "renders[0].webhook.url"
    path = (await api.client.post("/v1/batches", json={"renders": [{"code": CODE}]})).headers["location"]
    none = await api.client.get(f"{path}/webhook")
    assert (none.status_code, none.json()["type"]) == (404, "urn:manimcast:problem:no-webhook")


async def test_each_render_has_the_assets_that_it_names(api: Api) -> None:
    uploaded = [await api.client.post("/v1/assets", files={"file": (n, n.encode())}) for n in ("a.txt", "b.txt")]
    one, other = (answer.json()["id"] for answer in uploaded)
    renders = [
        {"code": CODE, "assets": [one]},
        {"code": CODE},
        {"code": CODE, "assets": [{"id": other, "name": "c.txt"}]},
    ]
    batch = (await api.client.post("/v1/batches", json={"renders": renders})).json()
    listed = (await api.client.get(f"/v1/batches/{batch['id']}/renders")).json()["renders"]
    names = [[asset["name"] for asset in render["spec"]["assets"]] for render in listed]
    assert names == [["a.txt"], [], ["c.txt"]]
    common = {"render": {"code": CODE, "assets": [one]}, "params": [{"n": 1}, {"n": 2}]}
    batch = (await api.client.post("/v1/batches", json=common)).json()
    listed = (await api.client.get(f"/v1/batches/{batch['id']}/renders")).json()["renders"]
    assert [len(render["spec"]["assets"]) for render in listed] == [1, 1]


async def test_an_asset_that_is_not_there_is_named_by_where_it_stands(api: Api) -> None:
    missing = "ast_" + "0" * 64
    answer = await api.client.post(
        "/v1/batches", json={"renders": [{"code": CODE}, {"code": CODE, "assets": [missing]}]}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "renders[1].assets[0]", "message": f"renders[1].assets[0]: there is no asset {missing}"}
    ]
    common = {"render": {"code": CODE, "assets": [missing]}, "params": [{}, {}]}
    answer = await api.client.post("/v1/batches", json=common)
    assert answer.json()["errors"] == [
        {"field": "render.assets[0]", "message": f"render.assets[0]: there is no asset {missing}"}
    ]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"renders": [{"code": CODE}, {"code": CODE, "quality": "low"}]}, "renders[1].quality", "1280x720"),
        ({"renders": [{"code": CODE}, {"code": CODE, "frame_rate": 12}]}, "renders[1].frame_rate", "30 frames"),
        ({"renders": [{"code": CODE}, {"code": CODE, "format": "mov"}]}, "renders[1].format", "mp4"),
        ({"renders": [{"code": CODE}, {"code": CODE, "encoder_preset": "slow"}]}, "renders[1].encoder_preset", "none"),
        ({"renders": [{"code": CODE, "format": "gif"}]}, "renders[0].format", "mp4, mov or webm"),
        ({"render": {"code": CODE, "format": "png"}, "params": [{}]}, "render.format", "mp4, mov or webm"),
    ],
)
async def test_what_cannot_be_joined_is_named(api: Api, body: dict[str, object], field: str, message: str):
    answer = await api.client.post("/v1/batches", json=body | {"join": True})
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert message in error["message"]
    assert (await api.client.get("/v1/batches")).json()["batches"] == []


async def test_where_nothing_joins_a_batch_with_join_is_refused(api: Api):
    answer = await api.client.post("/v1/batches", json={"renders": [{"code": CODE}], "join": True})
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:manimcast:problem:no-executor")
    plain = await api.client.post("/v1/batches", json={"renders": [{"code": CODE}], "join": False})
    assert (plain.status_code, plain.json()["join"]) == (202, None)
    answer = await api.client.get(f"{plain.headers['location']}/video")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:manimcast:problem:no-video")
