"""API keys: who is calling.

``API_KEYS`` lists them, each ``tenant:key`` or just ``key``. A tenant may have several keys, so that one can be
replaced by another; a key without a name belongs to the tenant ``default``. They travel as
``Authorization: Bearer KEY`` or as ``X-API-Key: KEY``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping

from manimcast.settings import ANONYMOUS, Settings

UNNAMED = "default"


class UnauthorizedError(Exception):
    """The request has no key, or one that is not known. The message says what to send."""


class KeyRing:
    """The known keys. Keeps digests, so that comparing them takes the same time whatever was sent."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._tenants: list[tuple[bytes, str]] = []
        for entry in keys:
            name, colon, key = entry.partition(":")
            if not colon:
                name, key = UNNAMED, entry
            self._tenants.append((_digest(key), name or UNNAMED))

    def __len__(self) -> int:
        return len(self._tenants)

    def tenant(self, key: str) -> str | None:
        """Return whose key this is, or None."""
        sent = _digest(key)
        found = None
        for digest, name in self._tenants:  # no early exit: the time tells nothing about which keys exist
            if hmac.compare_digest(digest, sent):
                found = name
        return found


class Access:
    """Decide which tenant a request belongs to.

    Without any key configured, or with ``ALLOW_ANONYMOUS``, a request without a key belongs to the tenant
    ``anonymous``. The settings see to it that a service without keys is reachable from this machine only,
    unless its operator said otherwise.
    """

    def __init__(self, settings: Settings) -> None:
        self._ring = KeyRing(key.get_secret_value() for key in settings.api_keys)
        self.anonymous_allowed = settings.allow_anonymous or not self._ring

    def identify(self, headers: Mapping[str, str]) -> str:
        """Return the tenant, or raise :class:`UnauthorizedError`. ``headers`` has lower-case names."""
        key = _sent_key(headers)
        if key is None:
            if self.anonymous_allowed:
                return ANONYMOUS
            raise UnauthorizedError("Send an API key as `Authorization: Bearer KEY` or `X-API-Key: KEY`.")
        tenant = self._ring.tenant(key)
        if tenant is None:
            if not self._ring:
                return ANONYMOUS  # nothing to check against; clients that always send a key still work
            raise UnauthorizedError("This API key is not known.")
        return tenant


def _sent_key(headers: Mapping[str, str]) -> str | None:
    if key := headers.get("x-api-key", "").strip():
        return key
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
