"""Animations of earlier renders in place of drawing: the same frames, only the tenant's own, and never on trust."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from manimcast.executors.segments import Reuse
from manimcast.spec import ErrorCode
from tests.executors.rig import Outcome, Rig, scene

SETUP = "self.camera.background_color = '#102030'\nc = Circle()\nself.add(NumberPlane())"
PLAYS = (
    "self.play(Create(c), run_time=0.3)",
    "self.play(c.animate.shift(RIGHT).set_fill(BLUE, 0.5), run_time=0.4)",
    "self.wait(0.5)",
    "self.play(Rotate(c, 1), run_time=0.3)",
    "c.add_updater(lambda m, dt: m.rotate(dt)); self.play(FadeIn(Square()), run_time=0.3)",
)
LAST = "self.play(FadeOut(c), run_time=0.3)"


def code(*plays: str) -> str:
    return scene("\n".join([SETUP, *(plays or (*PLAYS, LAST))]))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Rig]:
    """An executor whose cache is empty."""
    rig = Rig(tmp_path)
    yield rig
    rig.close()


def frames(outcome: Outcome) -> list[str]:
    with av.open(outcome.video) as container:
        pictures = [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]
    return [hashlib.sha256(picture.tobytes()).hexdigest() for picture in pictures]


def reused(outcome: Outcome) -> tuple[int, int]:
    return outcome.report.animations_reused, outcome.report.animations


def entries(rig: Rig) -> list[Path]:
    return [path for path in (rig.root / "cache" / "segments").rglob("*") if path.is_file()]


def test_after_an_edit_only_what_changed_is_drawn(own: Rig) -> None:
    reuse = Reuse("t")
    first = own.render(code(), reuse=reuse)
    assert reused(first) == (0, 6)
    edited = code(*PLAYS[:3], "self.play(Rotate(c, 2), run_time=0.3)", PLAYS[4], LAST)
    # What comes after the edit shows another angle, so it is drawn as well.
    second = own.render(edited, reuse=reuse)
    assert reused(second) == (3, 6)
    plain = own.render(edited)
    assert reused(plain) == (0, 6)
    assert frames(second) == frames(plain)
    assert second.report.frames == plain.report.frames
    assert [(second.folder / file.name).read_bytes() for file in second.report.files[1:]] == [
        (plain.folder / file.name).read_bytes() for file in plain.report.files[1:]
    ]
    third = own.render(edited, reuse=reuse)
    assert reused(third) == (6, 6)
    assert frames(third) == frames(plain)
    # An edit in the middle that shows nothing else in the end leaves what follows as it is.
    longer = code(*PLAYS[:3], "self.wait(0.2)", *PLAYS[3:], LAST)
    assert reused(own.render(longer, reuse=reuse)) == (6, 7)


@pytest.mark.parametrize("forked", [False, True])
def test_what_a_failing_scene_has_drawn_is_not_drawn_again(own: Rig, forked: bool) -> None:
    head = "import manimcast.engine.parallel.director as d\nd.Director._pays = lambda *_, **__: True" if forked else ""
    wrong = head + code(*PLAYS, "raise ValueError('a slip')", LAST)
    assert own.render(wrong, reuse=Reuse("t")).error.exception == "ValueError"
    mended = own.render(code(), reuse=Reuse("t"))
    assert reused(mended) == (5, 6)
    assert frames(mended) == frames(own.render(code()))
    assert reused(own.render(code(), reuse=Reuse("other"))) == (0, 6)


def test_what_was_drawn_before_the_timeout_is_not_drawn_again(own: Rig) -> None:
    endless = code(*PLAYS, "n = 0\nwhile True: n += 1; self.play(Rotate(c, n), run_time=0.2)")
    assert own.render(endless, timeout=4, reuse=Reuse("t")).error.code is ErrorCode.timeout
    mended = own.render(code(), reuse=Reuse("t"))
    assert reused(mended) == (5, 6)
    assert frames(mended) == frames(own.render(code()))


def test_a_play_that_was_not_finished_is_drawn(own: Rig) -> None:
    """It fails at its third frame, when one process has drawn those before."""
    slip = "c.add_updater(lambda m, dt: 1 / (self.time < 1.4))"
    wrong = code(*PLAYS[:3], slip, "self.play(FadeIn(Square()), run_time=1)")
    assert own.render(wrong, reuse=Reuse("t")).error.exception == "ZeroDivisionError"
    assert reused(own.render(code(*PLAYS[:3]), reuse=Reuse("t"))) == (3, 3)
    whole = code(*PLAYS[:3], slip.replace("1.4", "9"), "self.play(FadeIn(Square()), run_time=1)")
    assert reused(own.render(whole, reuse=Reuse("t"))) == (3, 4)


@pytest.mark.parametrize(
    "other",
    [{"frame_rate": 12}, {"resolution": {"width": 160, "height": 90}}, {"format": "webm"}, {"encoder_preset": "slow"}],
)
def test_other_pictures_or_encodings_are_not_taken(own: Rig, other: dict[str, object]) -> None:
    own.render(code(), reuse=Reuse("t"))
    changed = own.render(code(), reuse=Reuse("t"), **other)
    assert reused(changed) == (0, 6)


def test_another_background_is_another_picture(own: Rig) -> None:
    own.render(code(), reuse=Reuse("t"))
    assert reused(own.render(code().replace("#102030", "#102031"), reuse=Reuse("t"))) == (0, 6)


def test_no_tenant_has_anothers(own: Rig) -> None:
    own.render(code(), reuse=Reuse("t"))
    assert reused(own.render(code(), reuse=Reuse("other"))) == (0, 6)
    assert reused(own.render(code())) == (0, 6)


def test_not_to_look_is_to_draw_and_not_to_keep_leaves_nothing(own: Rig) -> None:
    own.render(code(), reuse=Reuse("t", keep=False))
    assert entries(own) == []
    own.render(code(), reuse=Reuse("t"))
    assert reused(own.render(code(), reuse=Reuse("t", look=False))) == (0, 6)


def test_damaged_segments_are_drawn_anew(own: Rig) -> None:
    first = own.render(code(), reuse=Reuse("t"))
    for path in entries(own):
        if path.stat().st_size > 500:  # the segments; the rest are lists of them
            path.write_bytes(path.read_bytes()[:-1] + b"?")
    again = own.render(code(), reuse=Reuse("t"))
    assert reused(again) == (0, 6)
    assert frames(again) == frames(first)
    assert reused(own.render(code(), reuse=Reuse("t"))) == (6, 6)


@pytest.mark.parametrize("content", ["b''", "b'no video at all' * 100", "segment.read_bytes()[:300]", "other"])
def test_segments_that_are_none_are_not_taken(own: Rig, content: str) -> None:
    """A scene lies about what it has drawn, once its own video is put together; the next one has to find out."""
    honest = own.render(code())
    lie = f"""
