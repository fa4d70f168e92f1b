"""The service under attack, as the driver of an attack sees it."""

from __future__ import annotations

import http.client
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.attacks import answer
from tests.attacks.answer import Answer
from tests.attacks.attack import Attack
from tests.attacks.planted import Planted
from tests.e2e.server import Server
from tests.patience import PATIENCE

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
        self, attack: Attack, server: Server, client: httpx.Client, planted: Planted, facts: dict[str, Any]
    ) -> None:
        self._attack = attack
        self.facts = facts
        self.server = server
        self.planted = planted
        self.client = client
        self.answers: list[Answer] = []

    def render(self, code: str | None = None, *, step: str = "", **request: Any) -> Answer:
        """Post the attack, or other code, and return the answer.

        ``step`` is what the attack sees as ``target.step``; more facts can be given to it as ``facts``. With further
        fields, or those that the attack names in REQUEST, the request goes to ``/v1/renders``.
        """
        facts = self.facts | {"step": step} | request.pop("facts", {})
        fields = self._attack.request | request
        plain = code is not None
        if not plain:
            code = self._attack.code(facts)
            fields |= {"scene": "Attack"} if fields else {"file_class": "Attack"}
        if self._attack.request or request:
            response = self.client.post(
                RENDERS, json={"code": code} | fields, headers={"prefer": f"wait={PATIENCE - 10:.0f}"}
            )
        else:
            response = self.client.post(VIDEO, json={"code": code, "quality": "low"} | fields)
        self.answers.append(answer.read(response, plain=plain))
        return self.answers[-1]

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
