"""From settings to botocore's client of S3, which has the calls for uploads in parts that obstore lacks.

Its import and its model of S3 take a quarter of a second and 25 MiB, so only the first large file pays for them, in the
thread that sends it. AWS's files of settings are not read, as obstore does not read them.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable, Mapping
from os import environ
from typing import Any, Protocol

from manimcast.settings import Settings
from manimcast.storage.connect import CONNECT_TIMEOUT, REQUEST_TIMEOUT, TRIES
from manimcast.storage.places import endpoint, region
from manimcast.storage.sources import TOKEN, Source


class Pages(Protocol):
    """As much as is used of botocore's paginators."""

    def paginate(self, **fields: str) -> Iterable[Mapping[str, Any]]:
        """Ask for one page after the other."""


class Client(Protocol):
    """As much as is used of botocore's client; each call takes and returns what S3's reference calls the fields."""

    def create_multipart_upload(self, **fields: str) -> Mapping[str, Any]:
        """Begin an upload."""

    def get_paginator(self, operation_name: str) -> Pages:
        """Return the pages of a list, here ``list_parts``."""

    def upload_part(self, **fields: Any) -> Mapping[str, Any]:
        """Send a part."""

    def complete_multipart_upload(self, **fields: Any) -> Mapping[str, Any]:
        """Make an object of the parts."""

    def abort_multipart_upload(self, **fields: str) -> Mapping[str, Any]:
        """End an upload without an object."""

    def close(self) -> None:
        """Let go of connections."""


def connect(settings: Settings, source: Source) -> Client:
    """Return a client with the credentials of this source. Raises botocore's errors, and OSError."""
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415
    from botocore.handlers import add_expect_header  # noqa: PLC0415
    from botocore.session import Session  # noqa: PLC0415

    session = Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    session.set_config_variable("region", region(settings))
    if source is Source.key:
        session.set_credentials(*_key(settings))
    else:
        chain = session.get_component("credential_provider")
        for provider in list(chain.providers):
            name = provider.METHOD
            if name != source:
                chain.remove(name)
        if session.get_credentials() is None:
            raise NoCredentialsError
    client = session.create_client(
        "s3",
        endpoint_url=endpoint(settings),  # one that is given keeps botocore from looking for others
        verify=_trusted(settings),
        config=Config(
            connect_timeout=CONNECT_TIMEOUT.total_seconds(),
            read_timeout=REQUEST_TIMEOUT.total_seconds(),
            retries={"mode": "standard", "total_max_attempts": TRIES + 1},
            signature_version="s3v4",
            s3={
                "addressing_style": "path" if settings.s3_force_path_style else "virtual",
                "payload_signing_enabled": True,
            },
            # Not every S3-compatible service knows Amazon's checksums, nor `Expect`, which is left out below.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    client.meta.events.unregister("before-call.s3", add_expect_header)
    client.meta.events.register_first("needs-retry.s3", _end_what_has_taken_too_long)
    return client  # type: ignore[no-any-return]


def _key(settings: Settings) -> tuple[str, str, str | None]:
    token = environ.get(TOKEN)
    if settings.s3_access_key_id is not None and settings.s3_secret_access_key is not None:
        return settings.s3_access_key_id, settings.s3_secret_access_key.get_secret_value(), token
    return environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], token


def _trusted(settings: Settings) -> str | bool:
    """Return the file of certificates to trust: botocore takes one, so a given one stands for the system's."""
    if settings.s3_ca_file is not None:
        return str(settings.s3_ca_file)
    return ssl.get_default_verify_paths().cafile or True


def _end_what_has_taken_too_long(caught_exception: Exception | None, **_: object) -> None:
    """Keep botocore from asking again after a whole ``REQUEST_TIMEOUT``, which is more than obstore tries for."""
    from botocore.exceptions import ReadTimeoutError  # noqa: PLC0415

    if isinstance(caught_exception, ReadTimeoutError):
        raise caught_exception
