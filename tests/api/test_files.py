"""Signed links: who may open them, for how long, and what a browser may do with what they open."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.renders.scripted import VIDEO

from .conftest import Api, Start

pytestmark = pytest.mark.anyio

BODY = {"code": "class A(Scene): pass"}


async def link(api: Api) -> str:
    """Return the link of a fresh video."""
    url: str = (await api.post("/v1/video/rendering", json=BODY)).json()["video_url"]
    return url


async def test_a_link_opens_its_file_safely(api: Api):
    url = await link(api)
    whole = await api.client.get(url)
    assert (whole.status_code, whole.content) == (200, VIDEO)
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in whole.headers["content-security-policy"]
    assert "sandbox" in whole.headers["content-security-policy"]
    assert "allow-scripts" not in whole.headers["content-security-policy"]
    assert whole.headers["content-disposition"].startswith("inline; filename=")
    assert whole.headers["cache-control"].startswith("private, max-age=")
    head = await api.client.head(url)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(VIDEO)))
    saved = await api.client.get(f"{url}&download=1")
    assert saved.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("wanted", "status", "content"),
    [
        ("bytes=0-2", 206, VIDEO[:3]),
        ("bytes=4-", 206, VIDEO[4:]),
        ("bytes=-3", 206, VIDEO[-3:]),
        (f"bytes={len(VIDEO)}-", 416, None),
    ],
)
async def test_ranges(api: Api, wanted: str, status: int, content: bytes | None):
    part = await api.client.get(await link(api), headers={"range": wanted})
    assert part.status_code == status
    assert content is None or part.content == content
    assert part.headers["content-range"].endswith(f"/{len(VIDEO)}")


async def test_a_forged_link_opens_nothing(api: Api):
    url = await link(api)
    path, _, query = url.partition("?")
    expires, signature = (part.partition("=")[2] for part in query.split("&"))
    other = await link(api)
    forgeries = [
        path,
        f"{path}?expires={expires}",
        f"{path}?expires={int(expires) + 1}&signature={signature}",
        f"{path}?expires={expires}&signature={signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}",
        f"{path}?expires=-1&signature={signature}",
        f"{path}?expires=x&signature=%C3%A4",
        f"{other.partition('?')[0]}?{query}",
        f"{path.replace('video.mp4', 'signing.key')}?{query}",
    ]
    for forged in forgeries:
        refused = await api.client.get(forged)
        assert refused.status_code == 403, forged
        assert refused.json()["type"] == "urn:manimcast:problem:link-invalid"


@pytest.mark.parametrize("name", ["..%2f..%2fsigning.key", "%2e%2e/%2e%2e/signing.key", "....//signing.key"])
async def test_no_link_leads_out_of_the_storage(api: Api, name: str):
    path = (await link(api)).partition("?")[0].removesuffix("video.mp4")
    assert (await api.client.get(f"{path}{name}?expires=99999999999&signature=x")).status_code in {403, 404}


async def test_a_link_expires(api: Api):
    render_id = (await link(api)).split("/")[-2]
    expired = api.context.storage.sign(render_id, "video.mp4", ttl=-5)
    answer = await api.client.get(f"/v1/files/{render_id}/video.mp4?{expired.query}")
    assert answer.status_code == 410
    assert answer.json()["type"] == "urn:manimcast:problem:link-expired"


async def test_a_file_that_is_gone(api: Api):
    url = await link(api)
    render_id = url.split("/")[-2]
    await api.context.storage.delete(render_id)
    assert (await api.client.get(url)).status_code == 404
    assert (await api.client.get(f"/v1/renders/{render_id}/video")).status_code == 404


async def test_links_are_keys_of_their_own(start: Start):
    async with start(api_keys="a:key") as api:
        answer = await api.post("/v1/video/rendering", json=BODY, headers={"x-api-key": "key"})
        assert (await api.client.get(answer.json()["video_url"])).content == VIDEO


async def test_links_have_the_public_address(start: Start):
    async with start(public_url="https://render.example/manim/") as api:
        assert (await link(api)).startswith("https://render.example/manim/v1/files/rnd_")


async def test_the_link_does_not_appear_in_the_log(api: Api, caplog: pytest.LogCaptureFixture, tmp_path: Path):
    caplog.set_level("DEBUG")
    url = await link(api)
    caplog.clear()
    await api.client.get(url)
    lines = [record.getMessage() for record in caplog.records if record.name == "manimcast.api.guard"]
    assert any("video.mp4 200" in line for line in lines)
    assert not any("signature" in line for line in lines)
