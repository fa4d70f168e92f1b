"""Where a webhook goes: a URL, taken apart once, by rules that leave nothing to be understood in two ways.

What is checked here is what is connected to, so no other parser gets to see the URL.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Self

from manimcast.webhooks.addresses import Address, AddressRules

MAX_URL = 2048
"""Characters of a URL."""

_URL = re.compile(r"(https?)://([^/?#]*)([/?][A-Za-z0-9\-._~:/?@!$&'()*+,;=%\[\]]*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

# Where other protocols listen that would take parts of a request for commands: those that browsers do not go to
# either (https://fetch.spec.whatwg.org/#port-blocking).
_OTHER_PROTOCOLS = frozenset(
    map(
        int,
        re.findall(
            r"\d+",
            "0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 "
            "119 123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 "
            "636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 "
            "6697 10080",
        ),
    )
)


class TargetError(ValueError):
    """The URL is not one that a webhook can go to. The message goes on after the name of the field."""


@dataclass(frozen=True)
class Target:
    """A URL's parts. ``path`` has the query in it; ``host`` is in lower case, an IPv6 address without its brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Take a URL apart, or raise :class:`TargetError`."""
        if len(url) > MAX_URL:
            raise TargetError(f"must not be longer than {MAX_URL} characters")
        if "#" in url:
            raise TargetError("must not have a fragment (#...), which is never sent")
        parts = _URL.fullmatch(url)
        if parts is None:
            raise TargetError("must be a URL such as https://example.org/hooks, in ASCII and percent-encoded")
        scheme, authority, path = parts[1].lower(), parts[2].lower(), parts[3] or "/"
        if "@" in authority:
            raise TargetError("must not have a user or password in it; put a token into the path, or check signatures")
        host_port = _AUTHORITY.fullmatch(authority)
        if host_port is None:
            raise TargetError("must name a host, as in https://example.org/hooks")
        port = int(host_port[2]) if host_port[2] else {"http": 80, "https": 443}[scheme]
        if port > 65_535 or port in _OTHER_PROTOCOLS:
            raise TargetError(f"must not go to port {port}, where HTTP is not spoken")
        return cls(scheme, _host(host_port[1]), port, path if path.startswith("/") else f"/{path}")

    @property
    def address(self) -> Address | None:
        """The host, if it is an address and no name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def place(self) -> str:
        """Whom a delivery keeps busy: host and port."""
        return f"{self.host}:{self.port}"

    def check(self, rules: AddressRules) -> None:
        """Raise :class:`TargetError` when it is plain from the URL alone that it is internal."""
        address = self.address
        if address is None and (self.host == "localhost" or self.host.endswith(".localhost")):
            address = ipaddress.IPv4Address("127.0.0.1")
        if address is not None and not rules.permit(address):
            permit = "the operator may permit such networks: WEBHOOK_ALLOWED_NETWORKS"
            raise TargetError(
                f"must not lead to {self.host}, which is internal, or not in use in the internet; {permit}"
            )


def _host(host: str) -> str:
    if host.startswith("["):
        try:
            return str(ipaddress.IPv6Address(host[1:-1]))
        except ValueError:
            raise TargetError(f"has no IPv6 address in {host}") from None
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # 127.1, 0x7f.1, 2130706433: some take these for addresses, in ways that differ.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise TargetError(f"has no host in {host}; an IPv4 address is four decimal numbers") from None
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise TargetError("has no host that can be looked up; write names in ASCII (xn--...)")
    return host.removesuffix(".")
