"""From settings to a client of the bucket. obstore speaks S3, Google's and Azure's protocols; its import is only paid
for when a bucket is configured."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from manimcast.settings import Settings
from manimcast.storage.places import endpoint, of_bucket
from manimcast.storage_settings import Acl, Place

if TYPE_CHECKING:
    from obstore.store import AzureConfig, AzureStore, ClientConfig, GCSConfig, GCSStore, RetryConfig, S3Config, S3Store

    Client = S3Store | GCSStore | AzureStore

REQUEST_TIMEOUT = timedelta(seconds=60)
"""For one request, which carries a part of a file at most."""
CONNECT_TIMEOUT = timedelta(seconds=5)
TRIES = 4
TRYING = timedelta(seconds=20)
"""How often, and how long, one request is tried again before the whole upload counts as failed for now."""

ADDRESSES = ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "GOOGLE_BASE_URL", "AZURE_STORAGE_ENDPOINT")
"""Where obstore looks for an address by itself."""


def connect(settings: Settings, place: Place, *, for_links: bool = False) -> Client:
    """Return a client of the bucket; nothing is sent yet. With ``for_links``, one that signs for where clients are."""
    from obstore.store import AzureStore, GCSStore, S3Store  # noqa: PLC0415

    options = _options(settings, place)
    retries: RetryConfig = {"max_retries": TRIES, "retry_timeout": TRYING}
    match place.kind:
        case "s3":
            return S3Store(config=_s3(settings, place, for_links), client_options=options, retry_config=retries)
        case "gcs":
            google: GCSConfig = {"bucket": place.bucket}
            if settings.google_service_account is not None:
                google["service_account"] = str(settings.google_service_account)
            return GCSStore(config=google, client_options=options, retry_config=retries)
        case "azure":
            azure: AzureConfig = {"container_name": place.bucket}
            if settings.azure_storage_account_name is not None:
                azure["account_name"] = settings.azure_storage_account_name
            if settings.azure_storage_account_key is not None:
                azure["account_key"] = settings.azure_storage_account_key.get_secret_value()
            return AzureStore(config=azure, client_options=options, retry_config=retries)


def _options(settings: Settings, place: Place) -> ClientConfig:
    # An address without TLS is the operator's choice; it is not one that credentials slip into by themselves.
    addresses = (settings.s3_endpoint, settings.s3_link_endpoint, *map(os.environ.get, ADDRESSES))
    options: ClientConfig = {
        "timeout": REQUEST_TIMEOUT,
        "connect_timeout": CONNECT_TIMEOUT,
        "allow_http": any((address or "").startswith("http://") for address in addresses),
    }
    if place.kind == "s3" and settings.s3_acl is not Acl.private:
        options["default_headers"] = {"x-amz-acl": settings.s3_acl.value}
    if settings.s3_ca_file is not None:
        options["root_certificate"] = settings.s3_ca_file.read_bytes()
    return options


def _s3(settings: Settings, place: Place, for_links: bool) -> S3Config:
    # Objects are deleted one by one: not every S3-compatible service knows the request that takes many.
    config: S3Config = {
        "bucket": place.bucket,
        "virtual_hosted_style_request": not settings.s3_force_path_style,
        "disable_bulk_delete": True,
    }
    address = (settings.s3_link_endpoint if for_links else None) or settings.s3_endpoint
    if address is not None or not settings.s3_force_path_style:
        address = address or endpoint(settings)
        if not settings.s3_force_path_style:  # obstore wants the bucket in it then
            address = of_bucket(address, place.bucket, path_style=False)
        config["endpoint"] = config["aws_endpoint_url_s3"] = address  # the second wins over AWS's own variable
    if settings.s3_region is not None:
        config["region"] = settings.s3_region
    if settings.s3_access_key_id is not None and settings.s3_secret_access_key is not None:
        config["access_key_id"] = settings.s3_access_key_id
        config["secret_access_key"] = settings.s3_secret_access_key.get_secret_value()
    if settings.s3_encryption is not None:
        config["server_side_encryption"] = settings.s3_encryption
    if settings.s3_kms_key_id is not None:
        config["sse_kms_key_id"] = settings.s3_kms_key_id
    return config
