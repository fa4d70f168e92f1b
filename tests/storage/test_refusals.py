"""Refusals of large files, which botocore sends, are told as those of small ones are, which obstore sends."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from manimcast.storage.bucket import Bucket
from manimcast.storage.model import BucketError
from manimcast.storage.multipart import RefusedError
from tests.buckets import BUCKET, BucketServer, Proxy
from tests.buckets.roles import roles
from tests.buckets.tls import with_tls
from tests.storage.test_multipart import HEADERS, configured, opened

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("plain")]


async def faults(bucket: Bucket, tmp_path: Path) -> list[tuple[str, bool]]:
    """Return what a small file, which obstore sends, and a large one, which botocore sends, fail with."""
    file = tmp_path / "file"
    file.write_bytes(b"content")
    calls: list[Callable[[], Any]] = [
        lambda: bucket.upload("video.mp4", file, HEADERS),
        lambda: bucket.run("write", partial(bucket.multipart.begin, "video.mp4", {})),
    ]
    found = []
    for call in calls:
        with pytest.raises(BucketError) as failed:
            await call()
        found.append((str(failed.value), failed.value.is_lasting))
    await bucket.close()
    return found


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (403, "InvalidAccessKeyId", "does not know the access key"),
        (403, "SignatureDoesNotMatch", "S3_SECRET_ACCESS_KEY"),
        (403, "RequestTimeTooSkewed", "clock"),
        (400, "ExpiredToken", "session token"),
        (404, "NoSuchBucket", f"there is no bucket {BUCKET}"),
        (403, "AccessDenied", "may not write"),
        (400, "AuthorizationHeaderMalformed", "is in another region"),
        (403, "QuotaExceeded", "is full"),
        (507, "XMinioStorageFull", "is full"),
        (400, "SomethingNew", None),
        (503, "ServiceUnavailable", None),
    ],
)
async def test_refusals_are_told_as_obstores_are(
    status: int, code: str, told: str | None, bucket: BucketServer, way: Proxy, tmp_path: Path
) -> None:
    way.refuse = lambda _: (status, code)
    settings = configured(way.address)
    assert settings.place is not None
    obstores, botocores = await faults(Bucket(settings, settings.place), tmp_path)
    if told is not None:
        assert told in obstores[0]
        assert botocores == obstores
    else:  # what is not known is quoted, each time in the library's own words
        start = f"{way.address} answers with HTTP status {status}, {code}."
        assert obstores[0].startswith(start)
        assert botocores[0].startswith(start)
        assert botocores[1] == obstores[1]


async def test_that_nobody_listens_is_told_as_obstore_tells_it(tmp_path: Path) -> None:
    with roles() as gone:
        pass
    settings = configured(gone.address)
    assert settings.place is not None
    obstores, botocores = await faults(Bucket(settings, settings.place), tmp_path)
    assert "nobody listens" in obstores[0]
    assert botocores == obstores


async def test_a_certificate_that_is_not_trusted_is_left_to_obstore(tmp_path: Path) -> None:
    """It knows those of the system and those of ``S3_CA_FILE``, botocore either."""
    with with_tls(tmp_path) as (address, certificate):
        with opened(configured(address)) as multipart, pytest.raises(RefusedError) as refused:
            multipart.begin("video.mp4", {})
        assert not refused.value.is_passing
        settings = configured(address)
        assert settings.place is not None
        obstores, botocores = await faults(Bucket(settings, settings.place), tmp_path)
        assert "has a certificate that is not trusted" in obstores[0]
        assert botocores == obstores
        with (
            opened(configured(address, s3_ca_file=certificate)) as multipart,
            pytest.raises(RefusedError, match="status code: 501"),
        ):
            multipart.begin("video.mp4", {})


async def test_an_endpoint_without_tls_is_told_as_obstore_tells_it(bucket: BucketServer, tmp_path: Path) -> None:
    settings = configured(bucket.address.replace("http:", "https:"))
    assert settings.place is not None
    obstores, botocores = await faults(Bucket(settings, settings.place), tmp_path)
    assert "does not speak TLS" in obstores[0]
    assert botocores == obstores
