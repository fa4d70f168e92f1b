"""``webhook`` of a render, from the request to what arrives; and the resource that tells of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from manimcast.webhooks import courier, new_secret
from tests.patience import PATIENCE, eventually
from tests.receivers import OK, answers, receiving, status
from tests.renders.scripted import VIDEO

from .conftest import Api, Start

pytestmark = pytest.mark.anyio

CODE = "class A(Scene): pass"
HERE = {"webhook_allowed_networks": "127.0.0.0/8"}


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "LOOK_AGAIN", 0.05)


async def create(api: Api, url: str, **fields: Any) -> httpx.Response:
    return await api.client.post("/v1/renders", json={"code": CODE, "webhook": {"url": url}, **fields})


async def delivered(api: Api, render_id: str, attempts: int = 1) -> dict[str, Any]:
    """Wait until a render's webhook has been taken in so many attempts, and return the resource."""
    found: dict[str, Any] = {}

    async def look() -> bool:
        found.update((await api.client.get(f"/v1/renders/{render_id}/webhook")).json())
        return found["state"] == "delivered" and len(found["attempts"]) >= attempts

    await eventually(look, "the delivery")
    return found


async def test_the_end_of_a_render_is_told_as_it_is_read(start: Start):
    secret = new_secret()
    async with receiving() as receiver, start(webhook_secret=secret, **HERE) as api:
        render = (await create(api, f"{receiver.url}?token=mine", metadata={"lesson": 3})).json()
        assert "webhook" not in render
        waiting = await api.client.get(f"/v1/renders/{render['id']}/webhook")
        assert waiting.json() == {
            "url": f"{receiver.url}?token=mine",
            "id": None,
            "type": None,
            "state": "waiting",
            "created_at": None,
            "ended_at": None,
            "next_attempt_at": None,
            "attempts": [],
        }
        assert (await api.client.post(f"/v1/renders/{render['id']}/webhook/replay")).status_code == 409
        (await api.begun()).succeed()
        seen = await delivered(api, render["id"])
        [got] = receiver.got
        told = Verifier(secret).verify(got.body, got.headers)
        read = (await api.client.get(f"/v1/renders/{render['id']}")).json()
        assert told["type"] == seen["type"] == "render.succeeded"
        assert told["data"]["result"].pop("expires_at") <= read["result"].pop("expires_at")
        link = told["data"]["result"].pop("video_url")
        assert link.partition("?")[0] == read["result"].pop("video_url").partition("?")[0]
        assert told["data"] == read
        assert link.startswith("http://localhost/"), "as whoever asked for it reached the service"
        assert (await api.client.get(link)).content == VIDEO
        assert got.headers["webhook-id"] == seen["id"]
        [attempt] = seen["attempts"]
        assert (attempt["number"], attempt["status"], attempt["reason"]) == (1, 204, "answered 204")
        assert attempt["started_at"].endswith("Z")


async def test_links_lead_to_the_public_address(start: Start):
    async with receiving() as receiver, start(public_url="https://casts.example.org", **HERE) as api:
        render = (await create(api, receiver.url)).json()
        (await api.begun()).succeed()
        await delivered(api, render["id"])
        told = json.loads(receiver.got[0].body)
        assert told["data"]["result"]["video_url"].startswith("https://casts.example.org/v1/files/")


async def test_failures_and_cancels_are_told(start: Start):
    async with receiving() as receiver, start(**HERE) as api:
        failing = (await create(api, receiver.url)).json()
        (await api.begun()).fail()
        await delivered(api, failing["id"])
        canceled = (await create(api, receiver.url)).json()
        await api.begun()
        await api.client.post(f"/v1/renders/{canceled['id']}/cancel")
        await delivered(api, canceled["id"])
        told = [json.loads(got.body) for got in receiver.got]
        assert [(each["type"], each["data"]["id"]) for each in told] == [
            ("render.failed", failing["id"]),
            ("render.canceled", canceled["id"]),
        ]
        assert told[0]["data"]["error"]["message"] == "the scene is at fault"


async def test_a_render_that_is_deleted_before_it_was_told_of_is_told_of(start: Start):
    async with receiving(answers(status(500)), answers(OK)) as receiver, start(**HERE) as api:
        render = (await create(api, receiver.url)).json()
        (await api.begun()).succeed()
        await eventually(lambda: receiver.got, "the first attempt")
        await api.client.post(f"/v1/renders/{render['id']}/webhook/replay")
        assert (await api.client.delete(f"/v1/renders/{render['id']}")).status_code == 204
        await eventually(lambda: len(receiver.got) == 2, "the second attempt")
        told = json.loads(receiver.got[1].body)["data"]
        assert (told["id"], told["status"]) == (render["id"], "succeeded")
        assert (await api.client.get(f"/v1/renders/{render['id']}/webhook")).status_code == 404


