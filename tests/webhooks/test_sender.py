"""One request: to receivers on real sockets, which answer, hang, lie and lead elsewhere."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from manimcast.webhooks import sender as sending
from manimcast.webhooks.addresses import AddressRules
from manimcast.webhooks.network import Resolver
from manimcast.webhooks.sender import KEPT_CHARACTERS, Answer, Sender
from manimcast.webhooks.target import Target
from tests.clock import expiring
from tests.clock import run as run_on_a_clock
from tests.patience import PATIENCE
from tests.receivers import OK, Act, Receiver, answers, endlessly, hangs, receiving, status

pytestmark = pytest.mark.anyio

HERE = AddressRules([ipaddress.ip_network("127.0.0.1/32")])
BODY = b'{"type":"render.succeeded"}'


@pytest.fixture(params=["asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


class Names:
    """A resolver that gives its answers one after the other, and goes on giving the last one."""

    def __init__(self, *found: list[str] | OSError) -> None:
        self.found = list(found)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        found = self.found.pop(0) if len(self.found) > 1 else self.found[0]
        if isinstance(found, OSError):
            raise found
        return found


async def send(url: str, names: Names | None = None, rules: AddressRules = HERE, seconds: float = PATIENCE) -> Answer:
    deadline = asyncio.get_running_loop().time() + seconds
    sender = Sender(rules, names or Resolver())
    return await sender.send(Target.parse(url), {"webhook-id": "msg_1"}, BODY, deadline=deadline)


async def test_a_message_arrives_as_it_was_sent() -> None:
    async with receiving() as receiver:
        answer = await send(f"{receiver.url}?a=%20b")
    assert answer == Answer("answered 204", 204)
    assert answer.is_delivered
    [got] = receiver.got
    assert (got.line, got.body) == ("POST /hooks?a=%20b HTTP/1.1", BODY)
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["webhook-id"] == "msg_1"
    assert got.headers["content-length"] == str(len(BODY))


async def test_the_host_of_a_name_is_the_name() -> None:
    names = Names(["127.0.0.1"])
    async with receiving() as receiver:
        assert (await send(f"http://hooks.example.org:{receiver.port}/", names)).is_delivered
    assert receiver.got[0].headers["host"] == f"hooks.example.org:{receiver.port}"
    assert names.asked == [("hooks.example.org", receiver.port)]


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        (status(200, body=b"thanks"), Answer("answered 200", 200)),
        (status(500, body=b"out of order"), Answer("answered 500", 500, "out of order")),
        (status(410), Answer("answered 410", 410)),
        (status(429, retry_after="120"), Answer("answered 429", 429, None, 120)),
        (status(503, retry_after="soon"), Answer("answered 503", 503)),
        (status(503, retry_after="Thu, 01 Jan 1970 00:00:00 GMT"), Answer("answered 503", 503, None, 0)),
        (
            status(503, retry_after="Thu, 01 Jan 1970 00:01:00 GMT", date="Thu, 01 Jan 1970 00:00:20 GMT"),
            Answer("answered 503", 503, None, 40),
        ),
        (status(302, location="http://127.0.0.2/"), Answer("answered 302: redirects are not followed", 302)),
        (status(500, body=b"a\x00b\x1b[31mc\xff"), Answer("answered 500", 500, "abc\N{REPLACEMENT CHARACTER}")),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, Answer("answered 204", 204)),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nshort", Answer("answered 200", 200)),
        (b"HTTP/1.1 500 No\r\ncontent-length: 1000000\r\n\r\nshort", Answer("answered 500", 500, "short")),
        (b"HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", Answer("answered 500", 500)),
    ],
    ids=lambda value: value[:32].decode(errors="replace") if isinstance(value, bytes) else "",
)
async def test_what_a_receiver_answers_is_what_is_told(raw: bytes, answer: Answer) -> None:
    async with receiving(answers(raw)) as receiver:
        assert await send(receiver.url) == answer
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "raw",
    [b"", b"220 mail.example.org ESMTP\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", b"HTTP/1.1 200", b"\x16\x03\x01" * 50],
)
async def test_what_is_no_answer_is_none(raw: bytes) -> None:
    async with receiving(answers(raw)) as receiver:
        answer = await send(receiver.url)
    assert answer.status is None
    assert answer.reason.startswith("the connection broke before there was an answer")


async def test_a_redirect_inwards_is_not_followed() -> None:
    async with receiving(host="127.0.0.2") as inner:
        led = status(307, location=inner.url)
        async with receiving(answers(led)) as receiver:
            answer = await send(receiver.url, rules=AddressRules([ipaddress.ip_network("127.0.0.0/8")]))
    assert (answer.status, answer.is_delivered) == (307, False)
    assert inner.connections == 0


ENDLESS = b"HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("act", "kept"),
    [
        (endlessly(ENDLESS, b"400\r\n" + b"x" * 1024 + b"\r\n"), KEPT_CHARACTERS),
        (endlessly(b"HTTP/1.1 500 No\r\n\r\n", b"x" * 65536), KEPT_CHARACTERS),
        (endlessly(b"HTTP/1.1 500 No\r\ncontent-length: 9\r\n\r\nslow", b""), 4),
    ],
    ids=["in chunks", "until it closes", "and stops"],
)
async def test_an_endless_answer_is_read_so_far_and_no_further(
    act: Act, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kept == 4:
        monkeypatch.setattr(sending, "READ_SECONDS", 0.2)  # it is about that it ends
    async with receiving(act) as receiver:
        answer = await send(receiver.url)
    assert answer.status == 500
    assert len(answer.body or "") == kept


async def test_endless_headers_are_no_answer() -> None:
    async with receiving(endlessly(b"HTTP/1.1 200 OK\r\n", b"x: " + b"y" * 1024 + b"\r\n")) as receiver:
        assert (await send(receiver.url)).status is None


@pytest.mark.parametrize(
    "act",
    [
        hangs,
        endlessly(b"HTTP/1.1 200 OK\r\n", b"x", pause=0.01),
        endlessly(b"", b"HTTP/1.1 100 Wait\r\n\r\n", pause=0.01),
    ],
    ids=["silent", "drips", "always goes on in a moment"],
)
def test_who_does_not_come_to_an_end_is_given_up_at_the_deadline(act: Act) -> None:
    async def hanging() -> Answer:
        async with receiving(act) as receiver, expiring(15, lambda: receiver.got, what="the request"):
            return await send(receiver.url, seconds=15)

    answer = run_on_a_clock(hanging())
    assert (answer.status, answer.reason) == (None, "no answer within 15 s")


def test_a_name_that_takes_too_long_to_look_up_is_given_up() -> None:
    class Slow(Names):
        async def __call__(self, host: str, port: int) -> list[str]:
            await super().__call__(host, port)
            return await asyncio.Future[list[str]]()

    async def looking() -> Answer:
        names = Slow([])
        async with expiring(15, lambda: names.asked, what="the look-up"):
            return await send("https://slow.example.org/", names, seconds=15)

    assert run_on_a_clock(looking()).reason == "no answer within 15 s"


async def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert (await send(f"http://127.0.0.1:{port}/")).reason == "the connection was refused"
    answer = await send("https://nowhere.example.org/", Names(OSError("Name or service not known")))
    assert answer.reason == "the host nowhere.example.org is not known: Name or service not known"
    assert "is not known" in (await send("https://nowhere.example.org/", Names([]))).reason


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.2"],
        ["1.1.1.1", "127.0.0.2"],
        ["127.0.0.2", "127.0.0.1"],
        ["::ffff:127.0.0.2"],
        ["::1"],
        ["fe80::1%lo"],
    ],
    ids=",".join,
)
async def test_a_name_with_an_internal_address_is_refused_and_the_address_not_told(found: list[str]) -> None:
    async with receiving() as receiver, receiving(host="127.0.0.2", port=receiver.port) as inner:
        answer = await send(f"http://inner.example.org:{receiver.port}/", Names(found))
    assert answer.status is None
    assert answer.reason == "the host inner.example.org has an address that is internal, or not in use in the internet"
    assert receiver.connections == inner.connections == 0


async def test_what_a_name_means_is_asked_once_and_nothing_else_connected_to() -> None:
    """DNS rebinding: the first answer is permitted, every other one would lead inside."""
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    async with receiving() as receiver, receiving(host="127.0.0.2", port=receiver.port) as inner:
        url = f"http://rebinding.example.org:{receiver.port}/"
        assert (await send(url, names)).is_delivered
        assert len(names.asked) == 1
        assert (await send(url, names)).status is None, "and the next time it is checked anew"
        assert len(names.asked) == 2
    assert (receiver.connections, inner.connections) == (1, 0)


async def test_the_next_address_is_tried_when_the_first_does_not_answer() -> None:
    rules = AddressRules([ipaddress.ip_network("127.0.0.0/8")])
    async with receiving(host="127.0.0.3") as receiver:
        names = Names(["127.0.0.1", "127.0.0.2", "127.0.0.3"])
        assert (await send(f"http://example.org:{receiver.port}/", names, rules)).is_delivered


async def test_the_environment_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving(host="127.0.0.2") as proxy, receiving() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert (await send(receiver.url)).is_delivered
    assert proxy.connections == 0


async def test_the_systems_resolver_knows_this_host() -> None:
    assert set(await Resolver()("localhost", 80)) & {"127.0.0.1", "::1"}
    with pytest.raises(OSError, match=r"."):
        await Resolver()("nobody.invalid", 80)


class Certificates:
    """A certificate authority of the test's own, and a certificate for one name."""

    def __init__(self, folder: Path, name: str) -> None:
        self.authority, self.server = folder / "authority.pem", folder / "server.pem"
        key, day = ec.generate_private_key(ec.SECP256R1()), datetime.timedelta(days=1)
        now = datetime.datetime.now(datetime.UTC)
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
        certificate = (
            x509.CertificateBuilder(issuer, issuer, key.public_key(), x509.random_serial_number(), now - day, now + day)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.authority.write_bytes(pem)
        self.server.write_bytes(pem + private)


@pytest.fixture
async def secure(anyio_backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A receiver with TLS whose certificate is for ``hooks.example.org``, and the names that clients asked it for."""
    certificates = Certificates(tmp_path, "hooks.example.org")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    async with receiving(ssl=context) as receiver:
        yield receiver, asked


async def test_tls_is_with_the_name_at_the_address_that_was_checked(secure: tuple[Receiver, list[str | None]]) -> None:
    receiver, asked = secure
    answer = await send(f"https://hooks.example.org:{receiver.port}/", Names(["127.0.0.1"]))
    assert answer.is_delivered, answer.reason
    assert asked == ["hooks.example.org"]


async def test_another_names_certificate_is_not_trusted(secure: tuple[Receiver, list[str | None]]) -> None:
    receiver, _ = secure
    answer = await send(f"https://other.example.org:{receiver.port}/", Names(["127.0.0.1"]))
    assert answer.status is None
    assert answer.reason.startswith("no trust in its TLS: Hostname mismatch")
    assert receiver.got == []


async def test_a_receiver_without_tls_gets_nothing_that_was_to_be_secret() -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set_result(await reader.read(100_000))
        writer.write(status(400))
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        answer = await send(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert answer.status is None
    assert answer.reason.startswith("no trust in its TLS")
    assert b"webhook" not in await heard
