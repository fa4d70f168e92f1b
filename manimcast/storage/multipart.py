"""S3's uploads in parts, call by call: obstore makes them too, but gives no hold of one that was broken off.

botocore makes the requests, and tries one that fails for a passing reason again. Each call blocks.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from manimcast.settings import Settings
from manimcast.storage import amazon
from manimcast.storage.sources import is_same_way, source
from manimcast.storage_settings import Acl, Place

MOST_PAGES = 20
"""Answers, of a thousand parts each, that a list of parts is read from; a file has ten thousand parts at most."""

_PASSING = {200, 408, 429, 500, 502, 503, 504}
_GONE = {"NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall"}


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
    """Uploads in parts to one bucket, with the credentials that obstore has. All calls raise :class:`OSError`."""

    def __init__(self, settings: Settings, place: Place) -> None:
        self._settings = settings
        self._place = place
        self._connecting = threading.Lock()
        self._client: amazon.Client | None = None

    @property
    def is_possible(self) -> bool:
        """Whether botocore would ask the same service, by the same way and with the same credentials as obstore."""
        taken = source(self._settings) if self._place.kind == "s3" else None
        return taken is not None and is_same_way(self._settings, taken)

    def begin(self, key: str, attributes: Mapping[str, str]) -> str:
        """Begin an upload of the object ``key`` with these headers, and return its id."""
        fields = {name.replace("-", ""): value for name, value in attributes.items()}
        if self._settings.s3_acl is not Acl.private:
            fields["ACL"] = self._settings.s3_acl.value
        if self._settings.s3_encryption is not None:
            fields["ServerSideEncryption"] = self._settings.s3_encryption
        if self._settings.s3_kms_key_id is not None:
            fields["SSEKMSKeyId"] = self._settings.s3_kms_key_id
        with self._asking() as client:
            answer = client.create_multipart_upload(**self._object(key), **fields)
            return str(answer["UploadId"])

    def parts(self, key: str, upload: str) -> dict[int, Part]:
        """Return the parts that have arrived, by their numbers; raises :class:`GoneError` without such an upload."""
        with self._asking() as client:
            pages = client.get_paginator("list_parts").paginate(**self._object(key), UploadId=upload)
            found = (part for page in islice(pages, MOST_PAGES) for part in page.get("Parts", ()))
            return {part["PartNumber"]: Part(part["Size"], _plain(part["ETag"])) for part in found}

    def send(self, key: str, upload: str, number: int, content: bytes) -> str:
        """Send a part, and return its tag."""
        with self._asking() as client:
            part = {"UploadId": upload, "PartNumber": number, "Body": content}
            return _plain(client.upload_part(**self._object(key), **part)["ETag"])

    def complete(self, key: str, upload: str, tags: Sequence[str]) -> None:
        """Make the object of the parts with these tags, numbered from 1."""
        parts = [{"PartNumber": number, "ETag": f'"{tag}"'} for number, tag in enumerate(tags, 1)]
        with self._asking() as client:
            client.complete_multipart_upload(**self._object(key), UploadId=upload, MultipartUpload={"Parts": parts})

    def abort(self, key: str, upload: str) -> None:
        """End an upload and remove its parts; one that is not there any more is no error."""
        with suppress(GoneError), self._asking() as client:
            client.abort_multipart_upload(**self._object(key), UploadId=upload)

    def close(self) -> None:
        """Let go of connections."""
        with self._connecting:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _object(self, key: str) -> dict[str, str]:
        return {"Bucket": self._place.bucket, "Key": key}

    def _connected(self) -> amazon.Client:
        with self._connecting:
            if self._client is None:
                if (taken := source(self._settings)) is None:
                    raise RefusedError("the credentials cannot be told")
                self._client = amazon.connect(self._settings, taken)
            return self._client

    @contextmanager
    def _asking(self) -> Iterator[amazon.Client]:
        """Turn what botocore raises into :class:`OSError`, and what only it may not be able to do, into a refusal."""
        from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004, PLC0415
        from botocore.parsers import ResponseParserError  # noqa: PLC0415

        try:
            yield self._connected()
        except ClientError as error:
            raise _refusal(error.response) from error
        except (ConnectionError, HTTPClientError) as error:
            text = f"{type(error).__name__}: {error}: {error.kwargs.get('error')}"
            if "certificate verify failed" in text:  # obstore may trust it
                raise RefusedError(text) from error
            raise OSError(text) from error
        except (BotoCoreError, ResponseParserError) as error:
            raise RefusedError(f"{type(error).__name__}: {error}") from error
        except (KeyError, ValueError) as error:
            raise RefusedError(f"the answer lacks something or cannot be read: {error!r}") from error


def _refusal(answer: Mapping[str, Any]) -> RefusedError:
    """Return what an answer says, written as S3 does and obstore passes it on."""
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = "".join(f"<{name}>{value}</{name}>" for name, value in answer.get("Error", {}).items())
    kind = GoneError if answer.get("Error", {}).get("Code") in _GONE else RefusedError
    return kind(f"the server answers with status code: {status}, {said[:4000]}", is_passing=status in _PASSING)


def _plain(tag: str) -> str:
    return tag.strip('"')
