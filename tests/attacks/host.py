"""The service under attack, as the driver of an attack sees it."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx

from tests.attacks import answer
from tests.attacks.answer import Answer
from tests.attacks.attack import Attack
from tests.attacks.planted import Planted
from tests.e2e.server import Server
from tests.patience import PATIENCE

TENANTS = {"first": "the-key-of-the-first", "second": "the-key-of-the-second"}
"""Keys that the service knows, by the names of their tenants."""
VIDEO = "/v1/video/rendering"
RENDERS = "/v1/renders"


class Host:
    """What a ``drive`` gets.

    Attributes
    ----------
    client
        A client of the service.
    server
        Its process.
    planted
        What lies around for the attack to find.
    facts
        What the attack knows of it.
    answers
        Every answer to a render so far.
    """

    def __init__(
        self,
        attack: Attack,
        server: Server,
        client: httpx.Client,
        planted: Planted,
        facts: dict[str, Any],
        serve: Callable[..., AbstractContextManager[Server]],
    ) -> None:
        self._attack = attack
        self._serve = serve
        self.facts = facts
        self.server = server
        self.planted = planted
        self.client = client
        self.answers: list[Answer] = []

    @contextmanager
    def another(self, **settings: Any) -> Iterator[Host]:
        """Start a service of the attack's own, with ``settings``, and yield it; its answers count among these."""
        with self._serve(**settings) as server, server.client() as client:
            other = Host(self._attack, server, client, self.planted, self.facts, self._serve)
            other.answers = self.answers
            yield other

    def render(self, code: str | None = None, *, step: str = "", tenant: str | None = None, **request: Any) -> Answer:
        """Post the attack, or other code, and return the answer.

        ``step`` is what the attack sees as ``target.step``; more facts can be given to it as ``facts``. ``tenant``, one
        of :data:`TENANTS`, is whose key is sent. With further fields, or those that the attack names in REQUEST, the
        request goes to ``/v1/renders``.
        """
        facts = self.facts | {"step": step} | request.pop("facts", {})
        fields = self._attack.request | request
        headers = {"x-api-key": TENANTS[tenant]} if tenant else {}
        plain = code is not None
        if not plain:
            code = self._attack.code(facts)
            fields |= {"scene": "Attack"} if fields else {"file_class": "Attack"}
        if self._attack.request or request:
            headers["prefer"] = f"wait={PATIENCE - 10:.0f}"
            response = self.client.post(RENDERS, json={"code": code} | fields, headers=headers)
        else:
            response = self.client.post(VIDEO, json={"code": code, "quality": "low"} | fields, headers=headers)
        self.answers.append(answer.read(response, plain=plain))
        return self.answers[-1]

    def send(self, method: str, path: str, *, tenant: str | None = None, **request: Any) -> httpx.Response:
        """Send any request, with the key of ``tenant``, and return the answer as it is."""
        headers = request.pop("headers", {}) | ({"x-api-key": TENANTS[tenant]} if tenant else {})
        return self.client.request(method, path, headers=headers, **request)

    def upload(self, name: str, content: bytes, *, tenant: str | None = None) -> str:
        """Upload an asset, which must be taken, and return its id."""
        answer = self.send("POST", "/v1/assets", tenant=tenant, files={"file": (name, content)})
        assert answer.status_code in {200, 201}, answer.text
        asset: str = answer.json()["id"]
        return asset

    def video(self, answer: Answer) -> bytes:
        """Return the video of a render."""
        return self.client.get(answer.video_url).content

    def together(self, *steps: str) -> list[Answer]:
        """Post the attack once for each of ``steps``, all at the same time, and return the answers."""
        with ThreadPoolExecutor(len(steps)) as pool:
            return list(pool.map(lambda step: self.render(step=step), steps))

    def raw(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Send a request whose path nothing tidies up, and return status and body of the answer."""
        url = httpx.URL(self.server.address)
        connection = http.client.HTTPConnection(url.host, url.port, timeout=PATIENCE)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            if body is not None:
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()
