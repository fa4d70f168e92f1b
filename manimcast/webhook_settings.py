"""The settings that say how webhooks are signed and where they may go."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
SECRET_BYTES = range(24, 65)
"""How many bytes a secret may have, as Standard Webhooks recommends."""
MOST_SECRETS = 2
"""Secrets at once: the new one and, while receivers change over, the old one."""


def check_secret(secret: str) -> str:
    """Return ``secret`` if it is one as Standard Webhooks writes them; else raise :class:`ValueError`."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) not in SECRET_BYTES:
        raise ValueError(
            f"must be {SECRET_PREFIX} and {SECRET_BYTES[0]} to {SECRET_BYTES[-1]} bytes in base 64; "
            "`manimcast webhooks secret --new` makes one"
        )
    return secret


class WebhookSettings(BaseSettings):
    """How webhooks are sent."""

    webhook_secret: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Secret that signs webhooks, or two while rotating, the new one first. "
        "Default: made once, kept in DATA_DIR.",
    )
    webhook_allowed_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="Internal networks that webhooks may go to, such as `10.1.0.0/16`, separated by commas."
    )
    webhook_timeout: float = Field(15, ge=1, le=60, description="Longest time that one delivery may take, in seconds.")
    webhook_slots: int = Field(32, ge=1, le=1024, description="Deliveries that are under way at once.")

    @field_validator("webhook_secret", mode="before")
    @classmethod
    def _split_secrets(cls, value: object) -> object:
        return tuple(re.findall(r"[^\s,]+", value)) if isinstance(value, str) else value

    @field_validator("webhook_secret")
    @classmethod
    def _are_secrets(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if len(value) > MOST_SECRETS:
            raise ValueError(f"takes one secret, or {MOST_SECRETS} while rotating")
        for secret in value:
            check_secret(secret.get_secret_value())
        return value

    @field_validator("webhook_allowed_networks", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value
