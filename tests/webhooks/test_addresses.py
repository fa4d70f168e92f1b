"""Which addresses a webhook may go to."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manimcast.webhooks.addresses import AddressRules, is_public

INTERNAL = {
    "loopback": ("127.0.0.1", "127.255.255.254", "::1"),
    "this host": ("0.0.0.0", "0.1.2.3", "::"),
    "private": ("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1", "fec0::1"),
    "link-local": ("169.254.0.1", "fe80::1", "fe80::1%eth0"),
    "metadata": (
        "169.254.169.254",  # Amazon, Google, Azure, Oracle
        "169.254.170.2",  # Amazon's containers
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle's older one
        "168.63.129.16",  # Azure's machine agent
        "fd00:ec2::254",  # Amazon
        "fd20:ce::254",  # Google
    ),
    "carrier-grade NAT": ("100.64.0.1", "100.127.255.255"),
    "multicast": ("224.0.0.1", "239.255.255.250", "ff02::1"),
    "reserved": ("240.0.0.1", "255.255.255.255", "192.0.0.8", "198.18.0.1", "203.0.113.1", "2001:db8::1", "3fff::1"),
    "mapped": ("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::ffff:0.0.0.0"),
    "compatible": ("::127.0.0.1", "::8.8.8.8"),
    "translated": ("64:ff9b::127.0.0.1", "64:ff9b::10.1.2.3", "64:ff9b:1::8.8.8.8", "::ffff:0:127.0.0.1"),
    "6to4": ("2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::1"),
    "Teredo": ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001::1"),
    "ISATAP": ("2606:4700::5efe:127.0.0.1", "2606:4700::200:5efe:10.0.0.1"),
    "nobody's": ("4000::1", "100::1", "5f00::1", "fbff::1"),
}
PUBLIC = (
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "169.253.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
)


@pytest.mark.parametrize("address", [each for kind in INTERNAL.values() for each in kind])
def test_internal_addresses_are_refused_in_every_form(address: str) -> None:
    assert not AddressRules().permit(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    assert AddressRules().permit(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_the_form_of_an_ipv4_address_changes_nothing(address: ipaddress.IPv4Address) -> None:
    value = int(address)
    forms = (
        ipaddress.IPv6Address(0xFFFF << 32 | value),
        ipaddress.IPv6Address((0x64_FF9B << 96) | value),
        ipaddress.IPv6Address((0x2002 << 112) | value << 80),
    )
    assert {is_public(form) for form in forms} == {is_public(address)}


@given(st.ip_addresses())
def test_what_python_knows_to_be_internal_is(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if address.is_private or address.is_loopback or address.is_multicast or address.is_unspecified:
        plain = getattr(address, "ipv4_mapped", None) or address
        assert not is_public(plain) or plain.is_global


def test_what_the_operator_allows_is_permitted_and_nothing_beside_it() -> None:
    rules = AddressRules([ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00:1::/32")])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00:1::5", "1.1.1.1"):
        assert rules.permit(ipaddress.ip_address(address))
    for address in ("10.2.0.1", "127.0.0.1", "fd00:2::1", "169.254.169.254", "64:ff9b::10.1.2.3"):
        assert not rules.permit(ipaddress.ip_address(address))
