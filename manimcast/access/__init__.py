"""Who may call: API keys, tenants, and what keeps web pages out of a service that has no keys."""

from manimcast.access.keys import UNNAMED, Access, KeyRing, UnauthorizedError
from manimcast.access.origin import BrowserGuard, WrongHostError, WrongOriginError
from manimcast.settings import ANONYMOUS

__all__ = [
    "ANONYMOUS",
    "UNNAMED",
    "Access",
    "BrowserGuard",
    "KeyRing",
    "UnauthorizedError",
    "WrongHostError",
    "WrongOriginError",
]
