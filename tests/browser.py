"""Chromium without a window, and pages for it to look at."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.patience import PATIENCE


class Quiet(BaseHTTPRequestHandler):
    """A handler of requests that logs nothing."""

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def site(handler: type[Quiet]) -> Iterator[str]:
    """Serve what ``handler`` answers; yields the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def look(address: str, folder: Path, arrived: threading.Event, *options: str) -> None:
    """Have Chromium look at a page until something has ``arrived``. Its profile and its log lie in ``folder``."""
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--mute-audio", "--no-first-run", *options]
    log = folder / "chromium.log"
    with log.open("wb") as output:
        browser = subprocess.Popen(
            [*command, f"--user-data-dir={folder / 'profile'}", address], stdout=output, stderr=output
        )
    try:
        assert arrived.wait(PATIENCE), log.read_text(errors="replace")[-3000:]
    finally:
        browser.terminate()
        browser.wait(PATIENCE)
