"""Which addresses webhooks may go to: those of the public internet, and what the operator has allowed besides.

Clients choose where a webhook goes, and the service stands where they do not: beside databases, and beside the
metadata services of clouds that give out credentials. So an address is refused unless it is known to be public. The
tables are IANA's registries of special-purpose addresses.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from manimcast.webhook_settings import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_INTERNAL = [
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services, in the middle of public addresses
        "169.254.0.0/16",  # link-local, and most clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation, as the two below
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
]
_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that has been given out of IPv6; everything else is local, special or reserved."""
_INTERNAL_6 = [
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocols, Teredo among them
        "2001:db8::/32",  # documentation, as the one below
        "3fff::/20",
    )
]
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


def is_public(address: Address) -> bool:
    """Whether the address is one of the public internet, and leads to no other that is not."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _INTERNAL)
    within = _within(address)
    if within is not None and not is_public(within):
        return False
    if address.ipv4_mapped is not None or address in _NAT64:
        return True
    return address in _UNICAST and not any(address in network for network in _INTERNAL_6)


def _within(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that packets for this one end up at, if they do."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    value = int(address)
    if address in _NAT64 or value >> 32 & 0xFFFF_FFFF in _ISATAP:
        return ipaddress.IPv4Address(value & 0xFFFF_FFFF)
    return None


class AddressRules:
    """What is public, and ``allowed`` networks."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = allowed

    def permit(self, address: Address) -> bool:
        """Whether a webhook may go to the address."""
        plain = getattr(address, "ipv4_mapped", None) or address
        return is_public(address) or any(plain in network for network in self._allowed)
