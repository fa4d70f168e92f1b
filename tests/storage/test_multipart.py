"""What botocore sends, with whose credentials and which way, compared with obstore."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from manimcast.settings import Settings
from manimcast.storage import amazon
from manimcast.storage.bucket import Bucket, Headers
from manimcast.storage.multipart import Multipart, RefusedError
from tests.buckets import BUCKET, KEY, BucketServer, Proxy, moto, proxy
from tests.buckets.roles import Roles, roles
from tests.patience import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("plain")]

HEADERS = Headers("video/mp4", "rnd_1-video.mp4", is_public=False)
NO_KEY = {"s3_access_key_id": None, "s3_secret_access_key": None}


def configured(address: str, **changes: Any) -> Settings:
    return Settings(_env_file=None, **(BucketServer([], Path()).settings(s3_endpoint=address) | changes))


@contextmanager
def opened(settings: Settings) -> Iterator[Multipart]:
    assert settings.place is not None
    multipart = Multipart(settings, settings.place)
    try:
        yield multipart
    finally:
        multipart.close()


@pytest.fixture
def double() -> Iterator[Roles]:
    with roles() as running:
        yield running


@pytest.mark.parametrize(
    ("variables", "changes", "is_possible"),
    [
        ({}, {}, True),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, {}, True),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, {"s3_endpoint": None}, False),
        ({"AWS_ENDPOINT": "http://127.0.0.1:1"}, {"s3_endpoint": None}, False),
        ({"AWS_SESSION_TOKEN": "token"}, {}, True),
        ({"AWS_TOKEN": "token"}, {}, False),
        ({"AWS_SKIP_SIGNATURE": "true"}, {}, False),
        ({"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}, NO_KEY, True),
        ({"AWS_ACCESS_KEY_ID": "key"}, NO_KEY, False),
        ({"AWS_ACCESS_KEY_ID": "key"}, {}, True),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "role"}, NO_KEY, True),
        ({}, NO_KEY, True),
        ({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"}, NO_KEY, False),
        ({"HTTPS_PROXY": "http://127.0.0.1:1"}, {}, True),
        ({"HTTPS_PROXY": "http://127.0.0.1:1"}, NO_KEY, False),
        ({"HTTPS_PROXY": "proxy:1", "NO_PROXY": ".example.org, 10.0.0.1"}, {}, True),
        ({"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "10.0.0.0/8"}, {}, False),
        ({"HTTPS_PROXY": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:2"}, {}, False),
        ({"HTTPS_PROXY": "socks5://127.0.0.1:1"}, {}, False),
        ({"ALL_PROXY": "http://127.0.0.1:1"}, {}, False),
        ({"NO_PROXY": "10.0.0.0/8"}, {}, True),
        ({}, {"s3_bucket": None, "storage_url": "gs://videos"}, False),
    ],
)
def test_what_only_obstore_knows_is_left_to_it(
    variables: dict[str, str], changes: dict[str, str | None], is_possible: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with opened(configured("http://127.0.0.1:1", **changes)) as multipart:
        assert multipart.is_possible == is_possible


@pytest.mark.parametrize(
    ("variables", "changes", "by"),
    [
        ({}, {}, (KEY, "us-east-1", None)),
        ({"AWS_SESSION_TOKEN": "token"}, {}, (KEY, "us-east-1", "token")),
        (
            {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"},
            NO_KEY | {"s3_region": None},
            ("key", "eu-west-1", None),
        ),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, {"s3_region": None}, (KEY, "eu-west-1", None)),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "{address}/role",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{file}",
            },
            NO_KEY,
            ("key-of-the-task", "us-east-1", "token-of-the-task"),
        ),
    ],
)
async def test_it_signs_as_obstore_does(
    variables: dict[str, str],
    changes: dict[str, str | None],
    by: tuple[str, str, str | None],
    double: Roles,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(address=double.address, file=file))
    # What AWS's own tools are told in their files, and obstore does not know.
    misleading = tmp_path / "config"
    misleading.write_text("[profile tools]\naws_access_key_id=theirs\naws_secret_access_key=theirs\n")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(misleading))
    monkeypatch.setenv("AWS_PROFILE", "tools")
    settings = configured(double.address, **changes)
    assert settings.place is not None
    bucket = Bucket(settings, settings.place)
    assert bucket.multipart.is_possible
    await bucket.upload("video.mp4", file, HEADERS)
    assert await bucket.run("write", partial(bucket.multipart.begin, "video.mp4", HEADERS.attributes())) == "one"
    await bucket.close()
    assert [(one.path, one.by) for one in double.signed] == [(f"/{BUCKET}/video.mp4", by)] * 2


async def test_a_web_identity_is_exchanged_for_a_role(
    double: Roles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """obstore does so with TLS only, so it is not asked here."""
    (tmp_path / "token").write_text("who I am")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/videos")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", double.address)
    with opened(configured(double.address, **NO_KEY)) as multipart:
        assert multipart.is_possible
        multipart.begin("video.mp4", {})
    assert [one.by for one in double.signed] == [("key-of-the-pod", "us-east-1", "token-of-the-pod")]


def test_credentials_that_are_not_given_are_a_refusal(double: Roles, monkeypatch: pytest.MonkeyPatch) -> None:
    """obstore is asked then, whose error says what is missing."""
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.org/role")  # nothing is sent so far away
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/dev/null")
    with opened(configured(double.address, **NO_KEY)) as multipart, pytest.raises(RefusedError) as refused:
        multipart.begin("video.mp4", {})
    assert not refused.value.is_passing


def test_a_part_is_sent_as_every_service_takes_it(double: Roles) -> None:
    """Neither with checksums that only Amazon's knows, nor asking first; signed with its content."""
    content = b"content" * 1000
    with opened(configured(double.address)) as multipart:
        assert multipart.send("a/b (1)!*'.mp4", "x/y+z=", 10, content) == "1"
    (sent,) = double.signed
    assert sent.method == "PUT"
    assert sent.path == f"/{BUCKET}/a/b%20%281%29%21%2A%27.mp4"
    assert sent.headers["x-amz-content-sha256"] == hashlib.sha256(content).hexdigest()
    assert sent.headers["content-length"] == str(len(content))
    assert not {"expect", "transfer-encoding", "x-amz-trailer", "content-encoding"} & sent.headers.keys()
    assert not [name for name in sent.headers if "checksum" in name]


