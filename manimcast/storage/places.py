"""Where things are in a bucket: the names of objects, and the addresses that anyone can read them under."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from os import environ
from urllib.parse import quote, urlsplit
from uuid import UUID

from manimcast.settings import Settings
from manimcast.storage.model import StoredFile
from manimcast.storage_settings import Acl, Place

AMAZON = "https://s3.{region}.amazonaws.com"
REGION = "us-east-1"


def name_objects(
    files: Iterable[StoredFile], render_id: str, uuid: UUID, place: Place, template: str
) -> tuple[StoredFile, ...]:
    """Return the files with the keys of the objects that they are to become, all different from any others."""
    now = datetime.now(UTC)
    named = []
    for file in files:
        name, _, ext = file.name.rpartition(".")
        key = template.format(
            name=name, ext=ext, uuid=uuid, render=render_id, year=f"{now:%Y}", month=f"{now:%m}", day=f"{now:%d}"
        )
        named.append(file.model_copy(update={"key": place.prefix + key, "on_its_way": True}))
    return tuple(named)


def endpoint(settings: Settings) -> str:
    """Return the address of the S3 service, without the bucket."""
    return settings.s3_endpoint or AMAZON.format(region=region(settings))


def region(settings: Settings) -> str:
    """Return the region of the S3 service; what the settings leave out, AWS's own variables say."""
    return settings.s3_region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or REGION


def of_bucket(address: str, bucket: str, *, path_style: bool) -> str:
    """Return the address of a bucket of the service at ``address``: as its path, or as part of its name."""
    if path_style:
        return f"{address}/{bucket}"
    parts = urlsplit(address)
    return parts._replace(netloc=f"{bucket}.{parts.netloc}").geturl()


def public_base(settings: Settings, place: Place) -> str | None:
    """Return the address below which anyone can read the objects; None when they are private."""
    if base := settings.cdn_url_base or settings.s3_public_url_base:
        return base
    if place.kind == "s3" and settings.s3_acl is Acl.public_read:
        address = settings.s3_link_endpoint or endpoint(settings)
        return of_bucket(address, place.bucket, path_style=settings.s3_force_path_style)
    return None


def public_url(base: str, key: str) -> str:
    """Return the permanent link to an object."""
    return f"{base}/{quote(key, safe='/')}"
