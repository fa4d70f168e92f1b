"""S3's uploads in parts, request by request: obstore makes them too, but gives no hold of one that was broken off.

Each call blocks, and tries a request that fails for a passing reason again, like obstore's own.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from html import escape, unescape
from os import environ
from urllib.request import getproxies

import httpcore

from manimcast.settings import Settings
from manimcast.storage.connect import ADDRESSES, CONNECT_TIMEOUT, REQUEST_TIMEOUT, TRIES, TRYING
from manimcast.storage.places import REGION, endpoint, of_bucket
from manimcast.storage.signature import Signing, address
from manimcast.storage_settings import Acl, Place

FIRST_PAUSE = 0.1
"""Seconds between the first two tries at a request; they double."""
MOST_PAGES = 20
"""Answers, of a thousand parts each, that a list of parts is read from; a file has ten thousand parts at most."""

_PASSING = {200, 408, 429, 500, 502, 503, 504}
_GONE = re.compile(r"<Code>\s*(NoSuchUpload|InvalidPart|InvalidPartOrder|EntityTooSmall)\s*</Code>")


class RefusedError(OSError):
    """The service answers with an error, or makes no sense. The message has its status, as obstore's have.

    ``is_passing`` tells that the same request may be answered otherwise a little later.
    """

    def __init__(self, message: str, *, is_passing: bool = False) -> None:
        super().__init__(message)
        self.is_passing = is_passing


class GoneError(RefusedError):
    """The upload is not there any more, or not as it was thought to be; what becomes of it is not known."""


@dataclass(frozen=True)
class Part:
    """A part that the service has: its bytes, and the tag by which it is named, mostly their MD5 in hexadecimal."""

    size: int
    tag: str


class Multipart:
    """Uploads in parts to one bucket, with the key of the settings."""

    def __init__(self, settings: Settings, place: Place) -> None:
        self._settings = settings
        self._address = of_bucket(endpoint(settings), place.bucket, path_style=settings.s3_force_path_style)
        self._is_s3 = place.kind == "s3"

    @property
    def is_possible(self) -> bool:
        """Whether such requests can be made: with a key of the settings, and without what only obstore looks for."""
        has_key = self._settings.s3_secret_access_key is not None and "AWS_SESSION_TOKEN" not in environ
        knows_where = self._settings.s3_endpoint is not None or not any(name in environ for name in ADDRESSES)
        return self._is_s3 and has_key and knows_where and not {"http", "https", "all"} & getproxies().keys()

    def begin(self, key: str, attributes: Mapping[str, str]) -> str:
        """Begin an upload of the object ``key`` with these headers, and return its id."""
        headers = {name.lower(): value for name, value in attributes.items()}
        if self._settings.s3_acl is not Acl.private:
            headers["x-amz-acl"] = self._settings.s3_acl.value
        if self._settings.s3_encryption is not None:
            headers["x-amz-server-side-encryption"] = self._settings.s3_encryption
        if self._settings.s3_kms_key_id is not None:
            headers["x-amz-server-side-encryption-aws-kms-key-id"] = self._settings.s3_kms_key_id
        text, _ = self._ask("POST", key, [("uploads", "")], headers=headers)
        return _one("UploadId", text)

    def parts(self, key: str, upload: str) -> dict[int, Part]:
        """Return the parts that have arrived, by their numbers; raises :class:`GoneError` without such an upload."""
        found: dict[int, Part] = {}
        after = "0"
        for _ in range(MOST_PAGES):
            text, _ = self._ask("GET", key, [("uploadId", upload), ("part-number-marker", after)])
            for part in re.findall(r"<Part>(.*?)</Part>", text, re.DOTALL):
                found[int(_one("PartNumber", part))] = Part(int(_one("Size", part)), _one("ETag", part).strip('"'))
            if "<IsTruncated>true</IsTruncated>" not in text:
                break
            after = _one("NextPartNumberMarker", text)
        return found

    def send(self, key: str, upload: str, number: int, content: bytes) -> str:
        """Send a part, and return its tag."""
        query = [("partNumber", str(number)), ("uploadId", upload)]
        _, headers = self._ask("PUT", key, query, content=content)
        if not (tag := headers.get("etag", "").strip('"')):
            raise RefusedError("the answer to a part of a file has no ETag")
        return tag

    def complete(self, key: str, upload: str, tags: Sequence[str]) -> None:
        """Make the object of the parts with these tags, numbered from 1."""
        parts = "".join(
            f'<Part><PartNumber>{number}</PartNumber><ETag>"{escape(tag, quote=False)}"</ETag></Part>'
            for number, tag in enumerate(tags, 1)
        )
        body = f'<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{parts}</CompleteMultipartUpload>'
        text, _ = self._ask("POST", key, [("uploadId", upload)], content=body.encode())
        if "<Error>" in text:  # it may fail after the answer has begun
            raise _refusal(200, text)

    def abort(self, key: str, upload: str) -> None:
        """End an upload and remove its parts; one that is not there any more is no error."""
        with suppress(GoneError):
            self._ask("DELETE", key, [("uploadId", upload)])

    def close(self) -> None:
        """Let go of connections."""
        if "_pool" in self.__dict__:
            self._pool.close()

    def _ask(
        self,
        method: str,
        key: str,
        query: Sequence[tuple[str, str]],
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
    ) -> tuple[str, dict[str, str]]:
        """Return the body and the headers of the answer, or raise :class:`OSError` or :class:`ValueError`."""
        url = address(self._address, key, query)
        deadline = time.monotonic() + TRYING.total_seconds()
        for pause in _pauses():
            try:
                signed = [*self._signing.headers(method, url, headers or {}, content, datetime.now(UTC)).items()]
                answer = self._pool.request(method, url, headers=signed, content=content, extensions=_TIMEOUTS)
                text = answer.content.decode(errors="replace")
                if 200 <= answer.status < 300:
                    return text, {name.decode().lower(): value.decode("latin-1") for name, value in answer.headers}
                error: OSError = _refusal(answer.status, text)
            except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as broken:
                error = OSError(f"{type(broken).__name__}: {broken}")
            lasts = isinstance(error, RefusedError) and not error.is_passing
            if pause is None or lasts or time.monotonic() + pause > deadline:
                raise error
            time.sleep(pause)
        raise AssertionError  # the last pause is None

    @cached_property
    def _signing(self) -> Signing:
        settings = self._settings
        if settings.s3_access_key_id is None or settings.s3_secret_access_key is None:
            raise ValueError("there is no key to sign with")
        secret = settings.s3_secret_access_key.get_secret_value()
        return Signing(settings.s3_access_key_id, secret, settings.s3_region or REGION)

    @cached_property
    def _pool(self) -> httpcore.ConnectionPool:
        context: ssl.SSLContext | None = None
        if self._address.startswith("https:"):
            context = httpcore.default_ssl_context()
            if self._settings.s3_ca_file is not None:
                context.load_verify_locations(self._settings.s3_ca_file)
        return httpcore.ConnectionPool(ssl_context=context)


_TIMEOUTS = {
    "timeout": {
        "connect": CONNECT_TIMEOUT.total_seconds(),
        "read": REQUEST_TIMEOUT.total_seconds(),
        "write": REQUEST_TIMEOUT.total_seconds(),
        "pool": REQUEST_TIMEOUT.total_seconds(),
    }
}


def _pauses() -> Iterator[float | None]:
    yield from (FIRST_PAUSE * 2**number for number in range(TRIES))
    yield None


def _refusal(status: int, text: str) -> RefusedError:
    kind = GoneError if _GONE.search(text) else RefusedError
    message = f"the server answers with status code: {status}, {text[:4000]}"
    return kind(message, is_passing=status in _PASSING)


def _one(name: str, text: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    if found is None:
        raise RefusedError(f"the answer has no {name}: {text[:400]}")
    return unescape(found[1])
