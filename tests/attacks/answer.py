"""What the service said to an attack, and what that means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from tests.attacks.attack import BROKEN, ESCAPED, KILLED, REFUSED, RENDERED, STOPPED

_VERDICTS = {"Escaped": ESCAPED, "Stopped": STOPPED, "Broken": BROKEN}


@dataclass(frozen=True)
class Answer:
    """An answer to a request for a render, from either endpoint.

    Attributes
    ----------
    outcome
        One of the outcomes that an attack can expect.
    detail
        The rest of it in a few words.
    """

    status: int
    body: dict[str, Any]
    text: str
    outcome: str
    detail: str

    @property
    def render_id(self) -> str:
        """The render's id."""
        return str(self.body.get("render_id") or self.body["id"])

    @property
    def video_url(self) -> str:
        """Where the video lies, of a render that has one."""
        return str(self.body.get("video_url") or self.body["result"]["video_url"])


def read(response: httpx.Response, *, plain: bool = False) -> Answer:
    """Return what ``response`` means; ``plain`` if it was not an attack's own text that was posted."""
    try:
        body = response.json()
    except ValueError:
        return Answer(response.status_code, {}, response.text, "internal", "the answer is not JSON")
    outcome, detail = _meaning(response.status_code, body, plain=plain)
    return Answer(response.status_code, body, response.text, outcome, detail)


def _meaning(status: int, body: dict[str, Any], *, plain: bool) -> tuple[str, str]:
    error = body.get("scene_error") or body.get("error")
    if not error and status == 200:
        return RENDERED, ""
    if not isinstance(error, dict):
        said = str(error or body.get("detail") or body)
        return (REFUSED if 400 <= status < 500 else "internal"), f"{status} {said}"
    code, exception, message = error["code"], error.get("exception"), error["message"]
    if exception in _VERDICTS:
        return _VERDICTS[exception], message
    if code == "exception" and not exception:
        return KILLED, message
    if code in {"exception", "syntax_error"} and not plain:
        return BROKEN, f"{exception}: {message}"
    return code, message
