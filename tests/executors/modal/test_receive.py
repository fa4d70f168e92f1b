"""What a container sends is taken for hostile: nothing but verdicts comes of it, and files only where they belong."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manimcast import wire
from manimcast.executors.base import ExecutorError
from manimcast.executors.modal.incoming import writes
from manimcast.executors.modal.protocol import CHUNK, PROTOCOL
from manimcast.executors.modal.receive import MAX_SIDE_FILES, Receiver
from manimcast.settings import MIB
from manimcast.spec import ErrorCode, RenderSpec, SceneError
from tests.executors.modal.conversation import Item, Talk

LIMITS = wire.Limits(duration=10, frames=100, pixels=128 * 72, frame_rate=60, file_bytes=4 * MIB)
SPEC = RenderSpec(code="x", seed=5)
VIDEO = ("video", "video.mp4", 5)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    into = tmp_path / "into"
    into.mkdir()
    receiver = Receiver(SPEC, LIMITS, into)
    yield receiver
    receiver.close()


@pytest.fixture
def talk() -> Talk:
    return Talk()


def feed(receiver: Receiver, items: Iterable[Item]) -> list[wire.Message]:
    return [message for item in items for message in receiver.take(item)]


def verdict(receiver: Receiver) -> SceneError:
    assert isinstance(receiver.end, wire.Failed), receiver.end
    return receiver.end.error


def written(receiver: Receiver) -> dict[str, bytes]:
    receiver.close()
    return {path.name: path.read_bytes() for path in receiver._into.iterdir()}


def test_a_good_conversation(receiver: Receiver, talk: Talk) -> None:
    messages = feed(receiver, talk.beginning())
    assert [message.type for message in messages] == ["hello", "started", "playing", "progress"]
    assert receiver.opened is not None
    assert receiver.opened.call_id == "fc-1"
    files = [
        VIDEO,
        ("poster", "poster.jpg", 3),
        ("subtitles", "subtitles.srt", 0),
        ("section", "section-000.mp4", 4),
        ("section", "section-001.mp4", 0),
    ]
    assert feed(receiver, [talk.finished(*files)]) == []  # the end is not yielded before the files are there
    assert not receiver.is_complete
    feed(
        receiver,
        [
            talk.chunk("video.mp4", b"ab"),
            talk.item("alive"),
            talk.chunk("video.mp4", b"cde"),
            talk.chunk("poster.jpg", b"xyz"),
            talk.chunk("section-000.mp4", b"1234"),
            talk.closed(),
        ],
    )
    assert receiver.is_complete
    assert not receiver.is_settled
    assert isinstance(receiver.end, wire.Finished)
    report = receiver.end.report
    assert (report.media_type, report.seed) == ("video/mp4", 5)  # what the render says of these does not count
    assert written(receiver) == {
        "video.mp4": b"abcde",
        "poster.jpg": b"xyz",
        "subtitles.srt": b"",
        "section-000.mp4": b"1234",
        "section-001.mp4": b"",
    }


def test_a_render_that_failed(receiver: Receiver, talk: Talk) -> None:
    error = SceneError(code=ErrorCode.exception, message="no")
    feed(receiver, [*talk.beginning(), talk.said(wire.Failed(error=error)), talk.closed(1.0)])
    assert receiver.is_complete
    assert not receiver.is_settled
    assert verdict(receiver) == error
    assert written(receiver) == {}


def test_compute_seconds_are_not_more_than_went_by(receiver: Receiver, talk: Talk) -> None:
    """Cost is estimated from them."""
    feed(receiver, [*talk.beginning(), talk.finished(VIDEO), talk.chunk("video.mp4", b"abcde"), talk.closed(1e9)])
    assert isinstance(receiver.end, wire.Finished)
    assert receiver.end.report.compute_seconds is not None
    assert 0 <= receiver.end.report.compute_seconds < 300


def test_control_characters_are_taken_out_of_lines(receiver: Receiver, talk: Talk) -> None:
    body = b'{"type": "log", "level": "info", "text": "a\\u001b[31mred\\u001b[0m\\u0000 \\u009b2Jb\\ttab"}'
    messages = feed(receiver, [*talk.beginning(), talk.item("message", body=body)])
    assert isinstance(messages[-1], wire.Logged)
    assert messages[-1].text == "ared 2Jb\ttab"


@pytest.mark.parametrize("protocol", [0, PROTOCOL + 1])
def test_another_version(receiver: Receiver, talk: Talk, protocol: int) -> None:
    with pytest.raises(ExecutorError, match="run manimcast deploy") as caught:
        receiver.take(talk.opened(protocol=protocol))
    assert f"speaks version {protocol} of the protocol, this service {PROTOCOL}" in str(caught.value)
    assert not caught.value.again


Bend = Callable[[Talk], Iterable[Item]]


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (lambda t: [t.said(wire.Hello())], "lost before its first words"),
        (lambda t: [t.item("alive")], "lost before its first words"),
        (lambda t: [t.item("fault", reason="x")], "lost before its first words"),
        (lambda t: [t.item("skipped"), t.opened()][1:], "something that the container sent was lost"),
        (lambda t: [t.opened(), Talk("run-2").opened()], "preempted, and the call began again"),
        (lambda t: [t.opened(), {"type": "alive", "run": "run-2", "seq": 1}], "preempted, and the call began again"),
        (lambda t: [t.opened(), t.opened()], "began twice"),
        (lambda t: [t.opened(), t.item("skipped"), t.item("alive")][::2], "was lost"),
        (lambda t: [*[t.opened(), t.item("alive")], {"type": "alive", "run": t.run, "seq": 1}], "was lost"),
        (lambda t: [*t.beginning(), t.closed()], "without saying how the render did"),
        (lambda t: [*t.beginning(), t.chunk("video.mp4", b"x")], "other files than it announced"),
        (lambda t: [*t.beginning(), t.finished(VIDEO), t.closed()], "before all files had arrived"),
        (lambda t: [*t.beginning(), t.finished(VIDEO), t.chunk("video.mp4", b"abcd"), t.closed()], "before all files"),
        (lambda t: [*t.beginning(), t.finished(VIDEO), t.chunk("poster.jpg", b"abcd")], "other files than"),
        (lambda t: [*t.beginning(), t.finished(VIDEO), t.chunk("../video.mp4", b"abcd")], "other files than"),
        (lambda t: [*t.beginning(), t.finished(VIDEO), t.chunk("video.mp4", b"abcdef")], "other files than"),
        (lambda t: [*t.beginning(), t.finished(VIDEO), t.chunk("video.mp4", b"")], "other files than"),
        (
            lambda t: [
                *t.beginning(),
                t.finished(VIDEO, ("poster", "poster.jpg", 1)),
                t.chunk("video.mp4", b"ab"),
                t.chunk("poster.jpg", b"x"),
            ],
            "other files than",
        ),
        (
            lambda t: [*t.beginning(), t.finished(VIDEO), t.chunk("video.mp4", b"abcde"), t.chunk("video.mp4", b"f")],
            "other files than",
        ),
        (lambda t: [*t.beginning(), t.finished(VIDEO), t.said(wire.Hello())], "went on after the end"),
        (
            lambda t: [
                *t.beginning(),
                t.finished(VIDEO),
                t.chunk("video.mp4", b"abcde"),
                t.closed(),
                t.item("alive"),
            ],
            "was lost",
        ),
        (lambda t: [t.opened(), t.item("fault", reason="no \x1b[31mmemory\x00")], "at fault: no memory$"),
    ],
)
def test_containers_at_fault(receiver: Receiver, talk: Talk, items: Bend, reason: str) -> None:
    """Another container may do better."""
    with pytest.raises(ExecutorError, match=reason) as caught:
        feed(receiver, items(talk))
    assert caught.value.again


@pytest.mark.parametrize(
    "raw",
    [
        None,
        1,
        "opened",
        b"opened",
        [],
        {},
        {"type": "opened"},
        {"type": "shell", "run": "r", "seq": 0},
        {"type": ["opened"], "run": "r", "seq": 0},
        Talk().opened() | {"seq": "0"},
        Talk().opened() | {"seq": -1},
        Talk().opened() | {"seq": True},
        Talk().opened() | {"run": "../x"},
        Talk().opened() | {"run": "r" * 101},
        Talk().opened() | {"call_id": "fc-1\n"},
        Talk().opened() | {"call_id": "fc-1; rm"},
        Talk().opened() | {"protocol": "1"},
        Talk().opened() | {"more": 1},
        Talk().opened() | {"facts": {str(number): "" for number in range(41)}},
        Talk().opened() | {"facts": {"a": "x" * 1001}},
        Talk().opened() | {"facts": {"a": 1}},
        Talk().opened() | {"facts": {"a": "\ud800"}},
        Talk().opened() | {0: 1},
    ],
    ids=lambda raw: str(raw)[:40],
)
def test_items_that_are_not_understood(receiver: Receiver, raw: Any) -> None:
    with pytest.raises(ExecutorError, match="the container sent what is not understood: ") as caught:
        receiver.take(raw)
    assert len(str(caught.value)) < 600
    assert receiver.opened is None


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "message", "body": "text"},
        {"type": "message", "body": b"x" * (wire.MAX_FRAME + 1)},
        {"type": "chunk", "name": "video.mp4", "data": b"x" * (CHUNK + 1)},
        {"type": "chunk", "name": "x" * 101, "data": b"x"},
        {"type": "closed", "seconds": -1.0},
        {"type": "closed", "seconds": float("nan")},
        {"type": "closed", "seconds": float("inf")},
        {"type": "fault", "reason": "x" * 2001},
    ],
    ids=lambda raw: str(raw)[:40],
)
def test_later_items_that_are_not_understood(receiver: Receiver, talk: Talk, raw: Item) -> None:
    receiver.take(talk.opened())
    with pytest.raises(ExecutorError, match="is not understood"):
        receiver.take(raw | {"run": talk.run, "seq": 1})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"{}",
        b"[" * 10_000,
        b'{"type": "job"}',
        b'{"type": "hello", "version": 2}',
        b'{"type": "finished", "report": {}}',
        b'{"type": "playing", "index": -1, "kind": "x"}',
        wire.Hello().model_dump_json().encode(),  # for the second time
        wire.Playing(index=7, kind="x").model_dump_json().encode(),
    ],
)
def test_what_a_scene_says_by_the_engines_mouth(receiver: Receiver, talk: Talk, body: bytes) -> None:
    """It is the scene that has interfered, so the render has failed, and no other container is tried."""
    feed(receiver, [*talk.beginning(), talk.item("message", body=body)])
    assert receiver.is_settled
    assert verdict(receiver).code is ErrorCode.forbidden


@pytest.mark.parametrize(
    ("files", "fields", "how"),
    [
        ([], {}, "names no video, or several"),
        ([("poster", "poster.jpg", 1)], {}, "names no video, or several"),
        ([VIDEO, ("video", "other.mp4", 1)], {}, "names no video, or several"),
        ([VIDEO, ("poster", "video.mp4", 1)], {}, "does not fit what was asked for"),
        ([VIDEO], {"format": "gif"}, "does not fit what was asked for"),
        ([("video", "video.mp4", 4 * MIB + 1)], {}, "at most 4194304 are allowed"),
        ([VIDEO, ("section", "section.mp4", 4 * MIB + 1)], {}, "at most 4194304 are allowed"),
        ([VIDEO, ("poster", "poster.jpg", 64 * MIB + 1)], {}, "at most 67108864 are allowed"),
        ([VIDEO, *[("section", f"s{number}.mp4", 4 * MIB) for number in range(70)]], {}, "files together have more"),
        ([VIDEO, *[("poster", f"p{number}.jpg", 64 * MIB) for number in range(5)]], {}, "files together have more"),
    ],
)
def test_reports_that_promise_too_much(
    receiver: Receiver, talk: Talk, files: list[Any], fields: dict[str, Any], how: str
) -> None:
    feed(receiver, [*talk.beginning(), talk.finished(*files, **fields)])
    assert receiver.is_settled
    assert verdict(receiver).code is ErrorCode.forbidden
    assert how in verdict(receiver).message
    assert written(receiver) == {}


def test_as_many_files_as_may_be(receiver: Receiver, talk: Talk) -> None:
    most = [("video", "video.mp4", 4 * MIB), ("section", "s.mp4", 4 * MIB)]
    posters = [("poster", f"p{number}.jpg", MAX_SIDE_FILES // 4) for number in range(4)]
    feed(receiver, [*talk.beginning(), talk.finished(*most, *posters)])
    assert not receiver.is_settled


def test_more_than_is_listened_to(receiver: Receiver, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    feed(receiver, talk.beginning())
    receiver._messages_left = 3
    feed(receiver, [talk.item("alive") for _ in range(3)])
    with pytest.raises(ExecutorError, match="says more than is listened to"):
        receiver.take(talk.item("alive"))


def test_more_bytes_than_are_listened_to(receiver: Receiver, talk: Talk) -> None:
    line = wire.Logged(level="info", text="x" * 8000)
    receiver._bytes_left = 50_000
    with pytest.raises(ExecutorError, match="says more than is listened to"):
        feed(receiver, [*talk.beginning(), *(talk.said(line) for _ in range(7))])


def test_a_file_that_is_there_already(receiver: Receiver, talk: Talk) -> None:
    """It is not written to, nor what a link leads to: nothing else should be in a render's folder."""
    other = receiver._into.parent / "other"
    other.write_bytes(b"old")
    (receiver._into / "video.mp4").symlink_to(other)
    with pytest.raises(ExecutorError, match="the files cannot be written here: File exists") as caught:
        feed(receiver, [*talk.beginning(), talk.finished(VIDEO), talk.chunk("video.mp4", b"abcde")])
    assert not caught.value.again
    assert other.read_bytes() == b"old"


