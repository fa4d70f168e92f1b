"""Keys and the tenants they belong to."""

import pytest

from manimcast.access import ANONYMOUS, UNNAMED, Access, KeyRing, UnauthorizedError
from manimcast.settings import Settings


def access(**values: object) -> Access:
    return Access(Settings(_env_file=None, **values))


def test_a_key_belongs_to_its_tenant():
    ring = KeyRing(["maths:abc", "physics:d:e", "bare"])
    assert ring.tenant("abc") == "maths"
    assert ring.tenant("d:e") == "physics"
    assert ring.tenant("bare") == UNNAMED
    assert ring.tenant("maths:abc") is None
    assert ring.tenant("") is None


@pytest.mark.parametrize(
    "headers", [{"authorization": "Bearer k1"}, {"authorization": "bearer  k1"}, {"x-api-key": "k1"}]
)
def test_both_headers_are_read(headers):
    assert access(api_keys="a:k1,b:k2").identify(headers) == "a"


def test_both_keys_of_a_tenant_work_while_one_is_replaced():
    both = access(api_keys="a:old,a:new")
    assert {both.identify({"x-api-key": key}) for key in ("old", "new")} == {"a"}


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "wrong"}, {"authorization": "Basic azE6"}])
def test_with_keys_nobody_else_comes_in(headers):
    with pytest.raises(UnauthorizedError, match="API key"):
        access(api_keys="a:k1").identify(headers)


def test_without_keys_the_caller_is_anonymous():
    assert access().identify({}) == ANONYMOUS
    assert access().identify({"x-api-key": "whatever"}) == ANONYMOUS


def test_anonymous_beside_keys_is_an_explicit_choice():
    mixed = access(api_keys="a:k1", allow_anonymous=True, host="0.0.0.0")
    assert mixed.identify({}) == ANONYMOUS
    assert mixed.identify({"x-api-key": "k1"}) == "a"
    with pytest.raises(UnauthorizedError):
        mixed.identify({"x-api-key": "wrong"})
