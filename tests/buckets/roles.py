"""A double that gives out temporary credentials, as Amazon does to roles, and notes what comes to its bucket.

It takes every signature; whose it is can be read from what it noted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.buckets.listening import listening

WEB_IDENTITY = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{key}</AccessKeyId>
<SecretAccessKey>secret</SecretAccessKey><SessionToken>{token}</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>
</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


@dataclass(frozen=True)
class Signed:
    """A request to the bucket, and with what it was signed. ``headers`` have their names in lower case."""

    method: str
    path: str
    headers: dict[str, str]

    @property
    def by(self) -> tuple[str, str, str | None]:
        """The key, the region that it is signed for, and the session's token."""
        found = re.search(r"Credential=([^/]+)/\d+/([^/]+)/s3/", self.headers["authorization"])
        assert found is not None
        return found[1], found[2], self.headers.get("x-amz-security-token")


@dataclass
class Roles:
    """A running double."""

    address: str = ""
    signed: list[Signed] = field(default_factory=list)


@contextmanager
def roles() -> Iterator[Roles]:
    """Run the double in a thread."""
    running = Roles()

    class Handler(_Handler):
        roles = running

    with listening(Handler) as port:
        running.address = f"http://127.0.0.1:{port}"
        yield running


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    roles: Roles

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if parts.path == "/role":
            given = {"AccessKeyId": "key-of-the-task", "SecretAccessKey": "secret", "Token": "token-of-the-task"}
            return self._answer(json.dumps(given | {"Expiration": "2999-01-01T00:00:00Z"}))
        if b"AssumeRoleWithWebIdentity" in body:
            who = parse_qs(body.decode())
            assert who["WebIdentityToken"] == ["who I am"]
            return self._answer(WEB_IDENTITY.format(key="key-of-the-pod", token="token-of-the-pod"))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.roles.signed.append(Signed(self.command, parts.path, headers))
        return self._answer("<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>")

    do_GET = do_PUT = do_POST = _handle  # noqa: N815 - the library's names

    def _answer(self, body: str) -> None:
        self.send_response_only(200)
        self.send_header("etag", '"1"')
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""
