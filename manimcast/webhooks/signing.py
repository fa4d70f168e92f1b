"""The secrets that webhooks are signed with: the operator's, or ones that the service has made for itself.

Without ``WEBHOOK_SECRET`` they lie in ``DATA_DIR/webhook.key``, one a line, the new one first. The file is read for
each delivery, so a rotation needs no restart.
"""

from __future__ import annotations

import base64
import secrets

from manimcast.keyfiles import make_once, replace
from manimcast.settings import Settings
from manimcast.webhook_settings import MOST_SECRETS, SECRET_PREFIX, check_secret

KEY_BYTES = 32


class SecretError(Exception):
    """There is no secret to sign with. The message says what to do."""


def new_secret() -> str:
    """Return a fresh secret."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


class Secrets:
    """The secrets of one service."""

    def __init__(self, settings: Settings) -> None:
        self._given = tuple(secret.get_secret_value() for secret in settings.webhook_secret)
        self.path = settings.data_dir / "webhook.key"

    @property
    def is_given(self) -> bool:
        """Whether they come from ``WEBHOOK_SECRET``, and not from the file."""
        return bool(self._given)

    def current(self) -> tuple[str, ...]:
        """Return one secret, or two while rotating, the new one first; what is in no setting is made and kept.

        Raises :class:`SecretError` when the file cannot be used.
        """
        if self._given:
            return self._given
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            found = tuple(make_once(self.path, new_secret).split())
        except OSError as error:
            raise SecretError(f"{self.path} cannot be read or made: {error.strerror}; or set WEBHOOK_SECRET") from error
        try:
            if not 1 <= len(found) <= MOST_SECRETS:
                raise ValueError(f"must have one secret, or {MOST_SECRETS}")
            return tuple(check_secret(secret) for secret in found)
        except ValueError as error:
            raise SecretError(
                f"{self.path} is damaged: it {error}. Delete it for a new one, or set WEBHOOK_SECRET"
            ) from None

    def rotate(self) -> tuple[str, ...]:
        """Put a fresh secret before the present one, where the service made that; return both."""
        return self._keep((new_secret(), self.current()[0]))

    def retire(self) -> tuple[str, ...]:
        """Drop the older of two secrets, where the service made them; return the one that is left."""
        return self._keep(self.current()[:1])

    def _keep(self, secrets_: tuple[str, ...]) -> tuple[str, ...]:
        if self.is_given:
            raise SecretError("the secrets come from WEBHOOK_SECRET; set that instead")
        try:
            replace(self.path, "\n".join(secrets_))
        except OSError as error:
            raise SecretError(f"{self.path} cannot be written: {error.strerror}") from error
        return secrets_
