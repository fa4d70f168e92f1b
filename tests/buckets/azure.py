"""As much of Azure's blob service as an upload, a link and a deletion need; it checks the account, no signature."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.buckets.listening import listening

ACCOUNT = "tests"


@dataclass
class Blob:
    """What was stored, and what it is served with."""

    content: bytes
    headers: dict[str, str]


@dataclass
class Azure:
    """A running double, with its blobs by their paths."""

    address: str = ""
    blobs: dict[str, Blob] = field(default_factory=dict)
    blocks: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def azure() -> Iterator[Azure]:
    """Run the double in a thread."""
    running = Azure()

    class Handler(_Handler):
        azure = running

    with listening(Handler) as port:
        running.address = f"http://127.0.0.1:{port}"
        yield running


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    azure: Azure

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        blobs, blocks = self.azure.blobs, self.azure.blocks
        is_allowed = f"SharedKey {ACCOUNT}:" in self.headers.get("authorization", "") or "sig" in query
        if not is_allowed:
            return self._answer(403, b"<Error><Code>AuthenticationFailed</Code></Error>")
        match self.command, query.get("comp", [""])[0]:
            case "PUT", "block":
                blocks[query["blockid"][0]] = body
                return self._answer(201)
            case "PUT", "blocklist":
                names = re.findall(r"<(?:Uncommitted|Latest)>(.*?)</", body.decode())
                blobs[parts.path] = Blob(b"".join(blocks[name] for name in names), self._kept())
                return self._answer(201)
            case "PUT", _:
                blobs[parts.path] = Blob(body, self._kept())
                return self._answer(201)
            case "POST", "batch":
                found = [blobs.pop(path, None) for path in re.findall(r"DELETE (\S+) HTTP", body.decode())]
                answers = "".join(
                    f"--b\r\nContent-Type: application/http\r\nContent-ID: {number}\r\n\r\n"
                    f"HTTP/1.1 {'404 Not Found' if blob is None else '202 Accepted'}\r\nx-ms-version: 1\r\n\r\n\r\n"
                    for number, blob in enumerate(found)
                )
                return self._answer(
                    202, f"{answers}--b--\r\n".encode(), {"content-type": "multipart/mixed; boundary=b"}
                )
            case (("GET" | "HEAD"), _) if (blob := blobs.get(parts.path)) is not None:
                return self._answer(200, blob.content, blob.headers)
        return self._answer(404, b"<Error><Code>BlobNotFound</Code></Error>")

    do_GET = do_HEAD = do_PUT = do_POST = _handle  # noqa: N815 - the library's names

    def _kept(self) -> dict[str, str]:
        names = ("content-type", "content-disposition", "cache-control")
        return {name: value for name in names if (value := self.headers.get(f"x-ms-blob-{name}")) is not None}

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        always = {"etag": '"1"', "last-modified": formatdate(usegmt=True), "content-length": str(len(body))}
        for name, value in (always | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""
