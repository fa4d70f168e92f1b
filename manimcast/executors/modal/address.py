"""Whether anything answers at Modal's address: its client tries for a minute before it says so, and not why."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlsplit

TRIES = 2
PAUSE = 0.3
"""Seconds between two tries."""


async def problem(url: str) -> str | None:
    """Return why no connection to ``url`` can be opened; None if one can, or if that cannot be told from here.

    Takes as long as the network does, so the caller bounds it.
    """
    parts = urlsplit(url)
    if "," in url or not parts.hostname:
        return None  # alternatives, which the client goes through by itself
    port = parts.port or (443 if parts.scheme == "https" else 80)
    reason = None
    for number in range(TRIES):
        if number:
            await asyncio.sleep(PAUSE)
        try:
            _, writer = await asyncio.open_connection(parts.hostname, port)
        except socket.gaierror:
            reason = f"the name {parts.hostname} cannot be resolved"
        except ConnectionRefusedError:
            reason = f"{parts.hostname}:{port} refuses connections"
        except OSError as error:
            reason = f"{parts.hostname}:{port} cannot be reached ({error.strerror or error})"
        else:
            writer.close()
            return None
    return reason
