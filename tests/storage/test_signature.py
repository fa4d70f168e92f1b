"""Signatures, compared with those of AWS's own library."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from manimcast.storage.signature import Signing, address

KEY_ID, SECRET, REGION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "eu-central-1"


@pytest.mark.parametrize(
    ("method", "bucket", "key", "query", "headers", "body"),
    [
        ("POST", "https://s3.example.org/videos", "video-1.mp4", [("uploads", "")], {}, b""),
        ("GET", "https://videos.s3.example.org", "a/b (1)!*'.mp4", [("uploadId", "x/y+z=="), ("part", "1")], {}, b""),
        ("PUT", "http://127.0.0.1:9000/videos", "video.mp4", [("uploadId", "~1"), ("partNumber", "10")], {}, b"bytes"),
        (
            "POST",
            "https://s3.example.org/v",
            "é.mp4",
            [("uploads", "")],
            {"content-type": "video/mp4", "x-amz-acl": "p"},
            b"",
        ),
    ],
)
def test_it_is_what_aws_signs(
    method: str,
    bucket: str,
    key: str,
    query: list[tuple[str, str]],
    headers: dict[str, str],
    body: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = datetime(2026, 11, 26, 4, 5, 6, tzinfo=UTC)
    url = address(bucket, key, query)
    ours = Signing(KEY_ID, SECRET, REGION).headers(method, url, headers, body, now)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: now.replace(tzinfo=None))
    theirs = AWSRequest(method, url, headers=dict(headers), data=io.BytesIO(body))
    theirs.context["payload_signing_enabled"] = True
    S3SigV4Auth(Credentials(KEY_ID, SECRET), "s3", REGION).add_auth(theirs)
    assert ours["authorization"] == theirs.headers["Authorization"]


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(Signing(KEY_ID, SECRET, REGION))