def test_a_folder_that_is_gone(receiver: Receiver, talk: Talk) -> None:
    """The container is not to blame."""
    receiver._into.rmdir()
    with pytest.raises(ExecutorError, match="the files cannot be written here: No such file") as caught:
        feed(receiver, [*talk.beginning(), talk.finished(VIDEO), talk.chunk("video.mp4", b"abcde")])
    assert not caught.value.again


def test_nothing_is_created_after_the_close(receiver: Receiver, talk: Talk) -> None:
    feed(receiver, [*talk.beginning(), talk.finished(VIDEO)])
    receiver.close()
    receiver.close()
    with pytest.raises(ExecutorError, match="given up"):
        receiver.take(talk.chunk("video.mp4", b"abcde"))
    assert written(receiver) == {}


def test_closed_in_the_middle_of_a_file(receiver: Receiver, talk: Talk) -> None:
    feed(receiver, [*talk.beginning(), talk.finished(VIDEO), talk.chunk("video.mp4", b"abc")])
    receiver.close()
    with pytest.raises(ExecutorError):
        receiver.take(talk.chunk("video.mp4", b"de"))


def test_what_takes_its_time() -> None:
    talk = Talk()
    assert [writes(item) for item in (talk.chunk("a", b""), talk.closed(), talk.item("alive"), None, [], 1)] == [
        True, True, False, False, False, False,
    ]  # fmt: skip


