"""What runs in a container, without Modal around it: a real warm process, real renders, the items of each call."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from manimcast import __version__, wire
from manimcast.executors import confined
from manimcast.executors.confined import limits_of
from manimcast.executors.modal import container as module
from manimcast.executors.modal.container import USER_VARIABLE, Container, reaches
from manimcast.executors.modal.protocol import CHUNK, PROTOCOL
from manimcast.executors.modal.receive import Receiver
from manimcast.settings import Settings
from manimcast.spec import ErrorCode, RenderSpec
from tests.assets.samples import use_of
from tests.executors.rig import RING, SMALL, scene, zygotes
from tests.modal_plane.running import nobody_listens
from tests.modal_plane.scene_user import substitute
from tests.patience import PATIENCE, until

LIMITS = limits_of(Settings(_env_file=None))
ENDLESS = "print('looping', flush=True)\nwhile True: pass"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where containers put their renders' folders: where other users may look, as in /tmp."""
    tmp_path_factory.getbasetemp()  # pytest's own stays where it is
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        patch.setattr(tempfile, "tempdir", name)
        patch.chdir(name)
        patch.setenv("RENDER_MEMORY", "1024")
        yield Path(name)


@pytest.fixture(scope="module")
def container(scratch: Path) -> Iterator[Container]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(USER_VARIABLE, "")
        running = Container.warm()
    yield running
    end(running)
    assert zygotes() == []


@pytest.fixture(autouse=True)
def _nothing_is_left(scratch: Path) -> Iterator[None]:
    yield
    until(lambda: not list(scratch.glob("render-*")), "the end of every render's folder")


def end(running: Container) -> None:
    """End the warm process and the event loop; on Modal they end with their container."""
    if running._zygote is not None:
        running._do(running._zygote.kill()).result(PATIENCE)
    running._loop.call_soon_threadsafe(running._loop.stop)
    until(lambda: not running._loop.is_running(), "the end of the loop")
    running._loop.close()


def call(body: str, *, timeout: float = PATIENCE, **spec: Any) -> dict[str, Any]:
    """Return a call as the service sends it."""
    return {
        "protocol": PROTOCOL,
        "operation": "render",
        "token": "token",
        "spec": RenderSpec(code=scene(body), **(SMALL | spec)).model_dump(mode="json"),
        "limits": LIMITS.model_dump(mode="json"),
        "timeout": timeout,
    }


def stream(running: Container, raw: object) -> list[dict[str, Any]]:
    return list(running.stream(raw, call_id="fc-1", container="ta-1"))


def said(items: list[dict[str, Any]]) -> list[wire.Message]:
    return [wire.parse(item["body"]) for item in items if item["type"] == "message"]


def failed(items: list[dict[str, Any]]) -> wire.Failed:
    last = said(items)[-1]
    assert isinstance(last, wire.Failed), last
    return last


def test_a_good_scene(container: Container, tmp_path: Path) -> None:
    items = stream(container, call(RING + "\nself.next_section('b')\n" + RING, save_sections=True, seed=7))
    assert [item["seq"] for item in items] == list(range(len(items)))
    assert len({item["run"] for item in items}) == 1
    opened, *rest = items
    assert opened["type"] == "opened"
    assert (opened["protocol"], opened["call_id"], opened["container"]) == (PROTOCOL, "fc-1", "ta-1")
    assert opened["facts"] == container.facts
    assert rest[-1]["type"] == "closed"
    messages = said(items)
    assert [type(message) for message in messages[:3]] == [wire.Hello, wire.Started, wire.Playing]
    finished = messages[-1]
    assert isinstance(finished, wire.Finished)
    chunks = [item for item in rest if item["type"] == "chunk"]
    names = list(dict.fromkeys(item["name"] for item in chunks))
    assert names == [file.name for file in finished.report.files]
    assert {"video.mp4", "poster.jpg"} < set(names)
    assert len(names) == 4
    # What the service makes of it.
    receiver = Receiver(RenderSpec(code="x", seed=7), LIMITS, tmp_path)
    for item in items:
        list(receiver.take(item))
    assert receiver.is_complete
    assert isinstance(receiver.end, wire.Finished)
    assert rest[-1]["seconds"] > 0
    assert receiver.end.report.seed == 7
    assert (tmp_path / "video.mp4").read_bytes()[4:8] == b"ftyp"


