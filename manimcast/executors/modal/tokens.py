"""Where the tokens for Modal come from, found out without importing Modal.

First the settings (the environment, then ``.env``), then the profile that ``modal setup`` or ``modal token set`` wrote.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from manimcast.settings import Settings

CONFIGURED = "✅ Configured"
MISSING = "❌ Missing - set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET, or run `modal setup`"


def tokens_configured(settings: Settings) -> bool:
    """Return whether there is something to log in to Modal with."""
    if settings.modal_token_id and settings.modal_token_secret:
        return True
    profile = _profile()
    return bool(
        (profile.get("token_id") and profile.get("token_secret"))
        or (profile.get("oauth_refresh_token") and profile.get("oauth_client_id"))
    )


def wanted(settings: Settings) -> bool:
    """Return whether scenes render on Modal: as ``USE_MODAL`` says, and if it says nothing, when tokens are there."""
    return tokens_configured(settings) if settings.use_modal is None else settings.use_modal


def told(settings: Settings) -> str:
    """Return what health says of the tokens."""
    return CONFIGURED if tokens_configured(settings) else MISSING


def _profile() -> dict[str, Any]:
    """Return the profile that Modal's client would use; see ``modal.config`` in modal 1.6."""
    path = Path(os.environ.get("MODAL_CONFIG_PATH") or "~/.modal.toml").expanduser()
    try:
        profiles = {
            name: profile
            for name, profile in tomllib.loads(path.read_text(encoding="utf-8")).items()
            if isinstance(profile, dict)
        }
    except (OSError, ValueError):
        return {}
    active = next((name for name, profile in profiles.items() if profile.get("active") is True), "default")
    return profiles.get(os.environ.get("MODAL_PROFILE") or active, {})
