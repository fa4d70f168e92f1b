"""Links that let their holder read one file for a while.

A link carries when it expires and an HMAC-SHA256 of that together with the file it is for. The key is
``SIGNING_KEY``, or made once and kept in ``DATA_DIR/signing.key``, readable by its owner only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from manimcast.keyfiles import make_once
from manimcast.storage.model import StorageError

KEY_BYTES = 32
MIN_KEY_CHARACTERS = 16


class LinkError(Exception):
    """The link does not open the file."""


class LinkExpired(LinkError):  # noqa: N818 - it reads as what happened
    """The link was good once; a fresh one can be had from the render."""


class LinkForged(LinkError):  # noqa: N818 - it reads as what happened
    """The link was never given out for this file by this service."""


@dataclass(frozen=True)
class SignedLink:
    """What makes a link good: the two values of its query string. ``expires`` is in seconds since 1970."""

    expires: int
    signature: str

    @property
    def query(self) -> str:
        """The link's query string, without the question mark."""
        return f"expires={self.expires}&signature={self.signature}"

    @property
    def expires_at(self) -> datetime:
        """When the link stops working."""
        return datetime.fromtimestamp(self.expires, UTC)


class Signer:
    """Sign and check links with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, render_id: str, name: str, ttl: float) -> SignedLink:
        """Return a link to the file that works for ``ttl`` seconds, rounded up to a whole one."""
        expires = -int(-(time.time() + ttl) // 1)
        return SignedLink(expires, self._signature(render_id, name, expires))

    def verify(self, render_id: str, name: str, *, expires: str, signature: str) -> None:
        """Return if the link is good, else raise :class:`LinkForged` or :class:`LinkExpired`.

        The two values are taken as they came with the request. A link that is both is forged.
        """
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 15 and signature.isascii()):
            raise LinkForged("the link is malformed")
        if not hmac.compare_digest(signature, self._signature(render_id, name, int(expires))):
            raise LinkForged("the link was not signed by this service for this file")
        if int(expires) <= time.time():
            raise LinkExpired("the link has expired; read the render again for a fresh one")

    def _signature(self, render_id: str, name: str, expires: int) -> str:
        digest = hmac.new(self._key, f"{render_id}/{name}\n{expires}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def check_key(key: str) -> bytes:
    """Return the operator's own key as bytes, or raise :class:`StorageError` when it is too short to be one."""
    if len(key) < MIN_KEY_CHARACTERS:
        raise StorageError(
            f"SIGNING_KEY must have at least {MIN_KEY_CHARACTERS} characters; try `openssl rand -hex 32`"
        )
    return key.encode()


def make_key(path: Path) -> bytes:
    """Return the key in the file ``path``, which is made first if it is not there."""
    key = make_once(path, lambda: secrets.token_hex(KEY_BYTES))
    if len(key) < MIN_KEY_CHARACTERS:
        raise StorageError(f"{path} is damaged; delete it (links given out so far stop working) or set SIGNING_KEY")
    return key.encode()
