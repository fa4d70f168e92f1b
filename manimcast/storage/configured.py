"""The storage that the settings ask for."""

from __future__ import annotations

from manimcast.settings import Settings
from manimcast.storage.base import Storage
from manimcast.storage.local import LocalStorage
from manimcast.storage.remote import RemoteStorage


def from_settings(settings: Settings) -> Storage:
    """Return the storage; nothing is opened before its ``start``."""
    place = settings.place
    return LocalStorage(settings) if place is None else RemoteStorage(settings, place)
