"""Files that clients upload once and name in their renders: pictures, fonts, sounds, data, modules, projects."""

from manimcast.assets.incoming import Incoming, TooLargeError
from manimcast.assets.service import AssetError, AssetGoneError, Assets
from manimcast.assets.store import Asset, QuotaError

__all__ = ["Asset", "AssetError", "AssetGoneError", "Assets", "Incoming", "QuotaError", "TooLargeError"]
