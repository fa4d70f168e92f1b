"""What is known of a delivery: as those who send it need it, and as clients see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class DeliveryState(StrEnum):
    """Where a delivery is."""

    waiting = "waiting"
    """There is nothing to tell yet."""
    pending = "pending"
    delivered = "delivered"
    failed = "failed"
    """It was tried as often as it is, or the receiver wants nothing any more."""


@dataclass(frozen=True)
class NewDelivery:
    """An event that somebody is to hear of.

    ``subject`` is the id of what it is about and ``data`` how that looks now; ``base`` is the address of this service
    for links in it, as whoever asked for the webhook reached it.
    """

    tenant: str
    subject: str
    type: str
    url: str
    data: dict[str, Any]
    base: str | None = None


@dataclass(frozen=True)
class Claimed:
    """A delivery that was taken to be sent; ``number`` counts the attempts, and this is one of ``tries``.
    ``taken`` is when, by the database's clock: receivers refuse what was signed at another time."""

    id: str
    tenant: str
    subject: str
    type: str
    url: str
    place: str
    base: str | None
    data: dict[str, Any]
    created: datetime
    number: int
    tries: int
    taken: datetime


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WebhookAttempt(_Model):
    """One attempt. ``duration`` is in seconds, and null while it is under way; ``status`` is null without an answer.

    ``body`` is the beginning of what the receiver said when it did not take the message. ``next_attempt_at`` is when
    the message was to be tried again after this.
    """

    number: int
    started_at: datetime
    duration: float | None = None
    status: int | None = None
    reason: str
    body: str | None = None
    next_attempt_at: datetime | None = None


class Webhook(_Model):
    """What has become of a webhook. ``id`` is its ``webhook-id``; it is null while there is nothing to tell yet.

    ``next_attempt_at`` is null when there is none; ``attempts`` are the last hundred, the first one first.
    """

    url: str
    id: str | None = None
    type: str | None = None
    state: DeliveryState = DeliveryState.waiting
    created_at: datetime | None = None
    ended_at: datetime | None = None
    next_attempt_at: datetime | None = None
    attempts: tuple[WebhookAttempt, ...] = ()


def at(seconds: float) -> datetime:
    """Return a time of the database's clock as clients get to see it."""
    return datetime.fromtimestamp(round(seconds, 3), UTC)