def test_tex_is_typeset_apart_from_the_scene_and_nothing_of_it_is_kept(container: Container, scratch: Path) -> None:
    runs = container._typesetter.runs
    for _ in range(2):
        last = said(stream(container, call("self.add(MathTex('x^2'), MathTex('x^2'))", format="png")))[-1]
        assert isinstance(last, wire.Finished), last
    assert container._typesetter.runs == runs + 2
    assert not list(scratch.rglob("cache"))


def test_long_files_come_in_chunks(container: Container, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(2 * CHUNK + 1))
    chunks = list(module._chunks(path))
    assert [len(chunk) for chunk in chunks] == [CHUNK, CHUNK, 1]
    assert b"".join(chunks) == path.read_bytes()


def test_assets_come_with_the_call(container: Container, scratch: Path) -> None:
    content = b"x" * (3 * CHUNK)
    body = "import os\nprint(os.path.getsize('a.txt'), open('a.txt').read(3))\n" + RING
    asked = call(body, assets=[use_of("a.txt", content)])
    messages = said(stream(container, asked | {"attached": [content]}))
    assert isinstance(messages[-1], wire.Finished), messages[-1]
    assert [message.text for message in messages if isinstance(message, wire.Logged)] == [f"{len(content)} xxx"]


@pytest.mark.parametrize("attached", [[], [b"abcd"], [b"abc", b""]])
def test_assets_that_are_not_those_of_the_spec(container: Container, attached: list[bytes]) -> None:
    items = stream(container, call(RING, assets=[use_of("a.txt", b"abc")]) | {"attached": attached})
    assert items[-1]["reason"] == "the assets of the call are not those of its spec"


def test_a_failing_scene(container: Container) -> None:
    items = stream(container, call("print('before')\nundefined"))
    assert items[-1]["type"] == "closed"
    assert not [item for item in items if item["type"] == "chunk"]
    error = failed(items).error
    assert (error.code, error.exception, error.log) == (ErrorCode.exception, "NameError", "before")


def test_a_scene_that_takes_too_long(container: Container) -> None:
    items = stream(container, call(ENDLESS, timeout=1))
    assert failed(items).error.code is ErrorCode.timeout
    assert failed(items).error.message == "The render took longer than 1 seconds."
    assert items[-1]["seconds"] >= 1


def test_silence_is_broken(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ALIVE_SECONDS", 0.05)
    items: list[dict[str, Any]] = []
    with closing(container.stream(call(ENDLESS), call_id="", container="")) as saying:
        for item in saying:
            items.append(item)
            if [item["type"] for item in items].count("alive") >= 3:
                break
    assert [item["seq"] for item in items] == list(range(len(items)))
    assert items[-1]["type"] == "alive"


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (None, ""),
        ([], ""),
        ({}, "token"),
        ({"operation": "storyboard"}, "operation"),
        ({"timeout": -1}, "timeout"),
        ({"news": 1}, "news"),
        ({"token": "../etc"}, "token"),
        ({"spec": {"code": "x", "quality": "best"}}, "spec.quality"),
        ({"spec": {"code": "x", "invented": 1}}, "spec.invented"),
    ],
)
def test_a_call_of_another_version(container: Container, raw: Any, where: str) -> None:
    if isinstance(raw, dict) and raw:
        raw = call(RING) | raw
    opened, fault = stream(container, raw)
    assert opened["type"] == "opened"
    assert fault["type"] == "fault"
    assert fault["reason"].startswith(f"the deployed app does not understand the call: {where}: ")


def test_left_in_the_middle(container: Container) -> None:
    """When Modal closes the generator, the render ends."""
    zygote = container._zygote
    assert zygote is not None
    with closing(container.stream(call(ENDLESS), call_id="", container="")) as items:
        assert any(
            isinstance(message := wire.parse(item["body"]), wire.Logged) and message.text == "looping"
            for item in items
            if item["type"] == "message"
        )
        assert not zygote.idle
    until(lambda: zygote.idle, "the end of the render")
    assert failed(stream(container, call("undefined"))).error.exception == "NameError"


