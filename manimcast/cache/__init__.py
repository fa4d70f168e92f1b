"""What was computed once and may be used again. Only the trusted side reads and writes it."""

from manimcast.cache.bundles import BundleStore
from manimcast.cache.entries import EntryStore
from manimcast.cache.expiry import expire

__all__ = ["BundleStore", "EntryStore", "expire"]
