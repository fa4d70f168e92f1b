"""Somebody else's render, which goes on beside an attack and must not notice it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx

from tests.attacks.host import VIDEO
from tests.e2e.server import Server

# It has something to hide in a file and in memory, and goes on when it gets a signal, which only the tests can send.
_CODE = """
import signal, time
from pathlib import Path

config.pixel_width, config.pixel_height, config.frame_rate = 64, 36, 5
SECRET = {secret!r}


class Neighbour(Scene):
    def construct(self):
        let_go = []
        signal.signal(signal.SIGUSR1, lambda *_: let_go.append(True))
        Path("diary.txt").write_text(SECRET)
        self.wait(0.2)
        while not let_go:
            time.sleep(0.005)
        assert Path("diary.txt").read_text() == SECRET, "somebody wrote in the diary"
        self.play(Create(Circle(color=BLUE)), run_time=0.6)
"""


class Neighbour:
    """A render that holds still until it is let go.

    Attributes
    ----------
    pids
        Its processes, as the host sees them.
    """

    def __init__(self, server: Server, client: httpx.Client) -> None:
        self._server = server
        self._client = client
        others = set(server.processes())
        body = {"code": _CODE.format(secret=secrets.token_hex(16)), "quality": "low", "stream": True}
        self._request = self._client.stream("POST", VIDEO, json=body)
        self._lines: Iterator[str] = self._request.__enter__().iter_lines()
        self._last: dict[str, object] = {}
        while self._last != {"animationIndex": 0, "percentage": 100} and self._next():
            pass
        self.pids = sorted(set(server.processes()) - others)

    def finish(self) -> str:
        """Let it go, and return the SHA-256 of its video, or what became of it instead."""
        for pid in {*self.pids} & {*self._server.processes()}:  # a number may be another process's by now
            with suppress(OSError):
                if _handles(pid, signal.SIGUSR1):
                    os.kill(pid, signal.SIGUSR1)
        try:
            while self._next():
                pass
            self._request.__exit__(None, None, None)
            url = self._last.get("video_url")
            return hashlib.sha256(self._client.get(str(url)).content).hexdigest() if url else json.dumps(self._last)
        except httpx.HTTPError as error:
            return repr(error)

    def _next(self) -> bool:
        """Read its next line; return whether there was one, and another may follow."""
        line = next(self._lines, None)
        if line is None:
            return False
        self._last = json.loads(line)
        return "error" not in self._last and "video_url" not in self._last


def _handles(pid: int, number: int) -> bool:
    """Whether the process has a handler for the signal, which would end any other."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)
