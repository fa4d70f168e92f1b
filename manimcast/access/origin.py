"""Keep web pages from driving a service that needs no key.

A service on loopback without keys trusts every program of this machine, and a browser is one: any page that its
user visits could post scenes to it, or read its answers by pointing a host name of its own at 127.0.0.1 (DNS
rebinding). So such a service answers only to requests addressed to this machine by a loopback name, and not to
pages of other origins. (That bodies must be declared as JSON, which a plain form cannot do, is checked with
the body.)
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from manimcast.settings import Settings


class WrongHostError(Exception):
    """The request was addressed to a name that is not this machine's. The message says what to do."""


class WrongOriginError(Exception):
    """The request comes from a web page of another origin. The message says what to do."""


class BrowserGuard:
    """Refuse requests that a web page may have caused.

    Only active on loopback where requests without a key are served.
    """

    def __init__(self, settings: Settings, *, anonymous_allowed: bool) -> None:
        self.active = settings.on_loopback and anonymous_allowed
        self._own_host = urlsplit(settings.public_url or "").netloc.lower()
        self._origins = {origin.rstrip("/").lower() for origin in settings.cors_origins}
        if settings.public_url:
            address = urlsplit(settings.public_url)
            self._origins.add(f"{address.scheme}://{address.netloc}".lower())

    def check(self, headers: Mapping[str, str]) -> None:
        """Raise :class:`WrongHostError` or :class:`WrongOriginError`. ``headers`` has lower-case names."""
        if not self.active:
            return
        host = headers.get("host", "").lower()
        if not _is_loopback(host) and not (host and host == self._own_host):
            raise WrongHostError(
                f"The Host header is {host[:100]!r}; a service without API keys answers only to localhost, "
                "127.0.0.1 and [::1]. Set PUBLIC_URL to the address that clients use, or set API_KEYS."
            )
        origin = headers.get("origin", "").lower()
        if origin and "*" not in self._origins and origin not in self._origins and origin != f"http://{host}":
            raise WrongOriginError(
                f"Pages of {origin[:100]!r} may not call this service. Add that origin to CORS_ORIGINS."
            )


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    if name is None:
        return False
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
