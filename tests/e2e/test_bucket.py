"""The real service with a real bucket: what lies there, who may read it, and for how long."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.buckets import BUCKET, BucketServer, moto, nanio, proxy
from tests.e2e.conftest import QUICK, VIDEO, scene
from tests.e2e.server import Server, serving, until

SECTIONS = scene(
    "self.next_section('one')",
    "self.add_subcaption('a circle', duration=0.5)",
    "self.play(Create(Circle()), run_time=0.5)",
    "self.next_section('two')",
    "self.wait(0.5)",
)
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"


def rendered(client: httpx.Client, **body: Any) -> dict[str, Any]:
    """Render and return the render; its files are where they stay, as far as that is possible."""
    queued = client.post("/v1/renders", json={"code": QUICK, "quality": "low", **body}, headers={"prefer": "wait=30"})
    path = f"/v1/renders/{queued.json()['id']}"

    def ended() -> dict[str, Any] | None:
        render: dict[str, Any] = client.get(path).json()
        return render if render["finished_at"] is not None else None

    render: dict[str, Any] = until(ended, "the end of the render")
    assert render["status"] == "succeeded", render
    return render


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketServer]:
    with nanio(tmp_path_factory.mktemp("nanio")) as running:
        yield running


@pytest.fixture(scope="module")
def private(bucket: BucketServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service whose objects nobody may read without a link."""
    data = tmp_path_factory.mktemp("private") / "data"
    with serving(data, result_cache="off", **bucket.settings()) as server:
        yield server


def test_a_render_lives_in_the_bucket(private: Server, bucket: BucketServer) -> None:
    with private.client() as client:
        began = datetime.now(UTC)
        render = rendered(client, code=SECTIONS, save_sections=True)
        result = render["result"]
        urls = [result["video_url"], result["poster_url"], result["subtitles_url"]]
        urls += [section["video_url"] for section in result["sections"]]
        assert len(urls) == 5
        types = ["video/mp4", "image/jpeg", "text/vtt", "video/mp4", "video/mp4"]
        for url, media_type in zip(urls, types, strict=True):
            assert url.startswith(f"{bucket.address}/{BUCKET}/")
            answer = httpx.get(url)
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"].partition(";")[0] == media_type
            assert answer.headers["content-disposition"].startswith(f'inline; filename="{render["id"]}-')
            assert answer.headers["cache-control"] == "private, max-age=86400, immutable"
            assert httpx.get(url.partition("?")[0]).status_code == 403, "a private object"
        video = httpx.get(urls[0])
        assert (len(video.content), hashlib.sha256(video.content).hexdigest()) == (result["bytes"], result["sha256"])
        assert httpx.get(urls[0], headers={"range": "bytes=2-5"}).content == video.content[2:6]
        lifetime = datetime.fromisoformat(result["expires_at"]) - began
        assert 86_000 < lifetime.total_seconds() < 87_000
        health = client.get("/v1/health").json()
        assert (health["storage"], health["uploads"]) == ("s3", {"pending": 0, "error": None})
    until(lambda: not list((private.data / "outbox").glob("*/*")), "the end of what was kept here")
    assert list((private.data / "videos").iterdir()) == []
    assert private.scratch() == []


def test_objects_have_the_names_of_the_contract(private: Server, bucket: BucketServer) -> None:
    before = set(bucket.objects())
    with private.client() as client:
        rendered(client)
    poster, video = sorted(set(bucket.objects()) - before)
    assert re.fullmatch(f"poster-{UUID}.jpg", poster)
    assert video == poster.replace("poster", "video").replace(".jpg", ".mp4")


def test_the_original_endpoint_answers_with_the_bucket(private: Server, bucket: BucketServer) -> None:
    with private.client() as client:
        answer = client.post(VIDEO, json={"code": QUICK, "quality": "low_quality"}).json()
        assert answer["video_url"].startswith(f"{bucket.address}/{BUCKET}/video-")
        assert httpx.get(answer["video_url"]).status_code == 200


def test_the_video_of_a_render_is_a_redirect(private: Server) -> None:
    with private.client() as client:
        render = rendered(client)
        path = f"/v1/renders/{render['id']}/video"
        answer = client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (307, "no-store")
        assert len(client.get(path, follow_redirects=True).content) == render["result"]["bytes"]
        head = client.head(path, follow_redirects=True)
        assert (head.status_code, head.headers["content-length"]) == (200, str(render["result"]["bytes"]))
        assert client.get(f"/v1/renders/{render['id']}/poster").status_code == 307


@pytest.mark.parametrize("change", ["signature", "other file", "method"])
def test_the_bucket_checks_the_signature(private: Server, change: str) -> None:
    with private.client() as client:
        result = rendered(client)["result"]
    url, poster = result["video_url"], result["poster_url"]
    if change == "signature":
        refused = httpx.get(url[:-1] + ("0" if url[-1] != "0" else "1"))
    elif change == "other file":
        refused = httpx.get(f"{poster.partition('?')[0]}?{url.partition('?')[2]}")
    else:
        refused = httpx.delete(url)
    assert refused.status_code == 403
    assert "SignatureDoesNotMatch" in refused.text
    assert httpx.get(url).status_code == 200