def test_an_object_is_what_the_settings_ask_for(tmp_path: Path) -> None:
    with moto(tmp_path) as server:
        settings = configured(server.address, s3_acl="public-read", s3_encryption="aws:kms", s3_kms_key_id="mine")
        with opened(settings) as multipart:
            upload = multipart.begin("video.mp4", HEADERS.attributes())
            multipart.complete("video.mp4", upload, [multipart.send("video.mp4", upload, 1, b"content")])
            client: Any = multipart._connected()
            found = client.get_object(Bucket=BUCKET, Key="video.mp4")
            grants = client.get_object_acl(Bucket=BUCKET, Key="video.mp4")["Grants"]
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", "mine")
    assert found["ContentType"] == "video/mp4"
    assert found["ContentDisposition"] == 'inline; filename="rnd_1-video.mp4"'
    assert found["CacheControl"] == "private, max-age=86400, immutable"
    assert any("AllUsers" in grant["Grantee"].get("URI", "") and grant["Permission"] == "READ" for grant in grants)


def test_the_bucket_is_a_part_of_the_host_and_the_proxy_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with moto(tmp_path) as server, proxy(server.address) as way:
        monkeypatch.setenv("HTTP_PROXY", way.address)
        settings = configured(f"http://localhost:{server.port}", s3_force_path_style=False)
        with opened(settings) as multipart:
            assert multipart.is_possible
            upload = multipart.begin("video.mp4", {})
            multipart.complete("video.mp4", upload, [multipart.send("video.mp4", upload, 1, b"content")])
    assert {asked.host for asked in way.passed} == {f"{BUCKET}.localhost:{server.port}"}
    assert {asked.path for asked in way.passed} == {"/video.mp4"}


SMALL = """
import asyncio, sys
from pathlib import Path
from manimcast.settings import Settings
from manimcast.storage.bucket import Bucket, Headers

async def main():
    settings = Settings(_env_file=None)
    bucket = Bucket(settings, settings.place)
    await bucket.check()
    await bucket.upload("small.txt", Path(sys.argv[1]), Headers("text/plain", "small.txt", False))
    print(bucket.multipart.is_possible, "botocore" in sys.modules)
    await bucket.close()

asyncio.run(main())
"""


def test_who_has_no_large_files_does_not_pay_for_botocore(bucket: BucketServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    settings = {name.upper(): str(value) for name, value in bucket.settings().items()}
    command = [sys.executable, "-c", SMALL, str(tmp_path / "file")]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["True", "False"]


async def test_a_request_that_is_not_answered_is_not_made_again(
    bucket: BucketServer, way: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has taken longer than requests are tried again for."""
    monkeypatch.setattr(amazon, "REQUEST_TIMEOUT", timedelta(seconds=0.5))
    way.hold = lambda _: True
    with opened(configured(way.address)) as multipart, pytest.raises(OSError, match="Timeout"):
        multipart.begin("video.mp4", {})
    await eventually(lambda: way.held, "the request")
    assert len(way.asked) == 1
