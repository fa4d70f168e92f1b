"""One request to a receiver, from the look-up of its name to what it answered, within bounds that it cannot stretch.

The status decides, so of an answer that says that all is well nothing more is read. Of others a little is, as their
text tells what is wrong. Redirects are not followed: where they lead was not what the client asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpcore

from manimcast.harmless import harmless
from manimcast.webhooks.addresses import AddressRules
from manimcast.webhooks.network import AddressRefusedError, CheckedBackend, Resolve, UnknownHostError
from manimcast.webhooks.target import Target

READ_BYTES = 4096
"""What is read of an answer that says that something is wrong, at most, by the byte."""
READ_SECONDS = 2.0
"""And for how long."""
KEPT_CHARACTERS = 1024
"""What is kept of its text."""

GONE = 410


@dataclass(frozen=True)
class Answer:
    """What came of one request. ``status`` is None when there was no answer; ``reason`` says what happened, in words.

    ``body`` is the beginning of what an unhappy receiver said; ``retry_after`` are the seconds that it asked to wait.
    """

    reason: str
    status: int | None = None
    body: str | None = None
    retry_after: float | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has taken it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status == GONE


class Sender:
    """Sends to receivers that ``rules`` permit; ``resolve`` says where they are."""

    def __init__(self, rules: AddressRules, resolve: Resolve) -> None:
        self._backend = CheckedBackend(rules, resolve)
        self._tls: ssl.SSLContext | None = None

    async def send(self, target: Target, headers: Mapping[str, str], body: bytes, *, deadline: float) -> Answer:
        """Post ``body`` and return what came of it, by ``deadline`` on the loop's clock at the latest."""
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(deadline):
                return await self._post(target, headers, body)
        except TimeoutError:
            return Answer(f"no answer within {deadline - began:.0f} s")
        except UnknownHostError as error:
            return Answer(f"the host {target.host} is not known: {error}")
        except AddressRefusedError:
            # Which address it is stays untold: the name may be one that only this network knows.
            return Answer(f"the host {target.host} has an address that is internal, or not in use in the internet")
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            return Answer(_why_not(error))
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            return Answer(f"the connection broke before there was an answer: {_words(error)}")

    async def _post(self, target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        lines = [*headers.items(), *_always(target).items()]
        # A connection of its own for each: one that was kept might be to an address that is refused by now.
        async with (
            httpcore.AsyncHTTPConnection(
                url.origin, ssl_context=self._context(target), network_backend=self._backend
            ) as connection,
            connection.stream("POST", url, headers=lines, content=body) as response,
        ):
            given = {name.lower(): value.decode("latin-1") for name, value in response.headers}
            answer = Answer(_said(response.status), response.status)
            if answer.is_delivered:
                return answer
            return Answer(answer.reason, answer.status, await _beginning(response), _wait(given))

    def _context(self, target: Target) -> ssl.SSLContext | None:
        if target.scheme == "https" and self._tls is None:
            self._tls = httpcore.default_ssl_context()  # once: it reads all certificates of the system
        return self._tls


def _always(target: Target) -> dict[str, str]:
    host = f"[{target.host}]" if ":" in target.host else target.host
    is_default = target.port == {"http": 80, "https": 443}[target.scheme]
    return {
        "host": host if is_default else f"{host}:{target.port}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
    }


def _said(status: int) -> str:
    if 300 <= status < 400:
        return f"answered {status}: redirects are not followed"
    return f"answered {status}"


async def _beginning(response: httpcore.Response) -> str | None:
    """Return the beginning of an answer's text, as far as it comes in time."""
    read = b""
    with contextlib.suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError):
        async with asyncio.timeout(READ_SECONDS):
            async for part in response.aiter_stream():
                read += part
                if len(read) >= READ_BYTES:
                    break
    text = harmless(read[:READ_BYTES].decode("utf-8", errors="replace")).strip()
    return text[:KEPT_CHARACTERS] or None


def _wait(given: Mapping[bytes, str]) -> float | None:
    """Return how many seconds ``Retry-After`` says, which may name a time instead: by the receiver's clock."""
    header = given.get(b"retry-after")
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        return float(header[:9])
    try:
        when = email.utils.parsedate_to_datetime(header).timestamp()
        date = given.get(b"date")
        now = time.time() if date is None else email.utils.parsedate_to_datetime(date).timestamp()
        return max(0.0, when - now)
    except (ValueError, OverflowError):
        return None


def _why_not(error: Exception) -> str:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return f"no trust in its TLS: {getattr(cause, 'verify_message', '') or cause.reason or cause}"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
        if isinstance(cause, TimeoutError):
            return "no connection in time"
    return f"no connection: {_words(causes[-1])}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what was behind it; of a group, what is in it too."""
    yield error
    for inner in (*getattr(error, "exceptions", ()), error.__cause__ or error.__context__):
        if inner is not None:
            yield from _causes(inner)


def _words(error: BaseException) -> str:
    return harmless(str(error)).strip()[:200] or type(error).__name__
