"""Serving the application: `python run.py` and `manimcast serve`.

The socket is opened before anything large is imported, so that a port in use is told at once, and a client that
comes early waits in the socket's backlog instead of being refused.
"""

from __future__ import annotations

import errno
import socket
import sys
from typing import NoReturn

from manimcast.settings import Settings, SettingsError, load

BACKLOG = 2048


def main() -> None:
    """Serve with the settings of the environment. What runs when somebody says `python run.py`."""
    try:
        settings = load()
    except SettingsError as error:
        _give_up(str(error))
    serve(settings)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then let running renders finish within ``SHUTDOWN_GRACE``.

    When the service cannot start, one line on standard error says why and what helps, and the process exits
    with status 1.
    """
    with _listen(settings.host, settings.port) as listener:
        # After the socket: these are most of the time that a start takes.
        from manimcast.api.lifecycle import StartError, run  # noqa: PLC0415

        try:
            run(settings, listener)
        except StartError as error:
            _give_up(str(error))


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, where = found[0]
        listener = socket.socket(family, kind, protocol)
        # So that a restart need not wait until the kernel has forgotten the last service's connections.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(BACKLOG)
    except (OSError, UnicodeError) as error:
        _give_up(_why_not(host, port, error))
    return listener


def _why_not(host: str, port: int, error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"HOST={host} is not an address. Try HOST=127.0.0.1."
    if number == errno.EADDRINUSE:
        return f"Port {port} is in use. Stop the program that uses it, or set PORT to another one (PORT=0: any)."
    if number == errno.EACCES:
        return f"Port {port} needs privileges that this user does not have. Set PORT to one above 1023."
    if number == errno.EADDRNOTAVAIL:
        return f"HOST={host} is not an address of this machine. Try HOST=127.0.0.1."
    return f"Cannot listen on {host}, port {port}: {error}. Set HOST and PORT."


def _give_up(message: str) -> NoReturn:
    print(f"manimcast: {message}", file=sys.stderr)  # noqa: T201 - logging may not be set up yet
    raise SystemExit(1)