import manimcast.engine.reuse as reuse_
from manimcast.engine.parallel.parts import Parts
Parts._offer_now_and_then = lambda self: None
offer = reuse_.Reuse.offer
def lie(self):
    segments = [path for path in self._made.values() if path.suffix]
    other = segments[0].read_bytes()
    for segment in segments[1:]:
        segment.write_bytes({content})
    offer(self)
reuse_.Reuse.offer = lie
"""
    lying = own.render(lie + code(), reuse=Reuse("t"))
    assert frames(lying) == frames(honest)
    again = own.render(code(), reuse=Reuse("t"))
    assert again.report.frames == honest.report.frames
    assert len(frames(again)) == len(frames(honest))
    if content != "other":  # whose frames are of another play of its own: that much a tenant can do to itself
        assert frames(again) == frames(honest)
    assert frames(own.render(code(), reuse=Reuse("other"))) == frames(honest)


def test_a_scene_that_changes_how_things_are_drawn_is_drawn(own: Rig) -> None:
    patch = "from manim.camera.camera import Camera\nCamera.apply_fill = lambda self, ctx, vmobject: self\n"
    own.render(code(), reuse=Reuse("t"))
    changed = own.render(patch + code(), reuse=Reuse("t"))
    assert reused(changed) == (0, 6)
    plain = own.render(patch + code())
    assert frames(changed) == frames(plain)


def test_a_scene_that_reads_frames_is_drawn_right(own: Rig) -> None:
    body = (
        "d = Dot()\nd.add_updater(lambda m: m.set_opacity(0.2 + self.renderer.get_frame().mean() / 300))\nself.add(d)"
    )
    reading = scene(f"{body}\nself.play(FadeIn(Square()), run_time=0.4)\nself.play(FadeIn(Circle()), run_time=0.4)")
    plain = own.render(reading)
    for _ in range(2):
        assert frames(own.render(reading, reuse=Reuse("t"))) == frames(plain)


def test_chance_goes_on_as_if_everything_were_drawn(own: Rig) -> None:
    body = "for n in range(3):\n    self.play(FadeIn(Dot(np.random.rand(3) + random.random())), run_time=0.2)\n"
    jitter = "d.add_updater(lambda m: m.shift(RIGHT * random.random() / 10))"
    chance = scene(f"{body}d = Square()\n{jitter}\nself.add(d)\nself.wait(0.3)\n{body}", head="import random")
    plain = own.render(chance)
    own.render(chance, reuse=Reuse("t"))
    again = own.render(chance, reuse=Reuse("t"))
    assert again.report.animations_reused >= 6
    assert frames(again) == frames(plain)
