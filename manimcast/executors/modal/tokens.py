"""Where the tokens for Modal come from, found out without importing Modal.

First the settings (the environment, then ``.env``), then the profile that ``modal setup`` or ``modal token set`` wrote.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from manimcast.settings import Settings

SET_UP = "set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET, or run `modal setup`"
CONFIGURED = "✅ Configured"
MISSING = f"❌ Missing - {SET_UP}"


class ProfileError(Exception):
    """Modal's configuration file cannot be read."""


def find(settings: Settings) -> tuple[str, str] | None:
    """Return the token and its secret; None when there are none.

    Raises :class:`ProfileError`. The file is read each time, so that ``modal setup`` takes effect without a restart.
    """
    if settings.modal_token_id and settings.modal_token_secret:
        return settings.modal_token_id, settings.modal_token_secret.get_secret_value()
    profile = _profile()
    token, secret = profile.get("token_id"), profile.get("token_secret")
    return (token, secret) if isinstance(token, str) and isinstance(secret, str) and token and secret else None


def tokens_configured(settings: Settings) -> bool:
    """Return whether there is something to log in to Modal with. Raises :class:`ProfileError`."""
    if find(settings) is not None:
        return True
    profile = _profile()
    return bool(profile.get("oauth_refresh_token") and profile.get("oauth_client_id"))


def wanted(settings: Settings) -> bool:
    """Return whether scenes render on Modal: as ``USE_MODAL`` says, and if it says nothing, when tokens are there."""
    if settings.use_modal is not None:
        return settings.use_modal
    try:
        return tokens_configured(settings)
    except ProfileError:
        return False


def told(settings: Settings) -> str:
    """Return what health says of the tokens."""
    try:
        return CONFIGURED if tokens_configured(settings) else MISSING
    except ProfileError as error:
        return f"❌ Missing - {error}"


def _profile() -> dict[str, Any]:
    """Return the profile that Modal's client would use; see ``modal.config`` in modal 1.6."""
    # As there: only the default is expanded, and who has no home is no error.
    path = Path(os.environ.get("MODAL_CONFIG_PATH") or os.path.expanduser("~/.modal.toml"))  # noqa: PTH111
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ProfileError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    profiles = {name: profile for name, profile in read.items() if isinstance(profile, dict)}
    active = next((name for name, profile in profiles.items() if profile.get("active") is True), "default")
    return profiles.get(os.environ.get("MODAL_PROFILE") or active, {})
