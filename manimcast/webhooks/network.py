"""Connections to receivers: a name is looked up once, its addresses are checked, and one of these is connected to.

There is nothing between the check and the use: what the name means a moment later is not asked. So a name that changes
its address from a public one to an internal one ("DNS rebinding") gains nothing by it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable

import httpcore

from manimcast.webhooks.addresses import AddressRules

CONNECT_TIMEOUT = 5.0
"""Seconds to connect to one address."""
ADDRESSES = 4
"""Addresses of a name that are tried."""
LOOKUPS = 256
"""Names that are being looked up at once; the system's resolver may take half a minute for each, and is not stopped."""

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Returns the addresses of a host, or raises ``OSError``."""


class AddressRefusedError(Exception):
    """The host has an address that webhooks may not go to: ``address``."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(f"{host} is {address}")
        self.address = address


class UnknownHostError(Exception):
    """The host's name has no address. The message says why."""


class Resolver:
    """Looks names up with the system's resolver, in threads that nobody waits for longer than they want to."""

    def __init__(self) -> None:
        self._busy = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host; raise ``OSError`` when there are none."""
        if self._busy >= LOOKUPS:
            raise OSError("too many names are being looked up")
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[str]] = loop.create_future()
        self._busy += 1

        def settle(addresses: list[str] | None, error: Exception | None) -> None:
            self._busy -= 1
            if found.done():
                return
            if error is not None:
                found.set_exception(error)
            else:
                found.set_result(addresses or [])

        def look_up() -> None:
            addresses, failure = None, None
            try:
                entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
            except (OSError, UnicodeError) as error:
                failure = OSError(str(error))
            try:
                loop.call_soon_threadsafe(settle, addresses, failure)
            except RuntimeError:  # the loop has been closed meanwhile
                return

        # Not the loop's own threads, which a few slow name servers would fill; nor any that the exit waits for.
        threading.Thread(target=look_up, name="webhook-resolver", daemon=True).start()
        return await found


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to nothing but permitted addresses. All else that a backend may do, the base class refuses."""

    def __init__(self, rules: AddressRules, resolve: Resolve) -> None:
        self._rules = rules
        self._resolve = resolve
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of ``host`` that answers, if all of them are permitted.

        Raises :class:`UnknownHostError`, :class:`AddressRefusedError`, or httpcore's own errors.
        """
        try:
            found = [ipaddress.ip_address(host).exploded]
        except ValueError:
            try:
                found = await self._resolve(host, port)
            except OSError as error:
                raise UnknownHostError(str(error)) from error
        if not found:
            raise UnknownHostError("it has no address")
        for address in found:
            if not self._rules.permit(ipaddress.ip_address(address)):
                raise AddressRefusedError(host, address)
        *others, last = found[:ADDRESSES]
        for address in others:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._backend.connect_tcp(address, port, CONNECT_TIMEOUT)
        return await self._backend.connect_tcp(last, port, CONNECT_TIMEOUT)