def test_a_signed_link_expires(bucket: BucketServer, tmp_path: Path) -> None:
    with serving(tmp_path / "data", link_ttl=2, **bucket.settings()) as server, server.client() as client:
        render = rendered(client)
        url = render["result"]["video_url"]
        expired = until(lambda: answer if (answer := httpx.get(url)).status_code == 403 else None, "the link's end")
        assert "expired" in expired.text
        assert datetime.now(UTC) >= datetime.fromisoformat(render["result"]["expires_at"])
        # Each look gives a fresh one, which a slow machine may again be late for.
        path = f"/v1/renders/{render['id']}"
        until(lambda: httpx.get(client.get(path).json()["result"]["video_url"]).status_code == 200, "a fresh link")


def test_a_bucket_that_everyone_may_read(tmp_path: Path) -> None:
    with (
        moto(tmp_path) as bucket,
        serving(tmp_path / "data", s3_acl="public-read", s3_encryption="AES256", **bucket.settings()) as server,
        server.client() as client,
    ):
        render = rendered(client, code=SECTIONS, save_sections=True)
        result = render["result"]
        assert result["expires_at"] is None
        for url in (result["video_url"], result["poster_url"], *(one["video_url"] for one in result["sections"])):
            assert url.startswith(f"{bucket.address}/{BUCKET}/")
            assert "?" not in url
            answer = httpx.get(url)
            assert (answer.status_code, answer.headers["x-amz-server-side-encryption"]) == (200, "AES256")
        video = f"/v1/renders/{render['id']}/video"
        assert client.get(video).headers["location"] == result["video_url"]


def test_a_public_address_of_ones_own(bucket: BucketServer, tmp_path: Path) -> None:
    settings = bucket.settings(
        s3_public_url_base="https://media.example/v/",
        storage_prefix="manim/",
        storage_template="{year}/{render}/{name}-{uuid}.{ext}",
    )
    with serving(tmp_path / "data", **settings) as server, server.client() as client:
        render = rendered(client)
        url = render["result"]["video_url"]
        start = f"https://media.example/v/manim/{datetime.now(UTC).year}/{render['id']}/video-"
        assert url.startswith(start)
        assert render["result"]["expires_at"] is None
        assert url.removeprefix("https://media.example/v/") in bucket.objects()


def test_links_for_clients_that_reach_the_bucket_elsewhere(bucket: BucketServer, tmp_path: Path) -> None:
    with proxy(bucket.address) as elsewhere:
        settings = bucket.settings(s3_link_endpoint=elsewhere.address)
        with serving(tmp_path / "data", **settings) as server, server.client() as client:
            url = rendered(client)["result"]["video_url"]
            assert not elsewhere.asked, "the service itself goes the short way"
            assert url.startswith(f"{elsewhere.address}/{BUCKET}/")
            assert httpx.get(url).status_code == 200


def test_the_bucket_as_a_part_of_the_host(tmp_path: Path) -> None:
    """``videos.localhost`` need not resolve: the service reaches it through a proxy, as through a company's."""
    with moto(tmp_path) as bucket, proxy(bucket.address) as way:
        settings = bucket.settings(
            s3_endpoint=f"http://localhost:{bucket.port}", s3_force_path_style="false", http_proxy=way.address
        )
        with serving(tmp_path / "data", **settings) as server, server.client() as client:
            url = rendered(client)["result"]["video_url"]
            host = f"{BUCKET}.localhost:{bucket.port}"
            assert url.startswith(f"http://{host}/video-")
            assert {asked.host for asked in way.asked} == {host}
            with httpx.Client(proxy=way.address) as client_elsewhere:
                assert client_elsewhere.get(url).status_code == 200


def test_videos_from_before_the_bucket_stay_where_they_are(bucket: BucketServer, tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server, server.client() as client:
        old = rendered(client)
    with serving(tmp_path / "data", **bucket.settings()) as server, server.client() as client:
        again = client.get(f"/v1/renders/{old['id']}").json()
        assert again["result"]["video_url"].startswith(f"{server.address}/v1/files/")
        assert len(client.get(again["result"]["video_url"]).content) == old["result"]["bytes"]
        # The same request again is answered without a render, with an object in the bucket that both show.
        first, new = rendered(client), rendered(client)
        assert new["cache"]["hit"] == "result"
        assert new["result"]["sha256"] == old["result"]["sha256"]
        one, other = (render["result"]["video_url"].partition("?")[0] for render in (first, new))
        assert one == other
        assert other.startswith(bucket.address)
    with serving(tmp_path / "data", use_local_storage="true", **bucket.settings()) as server, server.client() as client:
        assert client.get("/v1/health").json()["storage"] == "local"
        refused = client.get(f"/v1/renders/{new['id']}/video")
        assert refused.status_code == 503
        assert "lies in a bucket" in refused.json()["detail"]
