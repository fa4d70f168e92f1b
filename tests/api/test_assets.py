"""``/v1/assets``: what is taken, listed, deleted; and renders that name what was uploaded."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

from tests.assets.samples import SVG, archive, picture

from .conftest import Api, Start

pytestmark = pytest.mark.anyio

PATH = "/v1/assets"
CODE = "class A(Scene): pass"
PNG = picture("PNG")


async def upload(client: httpx.AsyncClient, name: str, content: bytes, **more: Any) -> httpx.Response:
    return await client.post(PATH, files={"file": (name, content)}, **more)


def form(*parts: bytes, end: bytes = b"--x--\r\n") -> dict[str, Any]:
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + end
    return {"content": body, "headers": {"content-type": "multipart/form-data; boundary=x"}}


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
    return head.encode() + b"\r\n\r\n" + content


async def test_an_asset_from_its_upload_to_its_end(api: Api, tmp_path) -> None:
    answer = await upload(api.client, "logo.png", PNG)
    assert answer.status_code == 201
    asset = answer.json()
    digest = hashlib.sha256(PNG).hexdigest()
    assert asset.pop("created_at").endswith("Z")
    assert asset == {
        "id": f"ast_{digest}",
        "name": "logo.png",
        "kind": "image",
        "media_type": "image/png",
        "bytes": len(PNG),
        "sha256": digest,
    }
    path = answer.headers["location"]
    assert path == f"{PATH}/{asset['id']}"
    assert (await api.client.get(path)).json()["name"] == "logo.png"
    assert [one["id"] for one in (await api.client.get(PATH)).json()["assets"]] == [asset["id"]]
    assert (await api.client.delete(path)).status_code == 204
    for method in ("GET", "DELETE"):
        gone = await api.client.request(method, path)
        assert (gone.status_code, gone.json()["type"]) == (404, "urn:manimcast:problem:asset-not-found")
    data = tmp_path / "data"
    assert [path for path in (*data.glob("assets/*/*"), *data.glob("incoming/*")) if path.is_file()] == []


async def test_the_same_bytes_are_the_same_asset_by_their_last_name(api: Api, tmp_path) -> None:
    first = await upload(api.client, "old.png", PNG)
    again = await upload(api.client, "new.png", PNG)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"name": "new.png"}
    assert len((await api.client.get(PATH)).json()["assets"]) == 1
    assert len(list((tmp_path / "data").glob("assets/*/*"))) == 1


async def test_pages_are_from_the_newest_to_the_oldest(api: Api) -> None:
    ids = [(await upload(api.client, f"{n}.txt", b"%d" % n)).json()["id"] for n in range(5)]
    found: list[str] = []
    parameters: dict[str, Any] = {"limit": 2}
    while True:
        page = (await api.client.get(PATH, params=parameters)).json()
        found += [asset["id"] for asset in page["assets"]]
        if page["next_cursor"] is None:
            break
        parameters["cursor"] = page["next_cursor"]
    assert found == ids[::-1]


@pytest.mark.parametrize("cursor", ["x", "MTIz", "////", "OTk5OTk5OTk5OTk5OTk5OTkgYXN0X2E"])
async def test_a_cursor_of_nobodys(api: Api, cursor: str) -> None:
    answer = await api.client.get(PATH, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.parametrize(
    ("request_", "status", "detail"),
    [
        ({"json": {}}, 415, "Content-Type must be multipart/form-data"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 415, "Content-Type must be"),
        (form(part("file", b"a", "a.txt"), end=b""), 400, "its end is missing"),
        ({**form(), "content": b"nonsense"}, 400, "the body must be a multipart form"),
        (form(part("file", b"a", "a.txt"), part("file", b"b", "b.txt")), 422, "there is more than one file"),
        (form(part("name", b"a.txt")), 422, "file is required"),
        (
            form(part("file", b"a", "")),
            422,
            "that name and the name of a file, as curl",
        ),
        (form(part("file", "é".encode("latin-1"), "a.csv")), 422, "'a.csv' is not what it is called: it is no text"),
        (form(part("image", b"a", "a.txt")), 422, "there is no field 'image'; send file"),
        (form(part("file", b"a", "a.txt"), part("name", b"x" * 2000)), 400, "longer than 1024 bytes"),
        (form(b"X: " + b"y" * 2000 + b"\r\n\r\na"), 400, "longer than 1024 bytes"),
        (form(*[part("name", b"a.txt")] * 5), 422, "one part called file"),
        (form(part("file", b"", "a.txt")), 422, "'a.txt' is empty"),
        (form(part("file", PNG, "a.jpg")), 422, "its name must end with .png"),
        (form(part("file", b"MZ\0", "a.exe")), 422, "is none of the files that are taken"),
        (form(part("file", b"a", "../../a.txt")), 422, "cannot be the name of an asset"),
        (form(part("file", b"a", "a.txt"), part("name", b"/etc/a.txt")), 422, "cannot be the name of an asset"),
        (form(part("file", b"a", "a.txt"), part("name", b".a.txt")), 422, "begins with a dot"),
        (form(part("file", b"a", "a.txt"), part("name", b"a\0.txt")), 422, "has characters other than"),
        (form(part("file", b"a", "a.txt"), part("name", b"\xff.txt")), 422, "must be UTF-8"),
        (form(part("file", b"a = 1", "random.py")), 422, "would hide the module random"),
        (form(part("file", b"a", "x" * 97 + ".txt")), 422, "of at most 100 bytes"),
    ],
)
async def test_what_is_refused(api: Api, tmp_path, request_: dict[str, Any], status: int, detail: str) -> None:
    answer = await api.client.post(PATH, **request_)
    assert answer.status_code == status, answer.text
    assert detail in answer.json()["detail"]
    assert (await api.client.get(PATH)).json()["assets"] == []
    data = tmp_path / "data"
    assert [path for path in (*data.glob("assets/*/*"), *data.glob("incoming/*")) if path.is_file()] == []


async def test_a_name_of_ones_choice(api: Api) -> None:
    answer = await api.client.post(PATH, files={"file": ("x", PNG)}, data={"name": "Größe 1.png"})
    assert (answer.status_code, answer.json()["name"]) == (201, "Größe 1.png")


async def test_size_and_number_are_bounded(start: Start) -> None:
    fields = {"max_asset_mib": 1, "tenant_assets": 3, "tenant_assets_mib": 2, "render_assets_mib": 1}
    async with start(**fields) as api:
        large = [await upload(api.client, "a.txt", b"a" * n) for n in ((1 << 20) + 1, 1 << 20)]
        assert [answer.status_code for answer in large] == [413, 201]
        assert large[0].json()["detail"] == "an asset may have 1048576 bytes"
        assert (await upload(api.client, "b.txt", b"b" * (1 << 20))).status_code == 201
        over = await upload(api.client, "c.txt", b"c")
        assert (over.status_code, over.json()["type"]) == (403, "urn:manimcast:problem:quota-exceeded")
        again = await upload(api.client, "z.txt", b"a" * (1 << 20))
        assert again.status_code == 200
        body = {"code": CODE, "assets": [answer.json()["id"] for answer in (large[1],)]}
        assert (await api.client.post("/v1/renders", json=body)).status_code == 202
        both = {"code": CODE, "assets": [{"id": again.json()["id"]}, {"id": again.json()["id"], "name": "y.txt"}]}
        refused = await api.client.post("/v1/renders", json=both)
        assert refused.json()["detail"] == "assets must not be larger than 1048576 bytes together; they have 2097152"


async def test_a_render_has_the_assets_that_it_names(api: Api) -> None:
    png, svg = (await upload(api.client, "logo.png", PNG)).json(), (await upload(api.client, "a.svg", SVG)).json()
    body = {"code": CODE, "assets": [png["id"], {"id": svg["id"], "name": "art/box.svg"}]}
    render = (await api.client.post("/v1/renders", json=body)).json()
    assert render["spec"]["assets"] == [
        {"id": png["id"], "name": "logo.png", "kind": "image", "bytes": len(PNG)},
        {"id": svg["id"], "name": "art/box.svg", "kind": "svg", "bytes": len(SVG)},
    ]
    performance = await api.begun()
    assert performance.contents == (PNG, SVG)
    performance.succeed()


@pytest.mark.parametrize(
    ("assets", "field", "message"),
    [
        (["ast_1"], "assets[0].id", "assets[0].id"),
        ([f"ast_{'0' * 64}"], "assets[0]", f"assets[0]: there is no asset ast_{'0' * 64}"),
        (["{id}", "{id}"], "assets", "assets: 'logo.png' is there twice: in assets[0] and in assets[1]; call an asset"),
        (
            [{"id": "{id}", "name": "../a.png"}],
            "assets[0].name",
            "assets[0].name: '../a.png' cannot be the",
        ),
        (
            [{"id": "{id}", "name": "SHAPES.py"}],
            "assets",
            "assets: 'shapes.py' in files and 'SHAPES.py' in",
        ),
        ([{"id": "{id}", "bytes": 1}], "assets[0].bytes", "there is no field 'assets[0].bytes'"),
        (["{id}"] * 101, "assets", "assets must not have more than 100 entries"),
        ("{id}", "assets", 'assets must be a list, such as [{"id": "ast_0000..."'),
        ([{"url": "https://example.org/a.png"}], "assets[0].id", "assets[0].id is required"),
        (["logo.png"], "assets[0].id", "assets[0].id must be the id of an asset, ast_ and 64 hexadecimal digits"),
    ],
)
async def test_wrong_assets_are_named(api: Api, assets: Any, field: str, message: str) -> None:
    found = (await upload(api.client, "logo.png", PNG)).json()["id"]

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{id}", found)
        return {name: filled(one) for name, one in value.items()} if isinstance(value, dict) else value

    listed = [filled(one) for one in assets] if isinstance(assets, list) else filled(assets)
    body = {"code": CODE, "files": {"shapes.py": ""}, "assets": listed}
    for path in ("/v1/renders", "/v1/scenes/inspect"):
        answer = await api.client.post(path, json=body)
        assert answer.status_code == 422, answer.text
        error = answer.json()["errors"][0]
        assert error["field"] == field
        assert error["message"].startswith(message)


async def test_a_render_whose_asset_was_deleted_meanwhile_says_so(api: Api) -> None:
    await api.client.post("/v1/renders", json={"code": CODE})
    first = await api.begun()
    asset = (await upload(api.client, "logo.png", PNG)).json()
    waits = (await api.client.post("/v1/renders", json={"code": CODE, "assets": [asset["id"]]})).json()
    assert (await api.client.delete(f"{PATH}/{asset['id']}")).status_code == 204
    first.succeed()
    render = await api.context.renders.wait(waits["id"], tenant="anonymous", timeout=60)
    assert render.error is not None
    assert render.error.code == "asset_missing"
    assert render.error.message == f"The asset {asset['id']} (logo.png) was deleted before the render began."


async def test_a_key_is_the_same_render_also_when_its_asset_was_deleted_since(api: Api) -> None:
    asset = (await upload(api.client, "logo.png", PNG)).json()
    one, key = {"code": CODE, "assets": [{"id": asset["id"]}]}, {"idempotency-key": "k"}
    asked = {"/v1/renders": one, "/v1/batches": {"renders": [one]}}
    ids = {}
    for number, (path, body) in enumerate(asked.items()):
        answer = await api.client.post(path, json=body, headers={"idempotency-key": f"k{number}"})
        assert answer.status_code == 202, answer.text
        ids[path] = answer.json()["id"]
    assert (await api.client.delete(f"{PATH}/{asset['id']}")).status_code == 204
    for number, (path, body) in enumerate(asked.items()):
        answer = await api.client.post(path, json=body, headers={"idempotency-key": f"k{number}"})
        assert (answer.status_code, answer.json().get("id")) == (202, ids[path]), answer.text
        assert (await api.client.post(path, json=body, headers=key)).status_code == 422, "with another key"


async def test_a_render_that_has_begun_keeps_a_deleted_asset(api: Api) -> None:
    asset = (await upload(api.client, "logo.png", PNG)).json()
    render = (await api.client.post("/v1/renders", json={"code": CODE, "assets": [asset["id"]]})).json()
    performance = await api.begun()
    await api.client.delete(f"{PATH}/{asset['id']}")
    performance.succeed()
    ended = await api.context.renders.wait(render["id"], tenant="anonymous", timeout=60)
    assert ended.status == "succeeded"


async def test_tenants_do_not_see_each_others_assets(start: Start) -> None:
    async with start(api_keys="one:first,two:second") as api:
        one, two = ({"authorization": f"Bearer {key}"} for key in ("first", "second"))
        asset = (await upload(api.client, "logo.png", PNG, headers=one)).json()
        path = f"{PATH}/{asset['id']}"
        assert (await api.client.get(path)).status_code == 401
        for method in ("GET", "DELETE"):
            assert (await api.client.request(method, path, headers=two)).status_code == 404
        assert (await api.client.get(PATH, headers=two)).json()["assets"] == []
        body = {"code": CODE, "assets": [asset["id"]]}
        refused = await api.client.post("/v1/renders", json=body, headers=two)
        assert refused.json()["detail"] == f"assets[0]: there is no asset {asset['id']}"
        # The same bytes are an asset of each, and what becomes of one is nothing to the other.
        assert (await upload(api.client, "mine.png", PNG, headers=two)).status_code == 201
        assert (await api.client.delete(path, headers=two)).status_code == 204
        assert (await api.client.get(path, headers=one)).json()["name"] == "logo.png"
        await api.client.post("/v1/renders", json=body, headers=one)
        assert (await api.begun()).contents == (PNG,)


async def test_an_archive_is_taken_as_it_is(api: Api) -> None:
    answer = await upload(api.client, "project.zip", archive({"../../etc/passwd": "x"}))
    assert (answer.status_code, answer.json()["kind"]) == (201, "archive")  # nobody outside a render looks into it
