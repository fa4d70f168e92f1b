"""Webhooks: what clients are told of, signed, and sent to where they want it, until it has arrived."""

from manimcast.webhooks.addresses import AddressRules
from manimcast.webhooks.courier import Courier
from manimcast.webhooks.model import Claimed, DeliveryState, NewDelivery, Webhook, WebhookAttempt
from manimcast.webhooks.signing import SecretError, Secrets, new_secret
from manimcast.webhooks.store import DeliveryStore
from manimcast.webhooks.target import Target, TargetError

__all__ = [
    "AddressRules",
    "Claimed",
    "Courier",
    "DeliveryState",
    "DeliveryStore",
    "NewDelivery",
    "SecretError",
    "Secrets",
    "Target",
    "TargetError",
    "Webhook",
    "WebhookAttempt",
    "new_secret",
]