async def test_a_webhook_is_sent_again_under_the_same_id(start: Start):
    async with receiving() as receiver, start(**HERE) as api:
        render = (await create(api, receiver.url)).json()
        (await api.begun()).succeed()
        first = await delivered(api, render["id"])
        again = await api.client.post(f"/v1/renders/{render['id']}/webhook/replay")
        assert (again.status_code, again.json()["id"]) == (202, first["id"])
        assert again.json()["state"] in {"pending", "delivered"}
        await delivered(api, render["id"], 2)
        assert [got.headers["webhook-id"] for got in receiver.got] == [first["id"]] * 2


@pytest.mark.parametrize(
    ("webhook", "field", "said"),
    [
        ("https://example.org/", "webhook", "must be an object"),
        ({}, "webhook.url", "webhook.url is required"),
        ({"url": 5}, "webhook.url", "webhook.url must be a string"),
        ({"url": "example.org"}, "webhook.url", "webhook.url must be a URL"),
        ({"url": "https://user:secret@example.org/"}, "webhook.url", "must not have a user or password"),
        ({"url": "http://127.0.0.1:8080/"}, "webhook.url", "which is internal"),
        ({"url": "http://localhost/"}, "webhook.url", "which is internal"),
        ({"url": "http://[::ffff:169.254.169.254]/"}, "webhook.url", "which is internal"),
        ({"url": "http://2130706433/"}, "webhook.url", "four decimal numbers"),
        ({"url": "https://example.org:25/"}, "webhook.url", "port 25"),
        ({"url": "https://example.org/", "secret": "x"}, "webhook.secret", "there is no field"),
    ],
)
async def test_a_webhook_that_cannot_be_is_refused_by_name(api: Api, webhook: object, field: str, said: str):
    answer = await api.client.post("/v1/renders", json={"code": CODE, "webhook": webhook})
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert said in error["message"]
    assert "secret@" not in answer.text


async def test_null_is_no_webhook(api: Api):
    render = (await api.client.post("/v1/renders", json={"code": CODE, "webhook": None})).json()
    for method, path in (("GET", ""), ("POST", "/replay")):
        answer = await api.client.request(method, f"/v1/renders/{render['id']}/webhook{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:manimcast:problem:no-webhook")
    unknown = await api.client.get("/v1/renders/rnd_none/webhook")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:manimcast:problem:render-not-found")


async def test_another_tenants_webhook_does_not_exist(start: Start):
    async with receiving() as receiver, start(api_keys="a:one,b:two", **HERE) as api:
        body = {"code": CODE, "webhook": {"url": receiver.url}}
        render = (await api.client.post("/v1/renders", json=body, headers={"x-api-key": "one"})).json()
        for method, path in (("GET", "webhook"), ("POST", "webhook/replay")):
            url = f"/v1/renders/{render['id']}/{path}"
            assert (await api.client.request(method, url, headers={"x-api-key": "two"})).status_code == 404
        answer = await api.client.get(f"/v1/renders/{render['id']}/webhook", headers={"x-api-key": "one"})
        assert answer.status_code == 200


async def test_the_document_tells_what_is_posted_and_what_is_read(start: Start):
    async with receiving() as receiver, start(**HERE) as api:
        document = (await api.client.get("/openapi.json")).json()
        operation = document["webhooks"]["render.ended"]["post"]
        schemas = document["components"]["schemas"]
        render = (await create(api, receiver.url)).json()
        (await api.begun()).succeed()
        seen = await delivered(api, render["id"])
        told = json.loads(receiver.got[0].body)
        name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert told.keys() == schemas[name]["properties"].keys()
        assert told["data"].keys() == schemas["Render"]["properties"].keys()
        assert told["type"] in schemas[name]["properties"]["type"]["enum"]
        named = {parameter["name"] for parameter in operation["parameters"]}
        assert named == {name for name in receiver.got[0].headers if name.startswith("webhook-")}
        assert seen.keys() == schemas["Webhook"]["properties"].keys()
        assert seen["attempts"][0].keys() == schemas["WebhookAttempt"]["properties"].keys()


async def test_what_ends_as_the_service_ends_is_told_by_the_next(start: Start, tmp_path: Any):
    async with receiving() as receiver:
        async with start(**HERE) as api:
            first = (await create(api, receiver.url)).json()
            second = (await create(api, receiver.url)).json()
            (await api.begun()).succeed()
            await api.context.renders.wait(first["id"], tenant="anonymous", timeout=PATIENCE)
        async with start(**HERE) as api:
            performance = await api.begun()
            assert performance.render_id == second["id"]
            performance.succeed()
            await asyncio.gather(delivered(api, first["id"]), delivered(api, second["id"]))
        told = {json.loads(got.body)["data"]["id"] for got in receiver.got}
        assert told == {first["id"], second["id"]}
