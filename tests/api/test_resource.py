"""``/v1/renders``: create, read, wait, cancel, and the files that come of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from manimcast.renders.table import renders
from tests.patience import PATIENCE
from tests.renders.listening import reaches
from tests.renders.scripted import DRAWING, GREETING, VIDEO, WORK, at

from .conftest import Api, Start

pytestmark = pytest.mark.anyio

CODE = "class A(Scene): pass"


async def test_a_render_from_its_beginning_to_its_end(api: Api):
    created = await api.client.post("/v1/renders", json={"code": CODE, "quality": "low", "metadata": {"lesson": 3}})
    assert created.status_code == 202
    render = created.json()
    assert created.headers["location"] == f"/v1/renders/{render['id']}"
    assert render["metadata"] == {"lesson": 3}
    assert "code" not in render["spec"]
    assert render["spec"]["quality"] == "low_quality"
    assert render["result"] is None

    performance = await api.begun()
    performance.say(*GREETING, at(50))
    await reaches(api.context.renders.events(render["id"], tenant="anonymous"), ("progress", 0, 50))
    running = (await api.client.get(f"/v1/renders/{render['id']}")).json()
    assert running["status"] == "running"
    assert running["progress"]["animation_percent"] == 50
    assert (await api.client.get(f"/v1/renders/{render['id']}/video")).status_code == 409

    performance.succeed()
    await api.context.renders.wait(render["id"], tenant="anonymous", timeout=PATIENCE)
    done = (await api.client.get(created.headers["location"])).json()
    assert done["status"] == "succeeded"
    result = done["result"]
    assert (result["width"], result["bytes"], result["poster_url"]) == (1280, len(VIDEO), None)
    assert result["expires_at"].endswith("Z")
    assert (running["drawing"], done["drawing"]) == (None, DRAWING.model_dump(mode="json"))
    assert (await api.client.get(result["video_url"])).content == VIDEO
    direct = await api.client.get(f"/v1/renders/{render['id']}/video")
    assert (direct.content, direct.headers["content-type"]) == (VIDEO, "video/mp4")
    head = await api.client.head(f"/v1/renders/{render['id']}/video")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(VIDEO)))
    for missing in ("poster", "subtitles", "sections/0", "sections/x"):
        assert (await api.client.get(f"/v1/renders/{render['id']}/{missing}")).status_code == 404


async def test_the_code_is_shown_when_asked_for(api: Api):
    render = (await api.client.post("/v1/renders", json={"code": CODE})).json()
    shown = await api.client.get(f"/v1/renders/{render['id']}?include=code")
    assert shown.json()["spec"]["code"] == CODE
    assert "work" not in shown.json()
    refused = await api.client.get(f"/v1/renders/{render['id']}?include=secrets")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "include"


async def test_what_each_segment_took_is_shown_when_asked_for(api: Api):
    render = (await api.client.post("/v1/renders", json={"code": CODE})).json()
    before = await api.client.get(f"/v1/renders/{render['id']}?include=work")
    assert before.json()["work"] is None
    (await api.begun()).succeed()
    await api.context.renders.wait(render["id"], tenant="anonymous", timeout=30)
    shown = await api.client.get(f"/v1/renders/{render['id']}?include=work")
    assert shown.json()["work"] == WORK.model_dump(mode="json")
    assert "work" not in (await api.client.get(f"/v1/renders/{render['id']}")).json()


async def test_prefer_wait_answers_with_the_end(api: Api):
    answer = await api.post("/v1/renders", json={"code": CODE}, headers={"prefer": "respond-async, wait=60"})
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert answer.headers["preference-applied"] == "wait=60"


@pytest.mark.parametrize(("prefer", "applied"), [("wait=0", "wait=0"), ("wait=soon", None), ("waiting=5", None)])
async def test_prefer_wait_that_runs_out_answers_as_it_is(api: Api, prefer: str, applied: str | None):
    answer = await api.client.post("/v1/renders", json={"code": CODE}, headers={"prefer": prefer})
    assert answer.status_code == 202
    assert answer.headers.get("preference-applied") == applied


async def test_a_failed_render(api: Api):
    request = asyncio.ensure_future(api.client.post("/v1/renders", json={"code": CODE}, headers={"prefer": "wait=60"}))
    (await api.begun()).fail()
    answer = await request
    assert (answer.status_code, answer.json()["status"]) == (200, "failed")
    assert answer.json()["error"]["code"] == "exception"
    video = await api.client.get(f"/v1/renders/{answer.json()['id']}/video")
    assert video.status_code == 409
    assert video.json()["scene_error"]["message"] == "the scene is at fault"


async def test_cancel(api: Api):
    render = (await api.client.post("/v1/renders", json={"code": CODE})).json()
    performance = await api.begun()
    canceled = await api.client.post(f"/v1/renders/{render['id']}/cancel")
    assert performance.over.is_set()
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    again = await api.client.post(f"/v1/renders/{render['id']}/cancel")
    assert (again.status_code, again.json()["status"]) == (200, "canceled")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"qualty": "low"}, "there is no field 'qualty'; did you mean 'quality'?"),
        ({"file_class": "A"}, "there is no field 'file_class'; it is called 'scene' here"),
        ({"rendering_engine": "cairo"}, "there is no field 'rendering_engine'; it is called 'engine' here"),
        ({"webhook_url": "https://a.b/"}, "there is no field 'webhook_url'; it is called 'webhook' here"),
        ({"idempotency_key": "k"}, "there is no field 'idempotency_key'; send the header Idempotency-Key"),
        ({"join": True}, "there is no field 'join'; join is a field of POST /v1/batches"),
        ({"retention": 3}, "there is no field 'retention'; the operator sets how long videos are kept"),
        ({"colour": "red"}, "there is no field 'colour'; there are code, scene, engine, quality, "),
        (
            {"webhook": "https://a.b/"},
            'webhook must be an object, such as {"url": "https://example.org/hooks"}; it',
        ),
        ({"code": "```python\nclass A(Scene): pass\n```"}, "code must be Python; it begins with Markdown's ```"),
        ({"resolution": {"width": 100}}, "resolution.height is required"),
        ({"resolution": {"width": 8, "height": 100}}, "resolution.width must be at least 16"),
        (
            {"resolution": "720p"},
            'resolution must be an object, such as {"width": 1280, "height": 720}; it is',
        ),
        ({"animations": "0,2"}, "animations must be a list, such as [0, 2]; it is a string"),
        ({"timeout": "30s"}, "timeout must be a number"),
        ({"resolution": {"width": 101, "height": 100}}, "resolution for mp4 must have even width and height"),
        ({"frame_rate": 500}, "frame_rate must be at most 120"),
        ({"frame_rate": "fast"}, "frame_rate must be a number"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"transparent": True}, "format mp4 cannot be transparent"),
        ({"transparent": "yes"}, "transparent must be true or false"),
        ({"background_color": "#12 34"}, "background_color must be #rgb"),
        ({"animations": [3, 1]}, "animations must be [from, to]"),
        ({"timeout": 301}, "timeout must be at most 300 seconds"),
        ({"timeout": 0}, "timeout must be greater than 0"),
        ({"format": "avi"}, "format must be one of mp4, webm, mov, gif or png"),
        ({"executor": "moon"}, "executor must be one of auto, local or modal"),
        ({"metadata": {"x": "y" * 1024}}, "metadata must not be longer than 1024 bytes"),
        ({"metadata": [1]}, "metadata must be an object"),
        ({"params": ["a"]}, "params must be an object"),
        (
            {"files": {"../a.py": ""}},
            "files: '../a.py' cannot be the name of a file: a part of it is empty",
        ),
        ({"files": {"a.py": 1}}, "files.a.py must be a string"),
        ({"files": {"a.py": "", "A.py": ""}}, "files: 'a.py' and 'A.py' are the same name, but for capitals"),
        ({"files": {f"{n}": "" for n in range(101)}}, "files must not have more than 100 entries"),
        ({"params": {"rows": "x" * 65_536}}, "params must not be longer than 65536 bytes as JSON"),
        ({"code": None}, "No code provided"),
        ({"code": "x" * 1_000_001}, "code must not be longer than 1000000 characters"),
    ],
)
async def test_a_wrong_field_is_named(start: Start, fields, message):
    async with start(max_body_bytes=2_000_000) as api:
        answer = await api.client.post("/v1/renders", json={"code": CODE, **fields})
        assert answer.status_code == 422
        problem = answer.json()
        assert problem["detail"].startswith(message)
        assert problem["errors"][0]["message"] == problem["detail"]
        assert problem["errors"][0]["field"].partition(".")[0] == next(iter(fields)) or "format" in message


async def test_params_are_shown_as_they_were_sent(api: Api):
    params = {"name": "Ada", "rows": [1, 2.5, None, {"ö": "\u0000"}]}
    render = (await api.client.post("/v1/renders", json={"code": CODE, "params": params})).json()
    assert render["spec"]["params"] == params
    asked = (await api.begun()).spec
    assert asked is not None
    assert asked.params == params
    assert (await api.client.get(f"/v1/renders/{render['id']}")).json()["spec"]["params"] == params


async def test_files_are_shown_with_the_code_when_asked_for(api: Api):
    files = {"shapes.py": "x = 1\n", "data/größe.csv": "1,2\r\n"}
    render = (await api.client.post("/v1/renders", json={"code": CODE, "files": files})).json()
    assert "files" not in render["spec"]
    asked = (await api.begun()).spec
    assert asked is not None
    assert asked.files == files
    path = f"/v1/renders/{render['id']}"
    assert "files" not in (await api.client.get(path)).json()["spec"]
    assert (await api.client.get(f"{path}?include=code")).json()["spec"]["files"] == files


async def test_files_count_as_code(start: Start):
    async with start(max_code_bytes=100) as api:
        body = {"code": CODE, "files": {"a.txt": "x" * 100}}
        answer = await api.client.post("/v1/renders", json=body)
    assert answer.status_code == 422
    size = len(CODE) + 100
    assert answer.json()["detail"] == f"code must not be longer than 100 bytes; with files it has {size}"


async def test_null_means_default(api: Api):
    fields = ("scene", "quality", "resolution", "seed", "format", "transparent", "executor", "metadata", "timeout")
    answer = await api.client.post("/v1/renders", json={"code": CODE, **dict.fromkeys(fields)})
    assert answer.status_code == 202
    assert answer.json()["spec"]["seed"] == 0
    assert answer.json()["spec"]["executor"] == "auto"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_is_not_there(api: Api, method: str):
    path = "/v1/renders/rnd_none" + ("/cancel" if method == "POST" else "")
    answer = await api.client.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:manimcast:problem:render-not-found"


async def test_paths_and_methods_that_are_not_there(api: Api):
    nowhere = await api.client.get("/v1/nowhere")
    assert (nowhere.status_code, nowhere.headers["content-type"]) == (404, "application/problem+json")
    method = await api.client.get("/v1/video/rendering")
    assert (method.status_code, method.json()) == (405, {"error": "GET is not allowed on /v1/video/rendering; POST is"})
    assert method.headers["allow"] == "POST"


async def test_tenants_do_not_see_each_other(start: Start):
    async with start(api_keys="a:key-a,b:key-b") as api:
        a, b = {"x-api-key": "key-a"}, {"authorization": "Bearer key-b"}
        render = (await api.client.post("/v1/renders", json={"code": CODE}, headers=a)).json()
        path = f"/v1/renders/{render['id']}"
        assert (await api.client.get(path, headers=a)).status_code == 200
        for method, what in (("GET", path), ("GET", f"{path}/video"), ("POST", f"{path}/cancel")):
            other = await api.client.request(method, what, headers=b)
            unknown = await api.client.request(method, what.replace(render["id"], "rnd_x"), headers=b)
            assert (other.status_code, unknown.status_code) == (404, 404)
            assert other.json()["type"] == unknown.json()["type"]
        for headers in ({}, {"x-api-key": "wrong"}):
            refused = await api.client.get(path, headers=headers)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Bearer")
        refused = await api.client.post("/v1/video/rendering", json={"code": CODE})
        assert (refused.status_code, list(refused.json())) == (401, ["error"])


async def test_an_expired_video_is_told_apart_from_one_that_was_never_there(start: Start) -> None:
    async with start(video_ttl=1000) as api:
        created = await api.post("/v1/renders", json={"code": "class A(Scene): pass"}, headers={"prefer": "wait=60"})
        path, link = f"/v1/renders/{created.json()['id']}", created.json()["result"]["video_url"]
        assert (await api.client.get(link)).status_code == 200
        async with api.context.renders._store.database.write() as connection:
            await connection.execute(update(renders).values(finished_at=datetime(2020, 1, 1, tzinfo=UTC)))
        await api.context.renders._retention.sweep()
        result = (await api.client.get(path)).json()["result"]
        assert (result["video_url"], result["poster_url"], result["expires_at"]) == (None, None, None)
        assert result["expired_at"].endswith("Z")
        assert result["sha256"] == created.json()["result"]["sha256"]
        for address in (f"{path}/video", f"{path}/poster", link):
            gone = await api.client.get(address)
            assert (gone.status_code, gone.json()["type"]) == (410, "urn:manimcast:problem:video-expired")
            assert "keeps videos for a limited time" in gone.json()["detail"]
            assert gone.json()["expired_at"] == result["expired_at"]
        await api.client.delete(path)
        assert (await api.client.get(f"{path}/video")).status_code == 404
        assert (await api.client.get(link)).status_code == 404


async def test_a_service_that_stops_does_not_say_that_it_has_deleted_what_still_runs(start: Start):
    async with start() as api:
        path = (await api.client.post("/v1/renders", json={"code": CODE})).headers["location"]
        performance = await api.begun()
        performance.linger = asyncio.Event()
        deleting = asyncio.create_task(api.client.delete(path))
        await api.context.renders.wait(path.rpartition("/")[2], tenant="anonymous", timeout=PATIENCE)
        await api.context.renders._feed.close()
        refused = await deleting
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:manimcast:problem:stopping")
        assert refused.headers["retry-after"] == "5"
        performance.linger.set()
