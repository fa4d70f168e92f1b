"""As many draw and encode at once as a render's memory has room for."""

from __future__ import annotations

import pytest
from manim._config.video_encoder import VideoEncoderSpec

from manimcast.engine.parallel.room import Room
from tests.engine.pictures import spec

HD, FOUR_K = (1920, 1080), (3840, 2160)


@pytest.mark.parametrize(
    ("gib", "how", "processes", "encoders"),
    [
        (2, spec(preset="superfast", size=HD), 8, 1),
        (2, spec(preset="medium", size=(854, 480)), 8, 2),
        (2, spec(preset="medium", size=HD), 2, 2),
        (2, spec(preset="medium", size=FOUR_K), 1, 1),
        (8, spec(preset="medium", size=FOUR_K), 3, 2),
        (2, spec(preset="superfast", size=FOUR_K), 2, 1),
        (2, spec("webm", size=HD), 3, 2),
        (2, spec("mov", size=HD, transparent=True), 8, 1),
        (0.25, spec(preset="medium", size=HD), 1, 1),
        (1, None, 8, 1),
    ],
)
def test_a_render_has_no_more_processes_and_encoders_than_its_memory_has_room_for(
    gib: float, how: VideoEncoderSpec | None, processes: int, encoders: int
) -> None:
    room = Room(int(gib * (1 << 30)), how)
    assert room.processes(8) == processes
    assert room.processes(1) == 1
    assert room.encoders() == encoders
