"""Where a video lives once it is finished."""

from manimcast.storage.links import LinkError, LinkExpired, LinkForged, SignedLink
from manimcast.storage.local import LocalStorage
from manimcast.storage.model import NoSuchFile, StorageError, StoredFile, StoredResult

__all__ = [
    "LinkError",
    "LinkExpired",
    "LinkForged",
    "LocalStorage",
    "NoSuchFile",
    "SignedLink",
    "StorageError",
    "StoredFile",
    "StoredResult",
]