def test_a_call_that_is_answered_clears_up(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not canceled meanwhile, which would leave its connection open."""
    monkeypatch.setattr(module, "ALIVE_SECONDS", PATIENCE)
    cleared = []
    whole = confined._Attempt.end

    async def slowly(attempt: confined._Attempt) -> None:
        await asyncio.sleep(0.5)  # as long as a cancel would have to come
        await whole(attempt)
        cleared.append(attempt)

    monkeypatch.setattr(confined._Attempt, "end", slowly)
    assert stream(container, call("undefined"))[-1]["type"] == "closed"
    assert len(cleared) == 1


def test_several_calls_at_once(container: Container) -> None:
    """On Modal there is one at a time; nothing here depends on that."""

    async def both() -> list[list[dict[str, Any]]]:
        calls = [asyncio.to_thread(stream, container, call(f"raise ValueError({number})")) for number in (1, 2)]
        return await asyncio.gather(*calls)

    assert [failed(items).error.message for items in asyncio.run(both())] == ["1", "2"]


def test_the_environment_is_not_the_scenes(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "import os\nprint(sorted(name for name in os.environ if name.startswith(('MODAL', 'AWS'))))\nraise KeyError"
    monkeypatch.setenv("MODAL_TASK_ID", "ta-1")
    assert failed(stream(container, call(body))).error.log == "[]"


def test_health_and_facts(container: Container) -> None:
    health = container.health()
    assert (health["status"], health["error"], health["protocol"]) == ("healthy", None, PROTOCOL)
    assert health["manim_version"] == "0.22.0"
    assert health["numpy_version"]
    assert health["ffmpeg_available"] is True
    assert health["ffmpeg_version"].startswith("libavcodec ")
    assert health["timestamp"].endswith("+00:00")
    facts = health["facts"]
    assert facts["manimcast"] == __version__
    assert container._zygote is not None
    assert facts["layers"].split(",") == sorted(container._zygote.layers) != []
    assert all(isinstance(value, str) for value in facts.values())


def test_a_container_that_does_not_get_warm(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(USER_VARIABLE, "nobody-of-this-name")
    broken = Container.warm()
    reason = "the warm process does not start: there is no user nobody-of-this-name on this host"
    opened, fault = stream(broken, call(RING))
    assert opened["facts"] == {"manimcast": __version__, "user": "nobody-of-this-name", "layers": ""}
    assert (fault["type"], fault["reason"]) == ("fault", reason)
    health = broken.health()
    assert (health["status"], health["error"], health["ffmpeg_available"]) == ("unhealthy", reason, False)
    end(broken)


@pytest.mark.skipif(os.geteuid() != 0 or not substitute(), reason="only root may become another user")
def test_the_scene_is_another_user(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(USER_VARIABLE, substitute())
    other = Container.warm()
    try:
        items = stream(other, call(RING))
        assert items[-1]["type"] == "closed"
        assert isinstance(said(items)[-1], wire.Finished)
        assert other.facts["user"] == substitute()
        assert "other_user" in other.facts["layers"].split(",")
        body = "import os\nprint(os.getuid() == 0, os.getgid() == 0, os.getgroups())\nraise KeyError"
        error = failed(stream(other, call(body))).error
        assert (error.log or "").startswith("False False []"), error
    finally:
        end(other)


def test_the_warm_process_dies(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The container is then of no more use, and says so."""
    monkeypatch.setenv(USER_VARIABLE, "")
    running = Container.warm()
    assert running._zygote is not None
    raw = call(ENDLESS)
    last = None
    for item in running.stream(raw, call_id="", container=""):
        last = item
        if item["type"] == "message" and b"looping" in item["body"]:
            running._do(running._zygote.kill()).result(PATIENCE)
    assert last is not None
    assert (last["type"], last["reason"]) == ("fault", "the warm process ended while the render ran")
    assert stream(running, raw)[-1]["reason"] == "the warm process is gone"
    end(running)


def test_reaching_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert reaches(f"127.0.0.1:{port}")
    assert not reaches(nobody_listens().removeprefix("http://"))
    for nonsense in ("", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:99999999"):
        assert not reaches(nonsense)
