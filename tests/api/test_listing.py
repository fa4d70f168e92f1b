"""``/v1/renders``: many of them, in pages; one that is asked for twice; one that is deleted."""

from __future__ import annotations

import asyncio

import pytest

from .conftest import Api, Start

pytestmark = pytest.mark.anyio

CODE = "class A(Scene): pass"
KEYS = {"api_keys": "ada:one, bob:two"}


async def finished(api: Api, **fields: object) -> str:
    """Have a render succeed, and return its id."""
    answer = await api.post("/v1/renders", json={"code": CODE, **fields}, headers={"prefer": "wait=30"})
    assert answer.json()["status"] == "succeeded", answer.text
    return str(answer.json()["id"])


async def test_renders_are_listed_in_pages_the_newest_first(api: Api):
    ids = [await finished(api, seed=number) for number in range(5)]
    pages, cursor = [], None
    while True:
        page = await api.client.get("/v1/renders", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        assert page.status_code == 200
        pages.append([render["id"] for render in page.json()["renders"]])
        if (cursor := page.json()["next_cursor"]) is None:
            break
    newest_first = ids[::-1]
    assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:]]
    (newest, *_) = (await api.client.get("/v1/renders")).json()["renders"]
    read = (await api.client.get(f"/v1/renders/{ids[-1]}")).json()
    changing = {"video_url", "poster_url", "expires_at"}  # each look signs links of its own
    assert {k: v for k, v in newest.items() if k != "result"} == {k: v for k, v in read.items() if k != "result"}
    for name, value in newest["result"].items():
        assert name in changing or value == read["result"][name]


