"""What comes out: files that decode to what was asked for, the same each time."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from manimcast import wire
from manimcast.spec import ErrorCode, OutputRole
from tests.executors.rig import RING, Rig, scene

TWO_PLAYS = f"{RING}\nself.wait(0.5)"
FRAMES = 8  # 0.3 s and 0.5 s at 10 frames a second


def decode(path: Path, pixels: str = "rgba") -> list[Any]:
    """Return every frame of a file as an array of height x width x channels."""
    with av.open(path) as container:
        return [frame.to_ndarray(format=pixels) for frame in container.decode(video=0)]


@pytest.mark.parametrize("format_", ["mp4", "webm", "mov", "gif"])
def test_a_video_has_the_size_and_the_frames_that_were_asked_for(rig: Rig, format_: str) -> None:
    outcome = rig.render(scene(TWO_PLAYS), format=format_)
    frames = decode(outcome.video)
    assert len(frames) == outcome.report.frames == FRAMES
    assert {frame.shape for frame in frames} == {(72, 128, 4)}
    assert (outcome.report.width, outcome.report.height, outcome.report.frame_rate) == (128, 72, 10)
    assert (outcome.report.duration, outcome.report.animations) == (0.8, 2)
    assert outcome.report.video.bytes == outcome.video.stat().st_size
    assert any((frame != frames[0]).any() for frame in frames)


def test_a_still_is_the_last_frame(rig: Rig) -> None:
    outcome = rig.render(scene("self.play(FadeIn(Square(color=RED, fill_opacity=1)), run_time=0.3)"), format="png")
    (frame,) = decode(outcome.video)
    assert frame.shape == (72, 128, 4)
    red, green, blue, _ = frame[36, 64]
    assert red > 200 > green
    assert blue < 120
    assert (outcome.report.frames, outcome.report.duration) == (1, 0)
    assert [file.role for file in outcome.report.files] == [OutputRole.video]


@pytest.mark.parametrize("format_", ["mov", "webm", "png"])
def test_transparency_is_kept(rig: Rig, format_: str) -> None:
    outcome = rig.render(scene("self.add(Square(fill_opacity=1))\nself.wait(0.2)"), format=format_, transparent=True)
    with av.open(outcome.video) as container:
        stream = container.streams.video[0]
        if format_ == "webm":  # FFmpeg's own VP9 decoder leaves the alpha plane out
            assert stream.metadata.get("alpha_mode") == "1"
            decoder = av.CodecContext.create("libvpx-vp9", "r")
            packets = container.demux(stream)
            frame = next(frame for packet in packets for frame in decoder.decode(packet))
        else:
            frame = next(container.decode(stream))
        alpha = frame.to_ndarray(format="rgba")[..., 3]
    assert alpha[0, 0] == 0
    assert alpha[36, 64] == 255


def test_an_opaque_render_has_no_holes(rig: Rig) -> None:
    outcome = rig.render(scene("self.wait(0.2)"), format="mov", background_color="#00ff00")
    red, green, blue, alpha = decode(outcome.video)[0][5, 5]
    assert alpha == 255
    assert green > 240
    assert max(red, blue) < 15


@pytest.mark.parametrize("format_", ["mp4", "mov"])
def test_the_index_comes_before_the_data(rig: Rig, format_: str) -> None:
    data = rig.render(scene(RING), format=format_).video.read_bytes()
    boxes = []
    while data:
        size = int.from_bytes(data[:4], "big")
        boxes.append(data[4:8].decode())
        data = data[size:]
    assert boxes.index("moov") < boxes.index("mdat")


def test_a_poster_is_a_jpeg_of_the_fullest_frame(rig: Rig) -> None:
    outcome = rig.render(scene("self.add(Square(fill_opacity=1))\nself.wait(0.2)\nself.clear()\nself.wait(0.2)"))
    (poster,) = outcome.named(OutputRole.poster)
    assert poster.read_bytes()[:3] == b"\xff\xd8\xff"
    (picture,) = decode(poster, "rgb24")
    assert picture.shape == (72, 128, 3)
    assert picture[36, 64].min() > 200
    assert picture[0, 0].max() < 40


def test_sections_have_times_and_files(rig: Rig) -> None:
    body = f"self.next_section('one')\n{RING}\nself.next_section('two')\nself.wait(0.5)"
    outcome = rig.render(scene(body), save_sections=True)
    told = [(part.name, part.start, part.duration, part.file) for part in outcome.report.sections]
    assert told == [("one", 0, 0.3, "section-000.mp4"), ("two", 0.3, 0.5, "section-001.mp4")]
    assert [len(decode(path)) for path in outcome.named(OutputRole.section)] == [3, 5]


def test_sections_are_told_but_not_kept_unless_asked_for(rig: Rig) -> None:
    outcome = rig.render(scene(f"self.next_section('one')\n{RING}"))
    assert [(part.name, part.file) for part in outcome.report.sections] == [("one", None)]
    assert outcome.named(OutputRole.section) == []


def test_subtitles_come_as_vtt_and_as_srt(rig: Rig) -> None:
    outcome = rig.render(scene(f"self.add_subcaption('Grüße, 1,000', duration=0.3)\n{TWO_PLAYS}"))
    vtt, srt = outcome.named(OutputRole.subtitles)
    assert (vtt.name, srt.name) == ("subtitles.vtt", "subtitles.srt")
    assert vtt.read_text(encoding="utf-8").startswith("WEBVTT\n\n")
    assert "00:00:00.000 --> 00:00:00.300" in vtt.read_text(encoding="utf-8")
    assert "00:00:00,000 --> 00:00:00,300" in srt.read_text(encoding="utf-8")
    assert "Grüße, 1,000" in vtt.read_text(encoding="utf-8")


def test_sound_is_in_the_video(rig: Rig) -> None:
    tone = (
        "import wave\nwith wave.open('tone.wav', 'wb') as out:\n"
        "    out.setnchannels(1); out.setsampwidth(2); out.setframerate(8000)\n"
        "    out.writeframes((9000 * np.sin(np.arange(4000) / 3)).astype('<i2').tobytes())\n"
        f"self.add_sound('tone.wav')\n{TWO_PLAYS}"
    )
    outcome = rig.render(scene(tone))
    with av.open(outcome.video) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)])
    assert np.abs(samples).max() > 0.1
    assert len(decode(outcome.video)) == FRAMES


def test_a_scene_that_plays_nothing_is_held_for_a_second(rig: Rig) -> None:
    outcome = rig.render(scene("self.add(Circle())"))
    assert len(decode(outcome.video)) == outcome.report.frames == 10
    assert outcome.report.warnings == ("The scene plays no animation; its picture is held for one second.",)


def test_a_range_of_animations(rig: Rig) -> None:
    code = scene(f"{RING}\nself.wait(0.5)\nself.wait(0.2)")
    assert rig.render(code, animations=[1, 1]).report.frames == 5
    error = rig.render(code, animations=[7, 9]).error
    assert error.code is ErrorCode.exception
    assert "No animation is left to draw: the scene plays 3" in error.message


def test_progress_goes_from_0_to_100_in_each_play(rig: Rig) -> None:
    outcome = rig.render(scene(TWO_PLAYS))
    told = [m.progress for m in outcome.messages if isinstance(m, wire.Progressed)]
    for index in (0, 1):
        percents = [p.animation_percent for p in told if p.animation_index == index]
        assert (percents[0], percents[-1]) == (0, 100)
        assert percents == sorted(percents)
    assert told[-1].frames_done == FRAMES
    kinds = [(m.kind, m.duration) for m in outcome.messages if isinstance(m, wire.Playing)]
    assert kinds == [("Create", 0.3), ("Wait", 0.5)]


def test_the_report_says_what_the_service_knows_better(rig: Rig) -> None:
    forged = f"{RING}\nfrom manimcast.engine import render\nrender.fingerprint = lambda: {{'manim': 'forged'}}"
    report = rig.render(scene(forged), seed=5).report
    assert report.fingerprint["manim"] == "0.22.0"
    assert report.seed == 5


CHANCE = """
import random
import numpy as np
A = random.random(), np.random.rand()
class Demo(Scene):
    def construct(self):
        print(A, random.random(), np.random.rand(), hash("x"))
        for _ in range(6):
            self.add(Dot([random.uniform(-6, 6), np.random.uniform(-3, 3), 0], radius=0.4, color=random_color()))
        self.wait(0.2)
