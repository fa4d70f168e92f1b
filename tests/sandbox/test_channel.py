"""The child's end of the wire: questions get their own answers, whatever the scene does in between."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from manimcast import wire
from manimcast.sandbox.inside.channel import Announcements, Channel
from manimcast.tex import MAX_TEX, TexResult


class Service:
    """The other end. It quotes a question in an SVG, once ``may_answer`` says so."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._decoder = wire.FrameDecoder()
        self.heard: list[wire.Spoken] = []
        self.answered = 0
        self.may_answer: Callable[[], bool] = lambda: True
        self.padding = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        asked: list[wire.Typeset] = []
        while True:
            if select.select([self._end], [], [], 0.01 if asked else None)[0]:
                data = self._end.recv(1 << 16)
                if not data:
                    return
                for body in self._decoder.feed(data):
                    message = wire.parse_spoken(body)
                    self.heard.append(message)
                    if isinstance(message, wire.SegmentsAsked):
                        found = tuple(key for key in message.keys if key.startswith("a"))
                        self._end.sendall(wire.encode(wire.SegmentsFound(number=message.number, keys=found)))
                    if isinstance(message, wire.Typeset):
                        asked.append(message)
            while asked and self.may_answer():
                question = asked.pop(0)
                svg = question.source + "." * self.padding
                self.answered += 1
                self._end.sendall(wire.encode(wire.Typesetting(number=question.number, svg=svg)))

    def join(self) -> None:
        self._thread.join()
        self._end.close()


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Service]]:
    ours, theirs = socket.socketpair()
    service = Service(ours)
    channel = Channel(theirs.detach())
    yield channel, service
    channel._socket.close()
    service.join()


def ask(channel: Channel, source: str) -> TexResult | None:
    return channel.typeset(source, "latex", ".dvi")


def answer(channel: Channel, source: str) -> str | None:
    result = ask(channel, source)
    return result.svg if result is not None else None


def test_questions_are_counted_and_answered(ends: tuple[Channel, Service]) -> None:
    channel, service = ends
    assert [answer(channel, source) for source in ("a", "b", "c")] == ["a", "b", "c"]
    assert [message.number for message in service.heard if isinstance(message, wire.Typeset)] == [1, 2, 3]


def test_a_large_answer_arrives_whole(ends: tuple[Channel, Service]) -> None:
    channel, service = ends
    service.padding = 3_000_000
    assert answer(channel, "x" * MAX_TEX) == "x" * MAX_TEX + "." * 3_000_000


@pytest.mark.parametrize(
    ("source", "compiler", "form"),
    [
        ("x", ["latex"], ".dvi"),
        ("x", "tex", ".dvi"),
        ("x", "latex", ".ps"),
        ("x" * (MAX_TEX + 1), "latex", ".dvi"),
        ("\\" * MAX_TEX, "latex", ".dvi"),
        ("\ud800", "latex", ".dvi"),
    ],
    ids=["several", "unknown", "format", "too long", "too long for a message", "no text"],
)
def test_what_cannot_be_asked_is_not(
    ends: tuple[Channel, Service], source: str, compiler: str | list[str], form: str
) -> None:
    channel, service = ends
    assert channel.typeset(source, compiler, form) is None
    assert answer(channel, "next") == "next"
    assert [message.number for message in service.heard if isinstance(message, wire.Typeset)] == [1]