names = st.sampled_from(["video.mp4", "poster.jpg", "../x", "/etc/passwd", "", ".", "a/b"]) | st.text(max_size=8)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=10,
)
messages = st.sampled_from(
    [
        wire.Hello(),
        wire.Started(scene="Demo", width=128, height=72, frame_rate=10),
        wire.Playing(index=0, kind="Create"),
        wire.Logged(level="info", text="\x1b[2J"),
        wire.Failed(error=SceneError(code=ErrorCode.exception, message="no")),
    ]
).map(lambda message: message.model_dump_json().encode())
bodies = st.fixed_dictionaries({"type": st.just("message"), "body": messages | st.binary(max_size=30)})
reports = st.lists(
    st.tuples(
        st.sampled_from(["video", "poster", "section"]),
        st.sampled_from(["video.mp4", "poster.jpg", "a.mp4"]),
        st.integers(0, 6),
    ),
    max_size=3,
).map(lambda files: {"type": "message", "body": Talk().finished(*files)["body"]})
chunks = st.fixed_dictionaries({"type": st.just("chunk"), "name": names, "data": st.binary(max_size=6)})
others = st.sampled_from([{"type": "alive"}, {"type": "closed", "seconds": 1.0}, {"type": "fault", "reason": "\x00"}])
steps = st.lists(bodies | reports | chunks | others | anything, max_size=12)


