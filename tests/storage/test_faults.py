"""What a bucket's refusals are told as. Most are tried against real servers in tests/e2e; these cannot be had there."""

from __future__ import annotations

import pytest

from manimcast.settings import Settings
from manimcast.storage.faults import explain

REFUSED = "Error performing PUT {url} in 1ms - Server returned non-2xx status code: {status}: {body}"
CAUSED = """Generic S3 error: Error performing PUT https://s3.example/videos/x - HTTP error: error sending request

Debug source:
Generic {{ store: "S3", source: RetryError( RetryErrorImpl {{ inner: Http( HttpError {{ kind: {kind} }} ) }} ) }}"""


def told(text: str, **settings: object) -> tuple[str, bool]:
    fields = {"s3_endpoint": "https://s3.example", "s3_bucket": "videos", **settings}
    chosen = Settings(_env_file=None, **fields)
    assert chosen.place is not None
    fault = explain(OSError(text), "write", chosen, chosen.place)
    return str(fault), fault.is_lasting


def answer(status: str, code: str | None = None, more: str = "") -> str:
    body = f"<Error><Code>{code}</Code>{more}</Error>" if code else "sorry"
    return REFUSED.format(url="https://s3.example/videos/x", status=status, body=body)


@pytest.mark.parametrize(
    ("text", "expected", "is_lasting"),
    [
        (answer("400 Bad Request", "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"), ": eu-west-1", True),
        (answer("403 Forbidden", "AccessDenied"), "may not write in the bucket videos (AccessDenied)", True),
        (answer("403 Forbidden"), "may not write in the bucket videos", True),
        (answer("404 Not Found"), "no bucket videos at https://s3.example", True),
        (answer("400 Bad Request", "ExpiredToken"), "session token", True),
        (answer("403 Forbidden", "QuotaExceeded"), "is full", False),
        (answer("507 Insufficient Storage"), "is full", False),
        (answer("400 Bad Request", "KMS.NotFoundException"), "S3_KMS_KEY_ID", True),
        (answer("400 Bad Request", "SomethingNew"), "HTTP status 400, SomethingNew", True),
        (answer("429 Too Many Requests"), "HTTP status 429", False),
        (answer("500 Internal Server Error", "InternalError"), "HTTP status 500, InternalError", False),
        (CAUSED.format(kind='Connect, "dns error", "failed to lookup address information"'), "is not known", False),
        (CAUSED.format(kind='Connect, Os { code: 111, message: "Connection refused" }'), "nobody listens", False),
        (CAUSED.format(kind="Timeout, TimedOut"), "https://s3.example does not answer", False),
        (CAUSED.format(kind="Connect, InvalidCertificate(Expired)"), "certificate that is not trusted", True),
        (CAUSED.format(kind="Unknown"), "https://s3.example cannot be reached. It says: Generic S3 error", False),
    ],
)
def test_each_refusal_is_told_with_what_helps(text: str, expected: str, is_lasting: bool) -> None:
    said, lasting = told(text)
    assert expected in said
    assert lasting is is_lasting
    assert "Debug source" not in said


def test_amazons_own_address_is_named_by_region() -> None:
    assert (
        "at https://s3.eu-west-1.amazonaws.com."
        in told(answer("404 Not Found"), s3_endpoint=None, s3_region="eu-west-1")[0]
    )


@pytest.mark.parametrize(
    ("url", "code", "expected"),
    [
        ("az://videos", "AuthenticationFailed", "Azure Blob Storage does not accept the credentials"),
        ("az://videos", "ContainerNotFound", "there is no bucket videos at Azure Blob Storage"),
        ("gs://videos", "NoSuchBucket", "there is no bucket videos at Google Cloud Storage"),
    ],
)
def test_google_and_azure_are_named(url: str, code: str, expected: str) -> None:
    assert expected in told(answer("403 Forbidden", code), s3_bucket=None, s3_endpoint=None, storage_url=url)[0]


@pytest.mark.parametrize(
    ("url", "asked", "expected"),
    [
        ("s3://videos", "http://169.254.169.254/latest/api/token", "Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY"),
        ("gs://videos", "http://metadata.google.internal/computeMetadata/v1", "Set GOOGLE_SERVICE_ACCOUNT"),
        ("az://videos", "http://169.254.169.254/metadata/identity/oauth2/token", "Set AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)
def test_where_there_are_no_credentials_it_says_so(url: str, asked: str, expected: str) -> None:
    refusal = REFUSED.format(url=asked, status="403 Forbidden", body="sorry")
    said, is_lasting = told(refusal, s3_bucket=None, s3_endpoint=None, storage_url=url)
    assert expected in said
    assert is_lasting
