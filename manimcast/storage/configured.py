"""The storage that the settings ask for."""

from __future__ import annotations

from manimcast.settings import Settings
from manimcast.storage.base import Storage
from manimcast.storage.local import LocalStorage


def from_settings(settings: Settings) -> Storage:
    """Return the storage; nothing is opened before its ``start``."""
    return LocalStorage(settings)