@settings(max_examples=300, deadline=None)
@given(steps=steps, mistake=st.none() | st.integers(0, 12), opens=st.booleans(), greets=st.booleans())
def test_whatever_comes(steps: list[Any], mistake: int | None, opens: bool, greets: bool) -> None:
    """Verdicts and :class:`ExecutorError` are all that comes of it, and what is written is what was announced."""
    with tempfile.TemporaryDirectory() as name:
        into = Path(name, "into")
        into.mkdir()
        receiver = Receiver(SPEC, LIMITS, into)
        talk = Talk()
        head = talk.beginning() if greets else [talk.opened()] if opens else []
        try:
            feed(receiver, head)
            for number, step in enumerate(steps):
                numbered = talk.item("x") | step if isinstance(step, dict) else step
                if number == mistake and isinstance(numbered, dict):
                    numbered |= {"seq": 77}
                receiver.take(numbered)
        except ExecutorError as error:
            reason = str(error)
        else:
            reason = "none"
        finally:
            receiver.close()
        assert reason
        assert reason.isprintable()
        assert [path.name for path in Path(name).iterdir()] == ["into"]
        files = {path.name: path.stat().st_size for path in into.iterdir()}
        if files:
            assert isinstance(receiver.end, wire.Finished)
            announced = {file.name: file.bytes for file in receiver.end.report.files}
            assert all(size <= announced[name] for name, size in files.items())
            assert not receiver.is_complete or files == announced
