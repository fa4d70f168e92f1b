"""What is sent: a body and the headers that sign it, as Standard Webhooks has them (https://www.standardwebhooks.com)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from standardwebhooks.webhooks import Webhook

from manimcast import __version__
from manimcast.webhook_settings import check_secret


def body(kind: str, when: datetime, data: Any) -> str:
    """Return the JSON text that tells what has happened, of which ``kind``, and when."""
    content = {"type": kind, "timestamp": timestamp(when), "data": data}
    return json.dumps(content, separators=(",", ":"))


def timestamp(when: datetime) -> str:
    """Return a point in time as clients get to see it."""
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def headers(message_id: str, text: str, secrets: Sequence[str], *, now: datetime) -> dict[str, str]:
    """Return the headers that go with ``text``; it is signed with each of ``secrets``, so either will verify it."""
    signatures = [Webhook(secret).sign(message_id, now, text) for secret in secrets]
    return {
        "content-type": "application/json",
        "user-agent": f"manimcast/{__version__}",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def signed_with(given: Mapping[str, str], text: bytes, secrets: Sequence[str]) -> int | None:
    """Return which of ``secrets`` a message was signed with, or None; ``given`` are its headers, in lower case.

    Raises :class:`ValueError` when a secret or the timestamp is none.
    """
    try:
        when = datetime.fromtimestamp(int(given["webhook-timestamp"]), UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("webhook-timestamp is no number of seconds since 1970") from None
    signatures = [one.encode() for one in given["webhook-signature"].split()]
    for number, secret in enumerate(secrets):
        try:
            ours = Webhook(check_secret(secret)).sign(given["webhook-id"], when, text.decode())
        except UnicodeDecodeError:
            return None
        except ValueError as error:
            raise ValueError(f"the secret {error}") from None
        if any(hmac.compare_digest(ours.encode(), theirs) for theirs in signatures):
            return number
    return None
