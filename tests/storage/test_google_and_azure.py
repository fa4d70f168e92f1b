"""The same storage in Google's and in Azure's buckets.

Google's objects are written with requests that are those of S3 but for the signature, so moto stands for it; for Azure
a small double of our own does. Neither checks a signature.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from manimcast.settings import Settings
from manimcast.storage import StorageError, from_settings
from tests.buckets import BUCKET, moto
from tests.buckets.azure import ACCOUNT, azure
from tests.storage.test_local import written

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("impatient")]

LARGE = bytes(12_000_000)
"""A video of three parts."""


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {"client_email": "tests@videos.example", "private_key": key.decode(), "private_key_id": "1"}
    (tmp_path / "account.json").write_text(json.dumps(account))
    with moto(tmp_path) as server:
        monkeypatch.setenv("GOOGLE_BASE_URL", server.address)
        monkeypatch.setenv("GOOGLE_BEARER_TOKEN", "as if Google had given it")
        yield Settings(
            _env_file=None,
            data_dir=tmp_path / "data",
            storage_url=f"gs://{BUCKET}/manim",
            google_service_account=tmp_path / "account.json",
        )


async def fetched(url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(url, headers=headers)


async def test_google(google: Settings, tmp_path: Path) -> None:
    storage = from_settings(google)
    await storage.start()
    try:
        assert (storage.kind, storage.is_shared) == ("gcs", True)
        work = tmp_path / "work"
        stored = await storage.put("rnd_1", work, written(work, video_mp4=LARGE, poster_jpg=b"still"))
        await storage.settle(stored)
        assert storage.status().fault is None
        link = await storage.link("rnd_1", stored.video)
        query = parse_qs(urlsplit(link.url).query)
        assert urlsplit(link.url).path.startswith(f"/{BUCKET}/manim/video-")
        assert query["X-Goog-Algorithm"] == ["GOOG4-RSA-SHA256"]
        assert query["X-Goog-Credential"][0].startswith("tests@videos.example/")
        signed = datetime.strptime(query["X-Goog-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        assert link.expires_at is not None
        ends = signed + timedelta(seconds=int(query["X-Goog-Expires"][0]))
        assert link.expires_at <= ends, "never later than the link really ends"
        as_operator = {"authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request"}
        found = await fetched(link.url.partition("?")[0], as_operator)
        assert (found.content, found.headers["content-type"]) == (LARGE, "video/mp4")
        await storage.delete("rnd_1", stored)
        assert (await fetched(link.url.partition("?")[0], as_operator)).status_code == 404
    finally:
        await storage.stop()


async def test_azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with azure() as service:
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", service.address)
        settings = Settings(
            _env_file=None,
            data_dir=tmp_path / "data",
            storage_url="az://videos/manim",
            azure_storage_account_name=ACCOUNT,
            azure_storage_account_key=base64.b64encode(b"a key").decode(),
        )
        storage = from_settings(settings)
        await storage.start()
        try:
            assert (storage.kind, storage.is_shared) == ("azure", True)
            work = tmp_path / "work"
            stored = await storage.put("rnd_1", work, written(work, video_mp4=LARGE, poster_jpg=b"still"))
            await storage.settle(stored)
            assert len(service.blobs) == 2
            link = await storage.link("rnd_1", stored.video)
            assert link.url.startswith(f"{service.address}/videos/manim/video-")
            found = await fetched(link.url)
            assert (found.content, found.headers["content-type"]) == (LARGE, "video/mp4")
            assert found.headers["cache-control"].startswith("private")
            assert (await fetched(link.url.partition("?")[0])).status_code == 403
            await storage.delete("rnd_1", stored)
            await storage.delete("rnd_1", stored)
            assert service.blobs == {}
            assert storage.status() == type(storage.status())(0, None)
        finally:
            await storage.stop()


async def test_azure_with_the_wrong_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with azure() as service:
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", service.address)
        settings = Settings(
            _env_file=None,
            data_dir=tmp_path / "data",
            storage_url="az://videos",
            azure_storage_account_name="somebody",
            azure_storage_account_key=base64.b64encode(b"a key").decode(),
        )
        with pytest.raises(StorageError, match="Check AZURE_STORAGE_ACCOUNT_NAME"):
            await from_settings(settings).start()


async def test_azure_without_an_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    settings = Settings(_env_file=None, data_dir=tmp_path / "data", storage_url="az://videos")
    with pytest.raises(StorageError, match=r"no credentials for azure\. Set AZURE_STORAGE_ACCOUNT_NAME"):
        await from_settings(settings).start()
