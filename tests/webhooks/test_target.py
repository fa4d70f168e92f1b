"""URLs: what they are taken for, and what is no URL that a webhook can go to."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manimcast.webhooks.addresses import AddressRules
from manimcast.webhooks.target import MAX_URL, Target, TargetError


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.org", Target("https", "example.org", 443, "/")),
        ("HTTPS://Example.ORG/Hooks?a=b&c=%20", Target("https", "example.org", 443, "/Hooks?a=b&c=%20")),
        ("http://example.org:8080/x", Target("http", "example.org", 8080, "/x")),
        ("http://example.org?x=1", Target("http", "example.org", 80, "/?x=1")),
        ("https://xn--bcher-kva.example/", Target("https", "xn--bcher-kva.example", 443, "/")),
        ("https://example.org./", Target("https", "example.org", 443, "/")),
        ("https://1.1.1.1/", Target("https", "1.1.1.1", 443, "/")),
        ("https://[2606:4700:4700:0:0:0:0:1111]:8443/", Target("https", "2606:4700:4700::1111", 8443, "/")),
        ("https://my_service.example.org/", Target("https", "my_service.example.org", 443, "/")),
    ],
)
def test_a_url_is_taken_apart(url: str, target: Target) -> None:
    assert Target.parse(url) == target
    target.check(AddressRules())


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "must be a URL"),
        ("example.org/hooks", "must be a URL"),
        ("ftp://example.org/", "must be a URL"),
        ("file:///etc/passwd", "must be a URL"),
        ("gopher://example.org/_x", "must be a URL"),
        ("https:/example.org", "must be a URL"),
        ("https://", "must name a host"),
        ("https:///path", "must name a host"),
        ("https://:8080/", "must name a host"),
        ("https://user:secret@example.org/", "user or password"),
        ("https://example.org@127.0.0.1/", "user or password"),
        ("https://example.org/#part", "fragment"),
        ("https://example.org/ HTTP/1.1", "must be a URL"),
        ("https://example.org/\r\nx: y", "must be a URL"),
        ("https://example.org\\@127.0.0.1/", "user or password"),
        ("https://example.org\\.127.0.0.1/", "no host"),
        ("https://example.org/\x00", "must be a URL"),
        ("https://bücher.example/", "in ASCII"),
        ("https://example.org/bücher", "must be a URL"),
        ("https://ex ample.org/", "no host"),
        ("https://-example.org/", "no host"),
        ("https://example..org/", "no host"),
        (f"https://{'a' * 64}.org/", "no host"),
        ("https://%31%32%37.0.0.1/", "no host"),
        ("https://example.org:99999/", "port 99999"),
        ("https://example.org:0/", "port 0"),
        ("http://example.org:25/", "port 25"),
        ("http://example.org:6379x/", "must name a host"),
        ("http://example.org:22/", "port 22"),
        ("https://[::1", "must name a host"),
        ("https://[::1%25eth0]/", "must name a host"),
        ("https://[1.2.3.4]/", "no IPv6 address"),
        ("http://127.1/", "four decimal numbers"),
        ("http://2130706433/", "four decimal numbers"),
        ("http://0x7f000001/", "four decimal numbers"),
        ("http://0x7f.0.0.1/", "four decimal numbers"),
        ("http://0177.0.0.1/", "four decimal numbers"),
        ("http://127.0.0.1./", "four decimal numbers"),
        ("http://127.0.0.0x1/", "four decimal numbers"),
        ("https://example.org/" + "x" * MAX_URL, "longer than"),
    ],
)
def test_what_is_no_target_is_refused_with_the_reason(url: str, said: str) -> None:
    with pytest.raises(TargetError, match=said.replace("(", r"\(")):
        Target.parse(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://anything.localhost:8080/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://0.0.0.0/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
    ],
)
def test_what_is_plainly_internal_is_refused_unless_it_is_allowed(url: str) -> None:
    target = Target.parse(url)
    with pytest.raises(TargetError, match="internal"):
        target.check(AddressRules())
    target.check(AddressRules([ipaddress.ip_network(each) for each in ("0.0.0.0/0", "::/0")]))


@given(st.text(max_size=60))
def test_nothing_gets_out_of_the_host_or_the_path(text: str) -> None:
    for url in (f"https://{text}/", f"https://example.org/{text}", f"https://example.org{text}"):
        try:
            target = Target.parse(url)
        except TargetError:
            continue
        assert not set(target.host) & set("/?#@\\ \r\n\t%[]")
        assert target.path.startswith("/")
        assert target.path.isascii()
        assert target.path.isprintable()
        assert " " not in target.path
