"""What a browser may cause on a service without keys."""

import pytest

from manimcast.access import BrowserGuard, WrongHostError, WrongOriginError
from manimcast.settings import Settings


def guard(*, anonymous_allowed: bool = True, **values: object) -> BrowserGuard:
    return BrowserGuard(Settings(_env_file=None, **values), anonymous_allowed=anonymous_allowed)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "127.0.0.1:8080", "127.8.9.1", "[::1]:8080", "LOCALHOST", "app.localhost"]
)
def test_names_of_this_machine_are_served(host):
    guard().check({"host": host})


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "192.168.1.4",
        "[::2]",
        "[",
        "127.0.0.1.nip.io",
    ],
)
def test_other_names_are_refused(host):
    with pytest.raises(WrongHostError, match="PUBLIC_URL"):
        guard().check({"host": host})


def test_the_public_address_is_served():
    behind_proxy = guard(public_url="https://render.example")
    behind_proxy.check({"host": "render.example", "origin": "https://render.example"})
    with pytest.raises(WrongHostError):
        behind_proxy.check({"host": "other.example"})


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000", "https://localhost:8080"])
def test_pages_of_other_origins_are_refused(origin):
    with pytest.raises(WrongOriginError, match="CORS_ORIGINS"):
        guard().check({"host": "localhost:8080", "origin": origin})


def test_own_and_listed_origins_are_served():
    guard().check({"host": "localhost:8080", "origin": "http://localhost:8080"})
    guard(cors_origins="http://localhost:3000").check({"host": "localhost:8080", "origin": "http://localhost:3000"})
    guard(cors_origins="*").check({"host": "localhost:8080", "origin": "https://any.example"})


def test_keys_or_a_public_address_make_it_unnecessary():
    guard(anonymous_allowed=False).check({"host": "evil.example"})
    guard(host="0.0.0.0", allow_anonymous=True).check({"host": "any.example", "origin": "https://other.example"})
