"""A service whose bucket cannot be used does not start, and says which setting is wrong and what helps."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.buckets import BUCKET, BucketServer, nanio, proxy
from tests.buckets.tls import with_tls
from tests.e2e.server import ROOT, environment
from tests.e2e.test_process import start


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketServer]:
    with nanio(tmp_path_factory.mktemp("nanio")) as running:
        yield running


def refused(tmp_path: Path, **settings: object) -> str:
    """Return what a service that does not start says."""
    done = start(tmp_path / "data", **settings)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Listening" not in done.stdout
    return done.stderr


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"s3_access_key_id": "somebody-else"}, ["InvalidAccessKeyId", "Check S3_ACCESS_KEY_ID"]),
        ({"s3_secret_access_key": "wrong"}, ["SignatureDoesNotMatch", "Check S3_SECRET_ACCESS_KEY"]),
        ({"s3_bucket": "films"}, ["there is no bucket films at http://127.0.0.1:", "Check S3_BUCKET"]),
        ({"s3_endpoint": "http://127.0.0.1:1"}, ["nobody listens at http://127.0.0.1:1", "Check S3_ENDPOINT"]),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, bucket: BucketServer, wrong: dict[str, str], told: list[str]) -> None:
    said = refused(tmp_path, **bucket.settings(**wrong))
    for words in told:
        assert words in said


def test_a_clock_that_is_wrong_is_named(tmp_path: Path) -> None:
    with nanio(tmp_path / "nanio", clock=3600) as ahead:
        said = refused(tmp_path, **ahead.settings())
    assert "this machine's clock and that of http://127.0.0.1:" in said
    assert "RequestTimeTooSkewed" in said
    assert "timedatectl" in said


@pytest.mark.parametrize(
    ("method", "status", "code", "told"),
    [
        ("PUT", 403, "AccessDenied", ["may not write", "s3:PutObject"]),
        ("GET", 403, "AccessDenied", ["may not read", "s3:GetObject"]),
        ("DELETE", 403, "AccessDenied", ["may not delete", "s3:DeleteObject"]),
        ("PUT", 400, "AuthorizationHeaderMalformed", ["another region", "Set S3_REGION"]),
        ("PUT", 301, "PermanentRedirect", ["another region", "Set S3_REGION"]),
        ("PUT", 400, "AccessControlListNotSupported", ["takes no ACLs", "Leave S3_ACL out"]),
        ("PUT", 507, "XMinioStorageFull", ["is full", "Free some space"]),
    ],
)
def test_what_the_bucket_refuses_is_named(
    tmp_path: Path, bucket: BucketServer, method: str, status: int, code: str, told: list[str]
) -> None:
    with proxy(bucket.address) as way:
        way.refuse = lambda asked: (status, code) if asked.method == method else None
        said = refused(tmp_path, **bucket.settings(s3_endpoint=way.address))
    for words in told:
        assert words in said
    if method == "GET":
        assert not [name for name in bucket.objects() if "check" in name], "what was written to try is removed"


def test_a_certificate_that_is_not_trusted_is_named(tmp_path: Path, bucket: BucketServer) -> None:
    with with_tls(tmp_path) as (address, certificate):
        said = refused(tmp_path, **bucket.settings(s3_endpoint=address))
        assert "has a certificate that is not trusted" in said
        assert "S3_CA_FILE" in said
        trusted = refused(tmp_path, **bucket.settings(s3_endpoint=address, s3_ca_file=certificate))
        assert "HTTP status 501" in trusted


def test_an_endpoint_without_tls_is_named(tmp_path: Path, bucket: BucketServer) -> None:
    said = refused(tmp_path, **bucket.settings(s3_endpoint=bucket.address.replace("http:", "https:")))
    assert "does not speak TLS" in said
    assert "write http:// in S3_ENDPOINT" in said


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"use_local_storage": "false"}, "USE_LOCAL_STORAGE=false needs a bucket: set S3_BUCKET"),
        ({"s3_bucket": "a-bucket", "s3_access_key_id": "key"}, "only one of them is set"),
        ({"s3_bucket": "a-bucket", "storage_url": "gs://another"}, "S3_BUCKET and STORAGE_URL"),
        ({"s3_bucket": "https://s3.example/a-bucket"}, "S3_BUCKET: must be the name of a bucket alone"),
        ({"s3_endpoint": "s3.example"}, "S3_ENDPOINT: must start with http:// or https://"),
        ({"storage_template": "{name}.{ext}"}, "STORAGE_TEMPLATE: must have {name}, {uuid} and {ext}"),
        ({"storage_template": "../{name}-{uuid}.{ext}"}, "STORAGE_TEMPLATE: "),
        ({"storage_template": "{uuid.int}{name}{ext}"}, "STORAGE_TEMPLATE: "),
        ({"storage_prefix": "/manim"}, "STORAGE_PREFIX: must not begin with a slash"),
        ({"storage_url": "ftp://bucket"}, "STORAGE_URL: must look like s3://bucket/prefix"),
        ({"storage_url": "gs://bucket", "s3_acl": "public-read"}, "S3_ACL is only known to S3"),
        ({"s3_bucket": "a-bucket", "s3_kms_key_id": "k"}, "S3_KMS_KEY_ID needs S3_ENCRYPTION=aws:kms"),
    ],
)
def test_settings_that_make_no_sense_are_named(tmp_path: Path, settings: dict[str, str], told: str) -> None:
    assert told in refused(tmp_path, **settings)


def test_doctor_tells_of_the_bucket(tmp_path: Path, bucket: BucketServer) -> None:
    def storage(**wrong: str) -> dict[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "manimcast.cli.main", "doctor", "--no-render", "--json"],
            cwd=tmp_path,
            env=environment(tmp_path / "data", "doctor", **bucket.settings(**wrong)) | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        found: dict[str, str] = next(item for item in json.loads(done.stdout)["checks"] if item["name"] == "Storage")
        return found

    assert storage()["state"] == "ok"
    assert f"bucket {BUCKET} can be written" in storage()["detail"]
    wrong = storage(s3_secret_access_key="wrong")
    assert wrong["state"] == "missing"
    assert "S3_SECRET_ACCESS_KEY" in wrong["detail"]
