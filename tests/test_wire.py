"""The wire is read as hostile: whatever arrives, it is a message in its place or a WireError."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from manimcast import wire
from manimcast.spec import (
    ErrorCode,
    Progress,
    RenderReport,
    RenderSpec,
    SceneError,
    Section,
    Strict,
)
from manimcast.tex import MAX_SVG, MAX_TEX, TexDocument, TexLimits
from tests.reports import a_report

LIMITS = wire.Limits(duration=60, frames=3600, pixels=1 << 21, frame_rate=60, file_bytes=1 << 30)


def report() -> RenderReport:
    section = Section(name="one", type="default.normal", start=0, duration=2, file="section-000.mp4")
    return a_report(frames=30, duration=2, animations=2, sections=(section,), warnings=("careful",))


HELLO = wire.Hello()
STARTED = wire.Started(scene="Demo", width=854, height=480, frame_rate=15)
FAILED = wire.Failed(error=SceneError(code=ErrorCode.exception, message="no: é ∑ 𝄞", line=3))
FINISHED = wire.Finished(report=report())
LOGGED = wire.Logged(level="warning", text="careful\nnow")

SOURCE = "\\documentclass{standalone}\r\n é ∑ 𝄞 \0 \u2028"
QUESTION = wire.Typeset(number=1, source=SOURCE, compiler="xelatex", output_format=".xdv")
TEX_JOB = wire.TexJob(
    source=SOURCE, compiler="latex", output_format=".dvi", limits=TexLimits(seconds=30, file_bytes=1 << 26)
)
SVG = "<svg>é ∑ 𝄞\n</svg>"
DONE = wire.TexDone(svg=SVG)
NOT_DONE = wire.TexDone(reason="failed", log="! Undefined control sequence.\nl.5 \\foo")
ANSWER = wire.Typesetting(number=1, svg=SVG)


def asked(number: int) -> wire.Typeset:
    return QUESTION.model_copy(update={"number": number})


def playing(index: int) -> wire.Playing:
    return wire.Playing(index=index, kind="Create", duration=1.0)


def played(index: int) -> wire.Played:
    return wire.Played(index=index, kind="Create", frames=30, duration=1.0)


def progressed(index: int, frames: int) -> wire.Progressed:
    return wire.Progressed(progress=Progress(animation_index=index, animation_percent=50, frames_done=frames))


def bodies(data: bytes, **bounds: int) -> list[bytes]:
    return wire.FrameDecoder(**bounds).feed(data)


@pytest.mark.parametrize(
    "message",
    [
        HELLO,
        STARTED,
        playing(0),
        wire.Playing(index=1, kind="Wait"),
        progressed(0, 3),
        played(0),
        LOGGED,
        FINISHED,
        FAILED,
    ],
    ids=lambda message: message.type,
)
def test_every_message_survives_the_wire(message: wire.Message) -> None:
    (body,) = bodies(wire.encode(message))
    assert wire.parse(body) == message


def test_a_job_survives_the_wire() -> None:
    job = wire.Job(
        spec=RenderSpec(code="class Ä(Scene): pass  # \u2028 \x01 𝄞", animations=(1, 2), seed=7), limits=LIMITS
    )
    (body,) = bodies(wire.encode(job))
    assert wire.parse_job(body) == job


def test_a_question_survives_the_wire_and_is_no_message() -> None:
    (body,) = bodies(wire.encode(QUESTION))
    assert wire.parse_spoken(body) == QUESTION
    assert wire.parse_spoken(wire.encode(LOGGED)[4:]) == LOGGED
    with pytest.raises(wire.WireError, match="malformed"):
        wire.parse(body)


def test_a_tex_job_survives_the_wire() -> None:
    (body,) = bodies(wire.encode(TEX_JOB))
    assert wire.parse_job(body) == TEX_JOB


@pytest.mark.parametrize("done", [DONE, NOT_DONE, wire.TexDone(reason="unavailable")])
def test_what_tex_made_survives_the_wire(done: wire.TexDone) -> None:
    assert wire.parse_from_tex(wire.encode(done)[4:]) == done
    assert wire.parse_from_tex(wire.encode(HELLO)[4:]) == HELLO


@pytest.mark.parametrize("answer", [ANSWER, wire.Typesetting(number=5000, reason="timeout", log="! late")])
def test_an_answer_survives_the_wire(answer: wire.Typesetting) -> None:
    assert wire.parse_answer(wire.encode(answer)[4:]) == answer


def test_a_large_svg_fits_into_an_answer_and_a_larger_one_is_refused() -> None:
    svg = "x\n" * (MAX_SVG // 2)
    (body,) = bodies(wire.encode(wire.Typesetting(number=1, svg=svg)), max_frame=wire.MAX_TEX_FRAME)
    assert wire.parse_answer(body).svg == svg
    with pytest.raises(wire.WireError, match=r"tex_done\.svg"):
        wire.parse_from_tex(b'{"type": "tex_done", "svg": "' + b"x" * (MAX_SVG + 1) + b'"}')


def test_an_svg_that_escaping_makes_too_long_is_not_sent() -> None:
    with pytest.raises(wire.WireError, match=f"longer than the {wire.MAX_TEX_FRAME} that a frame holds"):
        wire.encode(wire.TexDone(svg="\1" * MAX_SVG))


@pytest.mark.parametrize("source", ["x" * MAX_TEX, "é" * (MAX_TEX // 2), "𝄞" * (MAX_TEX // 4)])
def test_a_document_has_a_greatest_length_in_bytes(source: str) -> None:
    body = wire.encode(wire.Typeset(number=1, source=source, compiler="latex", output_format=".dvi"))[4:]
    assert wire.parse_spoken(body).source == source  # type: ignore[union-attr]
    with pytest.raises(wire.WireError, match=f"typeset.source: .*longer than {MAX_TEX} bytes"):
        wire.parse_spoken(body.replace(b'"source":"', b'"source":"y'))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", 0),
        ("number", -1),
        ("number", "two"),
        ("source", None),
        ("compiler", "sh"),
        ("compiler", ["latex"]),
        ("compiler", "latex -shell-escape"),
        ("output_format", ".svg"),
        ("output_format", "dvi"),
        ("limits", {"seconds": 1e9, "file_bytes": 1}),
    ],
)
def test_a_question_with_a_wrong_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(wire.WireError, match="malformed"):
        wire.parse_spoken(json.dumps(QUESTION.model_dump() | {field: value}).encode())


@pytest.mark.parametrize("source", [b'"\\ud800"', b'"\xed\xa0\x80"', b'"\xff"'])
def test_a_document_that_is_no_text_is_refused(source: bytes) -> None:
    body = b'{"type": "typeset", "number": 1, "compiler": "latex", "output_format": ".dvi", "source": ' + source + b"}"
    with pytest.raises(wire.WireError, match="malformed"):
        wire.parse_spoken(body)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"log": "x"},
        {"svg": SVG, "reason": "failed"},
        {"svg": 1},
        {"reason": "bored"},
        {"reason": "failed", "log": "x" * 100_000},
    ],
)
def test_tex_made_either_an_svg_or_not(fields: dict[str, object]) -> None:
    with pytest.raises(wire.WireError, match="malformed"):
        wire.parse_from_tex(json.dumps({"type": "tex_done", **fields}).encode())
    with pytest.raises(wire.WireError, match="malformed"):
        wire.parse_answer(json.dumps({"type": "typesetting", "number": 1, **fields}).encode())


@pytest.mark.parametrize("message", [STARTED, FINISHED, QUESTION, ANSWER, TEX_JOB], ids=lambda message: message.type)
def test_a_process_that_typesets_says_nothing_else(message: wire.Started) -> None:
    with pytest.raises(wire.WireError, match="malformed"):
        wire.parse_from_tex(wire.encode(message)[4:])


def test_a_frame_is_its_length_and_json() -> None:
    frame = wire.encode(HELLO)
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    assert json.loads(frame[4:]) == {"type": "hello", "version": 2}


def test_the_longest_code_fits_into_a_job_even_when_all_of_it_is_escaped() -> None:
    job = wire.Job(spec=RenderSpec(code="a" + "\x01" * 999_999), limits=LIMITS)
    (body,) = bodies(wire.encode(job), max_frame=wire.MAX_JOB_FRAME)
    assert wire.parse_job(body).spec.code == job.spec.code


def test_a_message_longer_than_a_frame_is_not_sent() -> None:
    long = RenderReport.model_validate(
        report().model_dump()
        | {
            "sections": [
                {"name": "n" * 200, "type": "t" * 200, "start": 0, "duration": 1, "file": "f" * 100}
                for _ in range(1000)
            ]
        }
    )
    with pytest.raises(wire.WireError, match="longer than the 524288 that a frame holds"):
        wire.encode(wire.Finished(report=long))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"hello"',
        b"\xff\xfe",
        b'{"type": "hello"',
        b'{"type": "hello", "version": 1}',
        b'{"type": "hello", "version": 2, "more": 1}',
        b'{"type": "job"}',
        b'{"type": "nonsense"}',
        b'{"type": ["hello"]}',
        b'{"type": "playing", "index": -1, "kind": "Wait"}',
        b'{"type": "playing", "index": 0, "kind": "Wait", "duration": -1}',
        b'{"type": "started", "scene": "A", "width": 0, "height": 1, "frame_rate": 15}',
        b'{"type": "log", "level": "fatal", "text": "x"}',
        b'{"type": "failed", "error": {"code": "nonsense", "message": ""}}',
        b"[" * 100_000,
        b'{"type": "playing", "index": ' + b"9" * 100_000 + b', "kind": "Wait"}',
    ],
    ids=lambda body: body[:30].decode(errors="replace") or "empty",
)
def test_what_is_not_a_message_is_refused(body: bytes) -> None:
    with pytest.raises(wire.WireError, match="malformed"):
        wire.parse(body)


def test_text_beyond_its_bound_is_refused_and_not_quoted() -> None:
    secret = "s3cret" * 2000
    with pytest.raises(wire.WireError, match=r"log\.text") as caught:
        wire.parse(json.dumps({"type": "log", "level": "info", "text": secret}).encode())
    assert "s3cret" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "name", ["../video.mp4", "/etc/passwd", "a/b.mp4", ".hidden", "video.mp4\n", "VIDEO.MP4", "", "x" * 80 + ".mp4"]
)
def test_a_file_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    message = json.loads(FINISHED.model_dump_json())
    message["report"]["files"][0]["name"] = name
    with pytest.raises(wire.WireError, match=r"files\.0\.name"):
        wire.parse(json.dumps(message).encode())


def test_a_malformed_job_is_refused_without_quoting_the_code() -> None:
    with pytest.raises(wire.WireError, match="the job is malformed: ") as caught:
        wire.parse_job(b'{"type": "job", "version": 2, "spec": {"code": 7777}}')
    assert "7777" not in str(caught.value)


class TestFrameDecoder:
    def test_a_frame_at_the_bound_passes_and_one_byte_more_does_not(self) -> None:
        assert bodies(b"\0\0\0\x08" + b"x" * 8, max_frame=8) == [b"x" * 8]
        with pytest.raises(wire.WireError, match="announces 9 bytes; at most 8"):
            bodies(b"\0\0\0\x09", max_frame=8)

    def test_a_length_is_refused_before_its_body_arrives(self) -> None:
        with pytest.raises(wire.WireError, match="announces 4294967295 bytes"):
            bodies(b"\xff\xff\xff\xff")

    def test_the_number_of_messages_is_bounded_over_the_life_of_the_stream(self) -> None:
        decoder = wire.FrameDecoder(max_messages=3)
        assert decoder.feed(b"\0\0\0\0" * 2) == [b"", b""]
        assert decoder.feed(b"\0\0\0\0") == [b""]
        with pytest.raises(wire.WireError, match="more messages than allowed"):
            decoder.feed(b"\0\0\0\0")

    def test_the_bytes_are_bounded_over_the_life_of_the_stream(self) -> None:
        decoder = wire.FrameDecoder(max_stream=10)
        decoder.feed(b"\0\0\0\x01x")
        decoder.feed(b"\0\0\0\x01y")
        with pytest.raises(wire.WireError, match="the stream is longer than allowed"):
            decoder.feed(b"\0")

    def test_an_unfinished_frame_is_pending(self) -> None:
        decoder = wire.FrameDecoder()
        assert decoder.feed(b"\0\0\0\x05ab") == []
        assert decoder.pending == 6
        assert decoder.feed(b"cde") == [b"abcde"]
        assert decoder.pending == 0

    @given(st.lists(st.binary(max_size=60), max_size=8), st.lists(st.integers(1, 20), max_size=60))
    def test_chunks_do_not_matter(self, frames: list[bytes], cuts: list[int]) -> None:
        stream = b"".join(wire.HEADER.pack(len(frame)) + frame for frame in frames)
        decoder = wire.FrameDecoder()
        got: list[bytes] = []
        for cut in cuts:
            got += decoder.feed(stream[:cut])
            stream = stream[cut:]
        got += decoder.feed(stream)
        assert got == frames
        assert decoder.pending == 0

    @given(st.lists(st.binary(max_size=200), max_size=20))
    def test_random_bytes_are_frames_or_an_error(self, chunks: list[bytes]) -> None:
        decoder = wire.FrameDecoder(max_frame=64, max_messages=5, max_stream=1000)
        got: list[bytes] = []
        try:
            for chunk in chunks:
                got += decoder.feed(chunk)
        except wire.WireError:
            return
        assert len(got) <= 5
        assert all(len(body) <= 64 for body in got)
        assert sum(len(body) + 4 for body in got) + decoder.pending == sum(map(len, chunks)) <= 1000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
types = st.sampled_from(
    [
        "hello",
        "started",
        "playing",
        "progress",
        "log",
        "finished",
        "failed",
        "job",
        "typeset",
        "typesetting",
        "tex_job",
        "tex_done",
    ]
)
fields = st.sampled_from(
    [
        "version",
        "scene",
        "width",
        "index",
        "kind",
        "progress",
        "text",
        "report",
        "error",
        "number",
        "source",
        "compiler",
        "output_format",
        "svg",
        "log",
        "reason",
    ]
)
parsers = st.sampled_from(
    [wire.parse, wire.parse_spoken, wire.parse_from_tex, wire.parse_answer, wire.parse_job],
)


class TestParseFuzzed:
    @given(parsers, st.binary(max_size=300))
    def test_bytes(self, parse: Callable[[bytes], Strict], body: bytes) -> None:
        with pytest.raises(wire.WireError):
            parse(body)

    @given(parsers, types, st.dictionaries(fields, json_values, max_size=6))
    def test_objects_that_resemble_messages(
        self, parse: Callable[[bytes], Strict], type_: str, content: dict[str, object]
    ) -> None:
        body = json.dumps({"type": type_, **content}).encode()
        try:
            message = parse(body)
        except wire.WireError:
            return
        assert parse(wire.encode(message)[4:]) == message

    @given(
        parsers,
        st.sampled_from(
            [STARTED, FINISHED, FAILED, progressed(0, 1), QUESTION, TEX_JOB, DONE, NOT_DONE, ANSWER],
        ),
        st.data(),
    )
    def test_messages_with_a_byte_changed(
        self, parse: Callable[[bytes], Strict], message: Strict, data: st.DataObject
    ) -> None:
        body = bytearray(wire.encode(message)[4:])
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
        try:
            parsed = parse(bytes(body))
        except wire.WireError:
            return
        assert type(parsed) is type(message)

    @given(st.text(max_size=200), st.text(max_size=200))
    def test_any_text_that_is_a_document_comes_back_as_it_was(self, source: str, svg: str) -> None:
        question = wire.Typeset(number=1, source=source, compiler="latex", output_format=".dvi")
        assert wire.parse_spoken(wire.encode(question)[4:]) == question
        assert wire.parse_answer(wire.encode(wire.Typesetting(number=1, svg=svg))[4:]).svg == svg

    @given(st.text(st.characters(categories=("Cs",)), min_size=1, max_size=5))
    def test_text_with_lone_surrogates_is_no_document(self, text: str) -> None:
        with pytest.raises(ValidationError):
            TexDocument(source=text, compiler="latex", output_format=".dvi")
        body = json.dumps(QUESTION.model_dump() | {"source": text}).encode()
        if any(0xD800 <= ord(char) <= 0xDBFF for char in text):
            return  # two that json.dumps writes side by side may be a pair
        with pytest.raises(wire.WireError):
            wire.parse_spoken(body)


class TestConversationFuzzed:
    @given(
        st.lists(
            st.sampled_from(
                [HELLO, STARTED, LOGGED, playing(0), played(0), playing(1), asked(1), asked(2), FAILED, FINISHED]
            )
            | st.none(),
            max_size=12,
        )
    )
    def test_any_order_is_a_conversation_or_an_error(self, steps: list[wire.Spoken | None]) -> None:
        conversation = wire.Conversation()
        asking, number = False, 0
        for message in steps:
            if message is None:
                conversation.answered()
                asking = False
                continue
            try:
                conversation.accept(message)
            except wire.WireError:
                return
            if isinstance(message, wire.Typeset):
                assert not asking
                assert message.number == number + 1
                asking, number = True, message.number


class TestConversation:
    @staticmethod
    def hold(*messages: wire.Spoken) -> wire.Conversation:
        conversation = wire.Conversation()
        for message in messages:
            conversation.accept(message)
        return conversation

    def test_a_whole_render(self) -> None:
        conversation = self.hold(
            *(HELLO, LOGGED, STARTED, playing(0), progressed(0, 0), progressed(0, 5), played(0), playing(1)),
            *(LOGGED, FINISHED),
        )
        assert conversation.ended == FINISHED

    def test_code_that_does_not_load_fails_before_it_starts(self) -> None:
        assert self.hold(HELLO, FAILED).ended == FAILED

    def test_questions_are_asked_one_after_the_other(self) -> None:
        conversation = self.hold(HELLO, asked(1), LOGGED)
        conversation.answered()
        conversation.accept(STARTED)
        conversation.accept(asked(2))
        conversation.accept(playing(0))
        conversation.answered()
        conversation.accept(FINISHED)
        assert conversation.ended == FINISHED

    def test_questions_have_a_greatest_number(self) -> None:
        conversation = self.hold(HELLO)
        for number in range(1, wire.MAX_QUESTIONS + 1):
            conversation.accept(asked(number))
            conversation.answered()
        with pytest.raises(wire.WireError, match="more questions than allowed"):
            conversation.accept(asked(wire.MAX_QUESTIONS + 1))

    def test_it_has_not_ended_before_its_last_message(self) -> None:
        assert self.hold(HELLO, STARTED, playing(0)).ended is None

    @pytest.mark.parametrize(
        ("messages", "problem"),
        [
            ([STARTED], "started before hello"),
            ([LOGGED], "log before hello"),
            ([FAILED], "failed before hello"),
            ([HELLO, HELLO], "hello twice"),
            ([HELLO, STARTED, STARTED], "started twice"),
            ([HELLO, playing(0)], "playing before started"),
            ([HELLO, progressed(0, 0)], "progress before started"),
            ([HELLO, FINISHED], "finished before started"),
            ([HELLO, STARTED, playing(1)], "animations are not in order"),
            ([HELLO, STARTED, playing(0), playing(0)], "animations are not in order"),
            ([HELLO, STARTED, progressed(0, 0)], "progress goes backwards"),
            ([HELLO, STARTED, played(0)], "an animation ends that is not under way"),
            ([HELLO, STARTED, playing(0), played(0), played(0)], "an animation ends that is not under way"),
            ([HELLO, STARTED, playing(0), playing(1), played(0)], "an animation ends that is not under way"),
            ([HELLO, STARTED, playing(0), playing(1), progressed(0, 3)], "progress goes backwards"),
            ([HELLO, STARTED, playing(0), progressed(0, 3), progressed(0, 2)], "progress goes backwards"),
            ([HELLO, STARTED, FINISHED, LOGGED], "log after the end"),
            ([HELLO, FAILED, FAILED], "failed after the end"),
            ([asked(1)], "typeset before hello"),
            ([HELLO, asked(1), asked(2)], "a question before the last one was answered"),
            ([HELLO, asked(2)], "questions are not in order"),
            ([HELLO, FAILED, asked(1)], "typeset after the end"),
            ([HELLO, FAILED, HELLO], "hello after the end"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_is_out_of_place_is_refused(self, messages: list[wire.Spoken], problem: str) -> None:
        *before, last = messages
        conversation = self.hold(*before)
        with pytest.raises(wire.WireError, match=problem):
            conversation.accept(last)