async def test_a_list_may_be_of_some_states_only(api: Api):
    done = await finished(api)
    running = (await api.client.post("/v1/renders", json={"code": CODE, "seed": 1})).json()["id"]
    performance = await api.begun()
    waiting = (await api.client.post("/v1/renders", json={"code": CODE, "seed": 2})).json()["id"]

    async def ids(*states: str) -> set[str]:
        answer = await api.client.get("/v1/renders", params=[("status", state) for state in states])
        return {render["id"] for render in answer.json()["renders"]}

    assert await ids("succeeded") == {done}
    assert await ids("running", "queued") == {running, waiting}
    assert await ids("failed") == set()
    assert await ids() == {done, running, waiting}
    performance.succeed()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"status": "done"}, "status"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "!"}, "cursor"),
        ({"cursor": "é"}, "cursor"),
        ({"cursor": "x" * 101}, "cursor"),
    ],
)
async def test_a_wrong_parameter_is_named(api: Api, query: dict[str, str], field: str):
    answer = await api.client.get("/v1/renders", params=query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert field in error["field"]


async def test_nobody_sees_or_deletes_what_is_another_tenants(start: Start):
    async with start(**KEYS) as api:
        ada, bob = {"x-api-key": "one"}, {"x-api-key": "two"}
        answer = await api.post("/v1/renders", json={"code": CODE}, headers=ada | {"prefer": "wait=30"})
        render_id = answer.json()["id"]
        assert (await api.client.get("/v1/renders", headers=bob)).json() == {"renders": [], "next_cursor": None}
        refused = await api.client.delete(f"/v1/renders/{render_id}", headers=bob)
        assert refused.status_code == 404
        assert (await api.client.get(f"/v1/renders/{render_id}", headers=ada)).status_code == 200
        assert (await api.client.delete(f"/v1/renders/{render_id}", headers=ada)).status_code == 204


async def test_a_deleted_render_is_gone_with_its_files_and_leaves_others_theirs(api: Api):
    first = await finished(api)
    link = (await api.client.get(f"/v1/renders/{first}")).json()["result"]["video_url"]
    other = await finished(api, seed=1)
    gone = await api.client.delete(f"/v1/renders/{first}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await api.client.get(f"/v1/renders/{first}")).status_code == 404
    assert (await api.client.get(f"/v1/renders/{first}/video")).status_code == 404
    assert (await api.client.get(link)).status_code == 404
    again = await api.client.delete(f"/v1/renders/{first}")
    assert (again.status_code, again.json()["type"]) == (404, "urn:manimcast:problem:render-not-found")
    assert (await api.client.get(f"/v1/renders/{other}/video")).status_code == 200
    videos = api.context.settings.data_dir / "videos"
    assert [path.name for path in videos.iterdir()] == [other]


async def test_deleting_a_running_render_cancels_it(api: Api):
    render_id = (await api.client.post("/v1/renders", json={"code": CODE})).json()["id"]
    performance = await api.begun()
    waiting = asyncio.create_task(api.client.get(f"/v1/renders/{render_id}"))
    assert (await waiting).json()["status"] == "running"
    assert (await api.client.delete(f"/v1/renders/{render_id}")).status_code == 204
    assert performance.over.is_set()
    assert (await api.client.get("/v1/renders")).json()["renders"] == []


async def test_a_request_that_is_sent_again_with_its_key_is_the_same_render(api: Api):
    key = {"idempotency-key": "lesson 3, take 1"}
    body = {"code": CODE, "quality": "low", "metadata": {"a": 1, "b": 2}}
    first = await api.client.post("/v1/renders", json=body, headers=key)
    assert first.status_code == 202
    shuffled = dict(reversed(body.items()))
    again = await api.client.post("/v1/renders", json=shuffled, headers=key)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    (await api.begun()).succeed()
    ended = await api.client.post("/v1/renders", json=body, headers=key | {"prefer": "wait=30"})
    assert (ended.status_code, ended.json()["id"], ended.json()["status"]) == (200, first.json()["id"], "succeeded")
    assert api.executor.begun.empty()

    other = await api.client.post("/v1/renders", json=body | {"seed": 1}, headers=key)
    assert (other.status_code, other.json()["type"]) == (409, "urn:manimcast:problem:key-conflict")
    assert first.json()["id"] in other.json()["detail"]

    await api.client.delete(f"/v1/renders/{first.json()['id']}")
    fresh = await api.client.post("/v1/renders", json=body | {"seed": 1}, headers=key)
    assert fresh.status_code == 202, "a key lives no longer than its render"


async def test_of_equal_requests_at_once_one_is_queued(api: Api):
    async def post(**fields: object) -> tuple[int, str | None]:
        answer = await api.client.post("/v1/renders", json={"code": CODE, **fields}, headers={"idempotency-key": "k"})
        return answer.status_code, answer.json().get("id")

    answers = await asyncio.gather(*(post() for _ in range(20)), *(post(seed=1) for _ in range(20)))
    ids = {render_id for status, render_id in answers if status == 202}
    assert len(ids) == 1
    assert sorted(status for status, _ in answers) == [202] * 20 + [409] * 20
    assert await api.context.renders.queue_depth() in {(0, 1), (1, 0)}


async def test_a_key_of_a_request_that_was_not_taken_is_free(start: Start):
    async with start(queue_limit=0) as api:
        await api.client.post("/v1/renders", json={"code": CODE})
        performance = await api.begun()
        key = {"idempotency-key": "k"}
        full = await api.client.post("/v1/renders", json={"code": CODE, "seed": 1}, headers=key)
        assert full.status_code == 429
        performance.succeed()
        await api.client.get(f"/v1/renders/{performance.render_id}", headers={"prefer": "wait=30"})
        await api.context.renders.wait(performance.render_id, tenant="anonymous", timeout=30)
        taken = await api.client.post("/v1/renders", json={"code": CODE, "seed": 2}, headers=key)
        assert taken.status_code == 202


async def test_two_tenants_may_have_the_same_key(start: Start):
    async with start(**KEYS) as api:
        ids = set()
        for key in ("one", "two"):
            headers = {"x-api-key": key, "idempotency-key": "k"}
            ids.add((await api.client.post("/v1/renders", json={"code": CODE}, headers=headers)).json()["id"])
        assert len(ids) == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
async def test_a_key_that_cannot_be_one_is_refused(api: Api, key: str):
    answer = await api.client.post("/v1/renders", json={"code": CODE}, headers={"idempotency-key": key})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert api.executor.begun.empty()


@pytest.mark.parametrize("priority", [-11, 11, "high", 1.5])
async def test_a_priority_out_of_range_is_refused(api: Api, priority: object):
    answer = await api.client.post("/v1/renders", json={"code": CODE, "priority": priority})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "priority"


async def test_a_priority_is_shown_and_overtakes(api: Api):
    await api.client.post("/v1/renders", json={"code": CODE})
    first = await api.begun()
    later = [
        (await api.client.post("/v1/renders", json={"code": CODE, "seed": seed, "priority": priority})).json()
        for seed, priority in ((1, 0), (2, 5))
    ]
    assert later[1]["spec"]["priority"] == 5
    assert later[1]["queue_position"] == 1
    first.succeed()
    assert (await api.begun()).render_id == later[1]["id"]
