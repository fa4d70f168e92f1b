"""The settings that say where videos are stored: in a folder of this machine, or in which bucket."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

Kind = Literal["s3", "gcs", "azure"]

_SCHEMES: dict[str, Kind] = {"s3": "s3", "gs": "gcs", "az": "azure"}
_URL = re.compile(r"(s3|gs|az)://([A-Za-z0-9][A-Za-z0-9._-]{1,250})(/.*)?")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,250}")
_PLAIN = re.compile(r"[A-Za-z0-9!_.*'()/={}-]*")
_FIELDS = frozenset({"name", "uuid", "ext", "render", "year", "month", "day"})


class Acl(StrEnum):
    """Who may read the objects without a signed link."""

    private = "private"
    public_read = "public-read"


@dataclass(frozen=True)
class Place:
    """A bucket, and what the names of all objects in it begin with."""

    kind: Kind
    bucket: str
    prefix: str


class StorageSettings(BaseSettings):
    """Where videos are stored."""

    use_local_storage: bool | None = Field(
        None, description="Store videos in DATA_DIR. Default: unless a bucket is configured."
    )
    storage_url: str | None = Field(
        None,
        description="Bucket as `s3://bucket/prefix`, `gs://bucket/prefix` (Google) or `az://container/prefix` (Azure).",
    )
    s3_endpoint: str | None = Field(None, description="Address of the S3-compatible service. Default: Amazon's.")
    s3_region: str | None = Field(None, description="Its region. Default: AWS_REGION, or us-east-1.")
    s3_access_key_id: str | None = Field(
        None, description="Access key. Default: what AWS's own variables, web identity or machine role give."
    )
    s3_secret_access_key: SecretStr | None = Field(None, description="The secret of that key.")
    s3_bucket: str | None = Field(None, description="Bucket for the videos.")
    s3_force_path_style: bool = Field(
        True, description="Address the bucket as `endpoint/bucket`; `false`: as `bucket.endpoint`."
    )
    s3_acl: Acl = Field(
        Acl.private, description="`public-read` lets anyone read the objects, and gives links that do not expire."
    )
    s3_public_url_base: str | None = Field(
        None, description="Address that anyone can read the bucket under; gives links that do not expire."
    )
    cdn_url_base: str | None = Field(
        None, description="Address of a CDN in front of the bucket; links lead there and do not expire."
    )
    s3_link_endpoint: str | None = Field(
        None, description="S3_ENDPOINT as clients reach it, for signed links. Default: the same."
    )
    s3_ca_file: Path | None = Field(
        None, description="Certificates (PEM) to trust besides the system's, when reaching the bucket."
    )
    s3_encryption: Literal["AES256", "aws:kms", "aws:kms:dsse"] | None = Field(
        None, description="Encryption at rest to ask for: `AES256`, `aws:kms` or `aws:kms:dsse`."
    )
    s3_kms_key_id: str | None = Field(None, description="Key for that. Default: the bucket's.")
    google_service_account: Path | None = Field(
        None, description="Key file of a Google service account. Default: the environment's or machine's."
    )
    azure_storage_account_name: str | None = Field(None, description="Azure storage account of the container.")
    azure_storage_account_key: SecretStr | None = Field(
        None, description="Its key. Default: the environment's or machine's identity."
    )
    storage_prefix: str = Field("", description="What the names of all objects begin with, such as `manim/`.")
    storage_template: str = Field(
        "{name}-{uuid}.{ext}",
        description="Names of objects; `{render}`, `{year}`, `{month}` and `{day}` may be used too.",
    )
    storage_upload_wait: float = Field(
        60, ge=0, description="Seconds that a render waits for its upload; then its link leads here until that is done."
    )

    @field_validator("s3_endpoint", "s3_link_endpoint", "s3_public_url_base", "cdn_url_base")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"https?://[^/\s?#]+", value):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/") if value else None

    @field_validator("storage_url")
    @classmethod
    def _is_a_bucket(cls, value: str | None) -> str | None:
        if value is not None and not _URL.fullmatch(value):
            raise ValueError("must look like s3://bucket/prefix, gs://bucket/prefix or az://container/prefix")
        return value

    @field_validator("s3_bucket")
    @classmethod
    def _is_a_name(cls, value: str | None) -> str | None:
        if value is not None and not _BUCKET.fullmatch(value):
            raise ValueError("must be the name of a bucket alone; its address belongs into S3_ENDPOINT")
        return value

    @field_validator("storage_prefix")
    @classmethod
    def _is_plain(cls, value: str) -> str:
        return _checked(value, fields=False)

    @field_validator("storage_template")
    @classmethod
    def _names_each_file(cls, value: str) -> str:
        _checked(value, fields=True)
        try:
            used = {field for _, field, spec, conversion in string.Formatter().parse(value) if field is not None}
            plain = all(not spec and not conversion for _, _, spec, conversion in string.Formatter().parse(value))
        except ValueError as error:
            raise ValueError(f"cannot be read: {error}") from None
        if not plain or not used <= _FIELDS or not {"name", "uuid", "ext"} <= used:
            raise ValueError("must have {name}, {uuid} and {ext}, and besides only {render}, {year}, {month}, {day}")
        return value

    @field_validator("s3_ca_file", "google_service_account")
    @classmethod
    def _can_be_read(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.s3_bucket is not None and self.storage_url is not None:
            raise ValueError("S3_BUCKET and STORAGE_URL both name a bucket; set only one of them")
        if self.use_local_storage is False and self.s3_bucket is None and self.storage_url is None:
            raise ValueError("USE_LOCAL_STORAGE=false needs a bucket: set S3_BUCKET (or STORAGE_URL)")
        if (self.s3_access_key_id is None) != (self.s3_secret_access_key is None):
            raise ValueError("S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY belong together; only one of them is set")
        if self.s3_kms_key_id is not None and not (self.s3_encryption or "").startswith("aws:kms"):
            raise ValueError("S3_KMS_KEY_ID needs S3_ENCRYPTION=aws:kms")
        if self.place is not None and self.place.kind != "s3" and self.s3_acl is Acl.public_read:
            raise ValueError("S3_ACL is only known to S3; for permanent links elsewhere set CDN_URL_BASE")
        return self

    @property
    def place(self) -> Place | None:
        """The bucket to store videos in; None when they are stored in ``DATA_DIR``."""
        if self.use_local_storage:
            return None
        if self.storage_url is not None and (match := _URL.fullmatch(self.storage_url)) is not None:
            scheme, bucket, path = match.groups(default="")
            prefix = path.strip("/") + "/" if path.strip("/") else ""
            return Place(_SCHEMES[scheme], bucket, _checked(prefix + self.storage_prefix, fields=False))
        return Place("s3", self.s3_bucket, self.storage_prefix) if self.s3_bucket is not None else None


def _checked(key: str, *, fields: bool) -> str:
    """Return ``key`` if it can be part of an object's name and looks the same in a link."""
    if not _PLAIN.fullmatch(key) or (not fields and re.search(r"[{}]", key)):
        raise ValueError("may only have letters, digits and !-_.*'()/=")
    if key.startswith("/") or "//" in key or re.search(r"(^|/)\.{1,2}(/|$)", key):
        raise ValueError("must not begin with a slash, nor have empty parts, . or ..")
    return key