"""


def test_the_seed_decides_the_frames(rig: Rig) -> None:
    def drawn(seed: int) -> tuple[str, list[str]]:
        outcome = rig.render(CHANCE, seed=seed)
        frames = b"".join(frame.tobytes() for frame in decode(outcome.video))
        return hashlib.sha256(frames).hexdigest(), outcome.printed

    first, again, other = drawn(1), drawn(1), drawn(2)
    assert first == again
    assert first[0] != other[0]
    assert first[1] != other[1]


def test_the_named_scene_is_rendered(rig: Rig) -> None:
    code = scene(RING) + scene("self.wait(0.5)").replace("Demo", "Other")
    assert rig.render(code, scene="Other").report.frames == 5
    error = rig.render(code, scene="Othr").error
    assert error.code is ErrorCode.scene_not_found
    assert error.message == "There is no scene 'Othr' in the code. Scenes there: Demo, Other."
    assert error.hint == "Did you mean 'Other'?"


def test_opengl_draws_without_a_screen(rig: Rig) -> None:
    outcome = rig.render(scene("self.add(Square(fill_opacity=1, color=RED))\nself.wait(0.2)"), engine="opengl")
    frames = decode(outcome.video)
    assert len(frames) == 2
    assert frames[0][36, 64][0] > 150
