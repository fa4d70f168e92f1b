"""Where obstore takes the credentials of S3 from, and how it goes there: known, so that botocore does exactly the same.

obstore looks into the environment by itself. What botocore would do otherwise there, it is not asked to do at all.
"""

from __future__ import annotations

import re
from enum import StrEnum
from os import environ
from urllib.request import getproxies

from manimcast.settings import Settings
from manimcast.storage.connect import ADDRESSES

TOKEN = "AWS_SESSION_TOKEN"  # noqa: S105 - the variable's name
"""What obstore sends besides a key, whether that is the environment's or one of the settings."""

_KEYS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
_WEB_IDENTITY = {"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"}
_TASK = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"}
_POD = {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"}

_ONE_SIDED = {
    "AWS_ALLOW_INVALID_CERTIFICATES",
    "AWS_IMDSV1_FALLBACK",
    "AWS_METADATA_ENDPOINT",
    "AWS_PROXY_CA_CERTIFICATE",
    "AWS_PROXY_EXCLUDES",
    "AWS_PROXY_URL",
    "AWS_REQUEST_PAYER",
    "AWS_S3_EXPRESS",
    "AWS_SERVER_SIDE_ENCRYPTION",
    "AWS_SKIP_SIGNATURE",
    "AWS_SSE_BUCKET_KEY_ENABLED",
    "AWS_SSE_CUSTOMER_KEY_BASE64",
    "AWS_SSE_KMS_KEY_ID",
    "AWS_TOKEN",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
}
"""Variables that only one of the two heeds; the last three are botocore's."""


class Source(StrEnum):
    """Where credentials come from, as botocore calls it."""

    key = "explicit"
    web_identity = "assume-role-with-web-identity"
    container = "container-role"
    machine = "iam-role"


def source(settings: Settings) -> Source | None:
    """Return where obstore takes the credentials from; None when it cannot be told, or half of them is missing."""
    given = environ.keys()
    if given & _ONE_SIDED:
        return None
    if settings.s3_secret_access_key is not None:
        return Source.key
    if given & _KEYS:
        return Source.key if given >= _KEYS else None
    if given >= _WEB_IDENTITY:
        return Source.web_identity
    if given >= _TASK or given >= _POD:
        return Source.container
    return Source.machine


def is_same_way(settings: Settings, taken: Source) -> bool:
    """Tell whether botocore would send requests to the same place by the same way as obstore does.

    Proxies of the environment are the same for both as far as they are plain ones, and exceptions are names of hosts.
    A role is asked for without any.
    """
    if settings.s3_endpoint is None and any(name in environ for name in ADDRESSES):
        return False
    proxies = getproxies()
    without = proxies.pop("no", "")
    if not {"http", "https", "all"} & proxies.keys():
        return True
    return (
        taken in {Source.key, Source.web_identity}
        and "all" not in proxies
        and all(re.match(r"http://|(?!.*://)", address) for address in proxies.values())
        and re.fullmatch(r"[\w.,\s-]*", without) is not None
        and all(environ.get(name, one) == one for name, one in _in_capitals(proxies | {"no": without}))
    )


def _in_capitals(proxies: dict[str, str]) -> list[tuple[str, str]]:
    """Return them by the other of the two ways in which their variables are written."""
    return [(f"{name}_PROXY".upper(), value) for name, value in proxies.items()]