def test_a_render_stops_to_ask_before_it_asks_too_much(
    ends: tuple[Channel, Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, _ = ends
    monkeypatch.setattr(wire, "MAX_QUESTIONS", 2)
    assert [answer(channel, source) for source in ("a", "b", "c", "d")] == ["a", "b", None, None]


def test_a_process_that_the_scene_forks_is_on_its_own(ends: tuple[Channel, Service]) -> None:
    channel, service = ends
    pid = os.fork()
    if pid == 0:
        os._exit(0 if ask(channel, "child") is None else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert answer(channel, "parent") == "parent"
    assert len(service.heard) == 1


def test_a_second_thread_is_on_its_own_while_the_first_asks(ends: tuple[Channel, Service]) -> None:
    channel, service = ends
    got: list[str | None] = []
    service.may_answer = lambda: got[:2] == [None, None]
    threads = [threading.Thread(target=lambda n=n: got.append(answer(channel, str(n)))) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got[:2] == [None, None]
    assert got[2] in {"0", "1", "2"}
    assert answer(channel, "later") == "later"


def test_a_handler_that_breaks_off_the_wait_does_not_mix_up_answers(ends: tuple[Channel, Service]) -> None:
    channel, service = ends
    sent: list[bool] = []
    broken_off = threading.Event()

    def interrupt(_number: int, _frame: object) -> None:
        raise TimeoutError("the scene's own alarm")

    def may_answer() -> bool:
        """Once the question is there the alarm goes off, and the answer comes when nobody waits for it any more."""
        if not sent:
            sent.append(True)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
        return broken_off.is_set()

    service.may_answer = may_answer
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(TimeoutError, match="own alarm"):
            ask(channel, "first")
        broken_off.set()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert answer(channel, "second") == "second"
    assert answer(channel, "third") == "third"


class Alarming:
    """A socket in the middle of whose writing a signal handler raises ``error``, once."""

    def __init__(self, real: socket.socket, error: OSError) -> None:
        self._real = real
        self._errors = [error]

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def sendall(self, data: bytes) -> None:
        self._real.sendall(data)
        if self._errors:
            raise self._errors.pop()


def test_a_handler_that_breaks_off_the_writing_does_not_end_the_render(
    ends: tuple[Channel, Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, _ = ends
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(channel, "_socket", Alarming(channel._socket, TimeoutError("the scene's own alarm")))
    with pytest.raises(TimeoutError, match="own alarm"):
        ask(channel, "first")
    assert answer(channel, "second") == "second"
    assert ended == []


def test_when_nobody_listens_any_more_the_render_ends(
    ends: tuple[Channel, Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, _ = ends
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(channel, "_socket", Alarming(channel._socket, BrokenPipeError(32, "Broken pipe")))
    channel.send(wire.Hello())
    assert ended == [75]


def test_messages_and_questions_share_the_wire(ends: tuple[Channel, Service]) -> None:
    channel, service = ends
    channel.send(wire.Hello())
    assert answer(channel, "a") == "a"
    channel.send(wire.Logged(level="info", text="one"))
    assert answer(channel, "b") == "b"
    assert [message.type for message in service.heard] == ["hello", "typeset", "log", "typeset"]


def foreseen(source: str) -> wire.Foreseen:
    return wire.Foreseen(source=source, compiler="latex", output_format=".dvi")


def announcing(*pieces: bytes) -> tuple[int, int]:
    """Return a process that writes ``pieces``, and the pipe that it writes to."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        for piece in pieces:
            os.write(write, piece)
        os._exit(0)
    os.close(write)
    return pid, read


def test_what_is_announced_while_it_waits_is_passed_on(ends: tuple[Channel, Service]) -> None:
    channel, service = ends
    frames = b"".join(wire.encode(foreseen(source)) for source in "xy")
    calls: list[tuple[int, int]] = []

    def may_answer() -> bool:
        """The first question when all is announced, the second when no more can come."""
        announced = sum(isinstance(message, wire.Foreseen) for message in service.heard) == 2
        return announced and (service.answered == 0 or channel._announcements is None)

    service.may_answer = may_answer

    def look_ahead() -> tuple[int, int]:
        calls.append(announcing(frames[:10], frames[10:90], frames[90:]))
        return calls[-1]

    channel.when_waiting(look_ahead)
    assert [answer(channel, source) for source in "ab"] == ["a", "b"]
    assert [message.source for message in service.heard if isinstance(message, wire.Foreseen)] == ["x", "y"]
    ((pid, _),) = calls
    assert channel._announcements is None
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def test_what_is_no_frame_is_not_passed_on(ends: tuple[Channel, Service]) -> None:
    channel, service = ends
    calls = []

    def look_ahead() -> tuple[int, int]:
        calls.append(1)
        return announcing(b"\xff\xff\xff\xff" + b"x" * 100)

    channel.when_waiting(look_ahead)
    service.may_answer = lambda: bool(calls) and channel._announcements is None
    assert answer(channel, "a") == "a"
    assert [type(message) for message in service.heard] == [wire.Typeset]


def test_a_process_that_takes_over_has_no_announcements(ends: tuple[Channel, Service]) -> None:
    channel, service = ends
    channel._announcements = Announcements(*announcing(wire.encode(foreseen("x"))))
    channel.take_over(channel.state())
    channel.send(wire.Hello())
    assert answer(channel, "a") == "a"
    assert not any(isinstance(message, wire.Foreseen) for message in service.heard)
    os.wait()


@pytest.fixture
def kept(ends: tuple[Channel, Service], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Channel, Service]:
    """In a folder of its own, with a service that has the segments whose keys begin with a."""
    monkeypatch.chdir(tmp_path)
    return ends


def test_kept_segments_lie_where_they_were_asked_for(kept: tuple[Channel, Service], tmp_path: Path) -> None:
    channel, service = kept
    keys = [f"{number:064x}" for number in range(300)] + ["a" * 64]
    assert channel.segments(keys) == {"a" * 64: tmp_path / wire.REUSE / ("a" * 64)}
    asked = [message for message in service.heard if isinstance(message, wire.SegmentsAsked)]
    assert [len(message.keys) for message in asked] == [wire.MAX_KEYS, len(keys) - wire.MAX_KEYS]
    assert [path.name for path in (tmp_path / wire.REUSE).iterdir()] == ["a" * 64]
    assert answer(channel, "still in order") == "still in order"


def test_segments_are_offered_by_paths_in_the_folder(kept: tuple[Channel, Service], tmp_path: Path) -> None:
    channel, service = kept
    channel.offer({f"{number:064x}": tmp_path / "media" / f"{number}.mp4" for number in range(300)})
    assert answer(channel, "heard") == "heard"
    made = [message for message in service.heard if isinstance(message, wire.SegmentsMade)]
    offered = [segment for message in made for segment in message.segments]
    assert [segment.path for segment in offered] == [f"media/{number}.mp4" for number in range(300)]


def test_no_more_segments_are_offered_than_the_service_hears_of(kept: tuple[Channel, Service], tmp_path: Path) -> None:
    channel, service = kept
    for batch in range(3):
        channel.offer({f"{batch}{number:063x}": tmp_path / f"{number}.mp4" for number in range(wire.MAX_MADE // 2)})
        channel.take_over(channel.state())  # another process goes on, and counts on
    channel.offer({"b" * 64: tmp_path / "last.mp4"})
    assert answer(channel, "heard") == "heard"
    made = [message for message in service.heard if isinstance(message, wire.SegmentsMade)]
    assert sum(len(message.segments) for message in made) == wire.MAX_MADE


def test_a_forked_process_has_no_segments(kept: tuple[Channel, Service]) -> None:
    channel, service = kept
    pid = os.fork()
    if pid == 0:
        os._exit(len(channel.segments(["a" * 64])))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert service.heard == []
