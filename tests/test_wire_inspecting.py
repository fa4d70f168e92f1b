"""What a dry run says, read as hostile like everything else."""

from __future__ import annotations

import json

import pytest

from manimcast import wire
from manimcast.inspection import MAX_NAMES, Measured, Play, SceneWarning, Subcaption, WarningCode
from manimcast.spec import RenderSpec, SceneError, Section
from tests.test_wire import FAILED, FINISHED, HELLO, LIMITS, LOGGED, QUESTION, STARTED, playing, progressed

LOADED = wire.Loaded(scenes=("Demo", "Other"), scene="Demo", width=854, height=480, frame_rate=15)
PLAY = Play(index=0, kind="Create", start=0, duration=1, frames=15, run_time=1.02, line=3)
NOTES = (
    PLAY,
    Section(name="one", type="default.normal", start=0, duration=2),
    Subcaption(text="so", start=-0.5, end=1),
    SceneWarning(code=WarningCode.off_screen, message="Circle is outside", line=4, animation_index=1, hint="look"),
)
NOTED = tuple(wire.Noted(note=note) for note in NOTES)
INSPECTED = wire.Inspected(measured=Measured(frames=15, duration=1, animations=1))


@pytest.mark.parametrize("message", [LOADED, *NOTED, INSPECTED, wire.Inspected(measured=None)])
def test_what_is_said_is_what_is_heard(message: wire.Inspecting) -> None:
    assert wire.parse_spoken(wire.encode(message)[wire.HEADER.size :]) == message


def test_a_job_travels() -> None:
    job = wire.InspectJob(spec=RenderSpec(code="class A(Scene): pass"), limits=LIMITS, draws=True)
    assert wire.parse_job(wire.encode(job)[wire.HEADER.size :]) == job


@pytest.mark.parametrize(
    "changed",
    [
        {"note": PLAY.model_dump() | {"frames": -1}},
        {"note": PLAY.model_dump() | {"start": "NaN"}},
        {"note": PLAY.model_dump() | {"kind": "x" * 201}},
        {"note": PLAY.model_dump() | {"more": 1}},
        {"note": {"text": "x" * 501, "start": 0, "end": 1}},
        {"note": {"code": "nonsense", "message": ""}},
        {"note": None},
    ],
)
def test_a_note_out_of_bounds_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(wire.WireError):
        wire.parse_spoken(json.dumps({"type": "noted", **changed}).encode())


def test_more_names_than_allowed_are_refused() -> None:
    body = LOADED.model_dump() | {"scenes": ["A"] * (MAX_NAMES + 1)}
    with pytest.raises(wire.WireError):
        wire.parse_spoken(json.dumps(body).encode())


def test_text_is_made_harmless() -> None:
    assert "\x1b" not in Subcaption(text="a\x1b[31m", start=0, end=1).text
    assert "\x1b" not in Play(index=0, kind="a\x1b", start=0, duration=0, frames=0).kind


def test_a_conversation_in_its_order() -> None:
    conversation = wire.Conversation(inspection=True)
    for message in (HELLO, LOGGED, QUESTION):
        conversation.accept(message)
    conversation.answered()
    for message in (LOADED, *NOTED, LOGGED, INSPECTED):
        conversation.accept(message)
    assert conversation.ended == INSPECTED


def test_code_that_is_not_loaded_fails() -> None:
    conversation = wire.Conversation(inspection=True)
    conversation.accept(HELLO)
    conversation.accept(FAILED)
    assert conversation.ended == FAILED


@pytest.mark.parametrize("message", [STARTED, playing(0), progressed(0, 1), FINISHED])
def test_a_dry_run_does_not_speak_as_a_render(message: wire.Message) -> None:
    conversation = wire.Conversation(inspection=True)
    conversation.accept(HELLO)
    conversation.accept(LOADED)
    with pytest.raises(wire.WireError, match="not what was asked for"):
        conversation.accept(message)


@pytest.mark.parametrize("message", [LOADED, NOTED[0], INSPECTED])
def test_a_render_does_not_speak_as_a_dry_run(message: wire.Inspecting) -> None:
    conversation = wire.Conversation()
    conversation.accept(HELLO)
    with pytest.raises(wire.WireError, match="not what was asked for"):
        conversation.accept(message)


@pytest.mark.parametrize("message", [NOTED[0], INSPECTED])
def test_nothing_is_noted_before_the_code_is_loaded(message: wire.Inspecting) -> None:
    conversation = wire.Conversation(inspection=True)
    conversation.accept(HELLO)
    with pytest.raises(wire.WireError, match="before started"):
        conversation.accept(message)


def test_nothing_is_noted_after_the_end() -> None:
    conversation = wire.Conversation(inspection=True)
    for message in (HELLO, LOADED, INSPECTED):
        conversation.accept(message)
    for message in (NOTED[0], INSPECTED, FAILED):
        with pytest.raises(wire.WireError, match="after the end"):
            conversation.accept(message)


def test_an_error_is_part_of_what_is_measured() -> None:
    error = SceneError(code="exception", message="no", line=3)  # type: ignore[arg-type]
    message = wire.Inspected(measured=Measured(frames=0, duration=0, animations=0, error=error))
    heard = wire.parse_spoken(wire.encode(message)[wire.HEADER.size :])
    assert isinstance(heard, wire.Inspected)
    assert heard.measured is not None
    assert heard.measured.error == error
