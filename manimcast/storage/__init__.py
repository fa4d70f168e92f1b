"""Where a video lives once it is finished."""

from manimcast.storage.base import Link, Status, Storage, Unconfirmed, UnderWay
from manimcast.storage.configured import from_settings
from manimcast.storage.links import LinkError, LinkExpired, LinkForged, SignedLink
from manimcast.storage.local import LocalStorage
from manimcast.storage.model import NoSuchFile, StorageError, StoredFile, StoredResult

__all__ = [
    "Link",
    "LinkError",
    "LinkExpired",
    "LinkForged",
    "LocalStorage",
    "NoSuchFile",
    "SignedLink",
    "Status",
    "Storage",
    "StorageError",
    "StoredFile",
    "StoredResult",
    "Unconfirmed",
    "UnderWay",
    "from_settings",
]
