"""AWS Signature Version 4, in the header, for requests that obstore has no call for.

As https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html has it: every header that is given is
signed, and the body by its digest, so that nobody on the way changes either.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"
_SERVICE = "s3"


@dataclass(frozen=True)
class Signing:
    """What requests are signed with."""

    key_id: str
    secret: str = field(repr=False)
    region: str

    def headers(self, method: str, url: str, given: Mapping[str, str], body: bytes, when: datetime) -> dict[str, str]:
        """Return ``given``, whose names are in lower case, with what makes the request valid for 15 minutes.

        ``url`` is as :func:`address` makes it.
        """
        parts = urlsplit(url)
        stamp = when.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        headers = {**given, "host": parts.netloc, "x-amz-date": stamp, "x-amz-content-sha256": digest}
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
        request = f"{method}\n{parts.path}\n{parts.query}\n{lines}\n{names}\n{digest}"
        scope = f"{stamp[:8]}/{self.region}/{_SERVICE}/aws4_request"
        text = "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
        signature = hmac.new(self._key(stamp[:8]), text.encode(), hashlib.sha256).hexdigest()
        credential = f"Credential={self.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {**headers, "authorization": f"{_ALGORITHM} {credential}"}

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret}".encode()
        for part in (day, self.region, _SERVICE, "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key


def address(bucket: str, key: str, query: Sequence[tuple[str, str]] = ()) -> str:
    """Return the address of the object ``key`` below that of its bucket, written as signatures have it."""
    asked = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(query))
    path = f"{bucket}/{quote(key, safe='/-_.~')}"
    return f"{path}?{asked}" if asked else path
