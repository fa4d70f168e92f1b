"""Draw and encode frames of one play, in whatever process this is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from manim._config.video_encoder import VideoEncoderSpec
from manim.camera.moving_camera import MovingCamera
from manim.mobject.mobject import Mobject
from manim.mobject.types.vectorized_mobject import VMobject
from manim.renderer.cairo_renderer import CairoRenderer
from manim.scene.scene import Scene
from manim.utils.iterables import list_update

from manimcast.engine.parallel.pixels import guard
from manimcast.engine.patches import frame
from manimcast.engine.reuse import Watch
from manimcast.engine.segment import SegmentEncoder
from manimcast.engine.track import Pixels

SHADED = 6
"""How many times as long drawing a shaded path takes: cairo computes its gradient pixel by pixel."""

Seen = Callable[[Pixels, int], None]
"""Sees each frame that is handed to the encoder, and how often it is repeated."""


@dataclass
class Play:
    """A play of the scene's, compiled and begun.

    ``times`` are those of its frames, in seconds from its start. ``held`` is how many frames a frozen one lasts, which
    shows one picture all the time; it is 0 for one that moves. ``stopped`` tells that its stop condition came true.
    If somebody wants to know, ``watch`` tells what each frame shows, ``begin`` is the digest of what it begins with,
    and ``key`` is what it is kept under, once that is known before it is drawn.
    """

    renderer: CairoRenderer
    scene: Scene
    index: int
    times: list[float]
    held: int = 0
    stopped: bool = False
    watch: Watch | None = None
    begin: str = ""
    key: str | None = None

    @property
    def frames(self) -> int:
        """How many frames it has, at most: a stop condition can end it sooner."""
        return self.held or len(self.times)

    @property
    def is_foreseen(self) -> bool:
        """Whether it was stepped before it is drawn, so that the states which it then has are known."""
        return self.key is not None and not self.held

    @property
    def paths(self) -> int:
        """How many objects are drawn anew in each frame."""
        return len(self.scene.moving_mobjects)

    @cached_property
    def effort(self) -> int:
        """How many paths it takes to draw a frame."""
        return effort(self.scene)

    @property
    def encoding(self) -> VideoEncoderSpec:
        """How it is encoded."""
        encoding: VideoEncoderSpec = self.renderer.file_writer.video_encoder
        return encoding

    def pixels(self) -> Pixels:
        """Return what the camera holds: the frame that was drawn last, until the next is."""
        pixels: Any = frame.pixels(self.renderer.camera)
        return pixels  # type: ignore[no-any-return]

    def draw_background(self) -> None:
        """Draw what does not move in this play. What is moved of it later on stays there, as in Manim."""
        with guard.drawing():
            self.renderer.save_static_frame_data(self.scene, self.scene.static_mobjects)

    def draw(self, encoder: SegmentEncoder, first: int, last: int, seen: Seen) -> Drawn:
        """Step and draw the frames from ``first`` up to before ``last``, or until the scene stops the play.

        ``seen`` is called with each frame and how often it is shown.
        """
        scene = self.scene
        began, own, stepping = time.process_time(), time.thread_time(), 0.0
        if self.held:
            self.draw_frame()
            self._hand_on(encoder, self.held, seen, is_first=True)
            return Drawn(self.held, time.process_time() - began, time.thread_time() - own, 0.0)
        for number in range(first, last):
            before = time.thread_time()
            scene.update_to_time(self.times[number])
            stepping += time.thread_time() - before
            self.draw_frame()
            self._hand_on(encoder, 1, seen, is_first=number == first)
            if scene.stop_condition is not None and scene.stop_condition():
                last, self.stopped = number + 1, True
                break
        return Drawn(last - first, time.process_time() - began, time.thread_time() - own, stepping)

    def draw_last(self, *, has_background: bool) -> None:
        """Draw the frame at which it stands, as the last one of a play that was not drawn.

        Without ``has_background``, what does not move is drawn as it is now.
        """
        if has_background:
            self.draw_frame()
            return
        renderer, scene = self.renderer, self.scene
        camera = renderer.camera
        renderer.static_image = None
        moving = scene.moving_mobjects or list_update(scene.mobjects, scene.foreground_mobjects)
        with guard.drawing():
            camera.reset()
            if scene.static_mobjects:
                camera.capture_mobjects(scene.static_mobjects, include_submobjects=True)
            camera.capture_mobjects(moving, include_submobjects=True)

    def step(self, first: int, last: int, each: Callable[[], None]) -> int:
        """Step the same frames without drawing them; returns the number of the frame after the last.

        ``each`` is called after every one.
        """
        scene = self.scene
        for number in range(first, last):
            scene.update_to_time(self.times[number])
            self.leave_traces()
            self.pass_time(1)
            each()
            if scene.stop_condition is not None and scene.stop_condition():
                self.stopped = True
                return number + 1
        return last

    def pass_time(self, frames: int) -> None:
        """Let the scene's clock go on as drawing ``frames`` would, one by one or all at once."""
        renderer = self.renderer
        dt = 1 / renderer.camera.frame_rate
        if self.held:
            renderer.time += frames * dt
        else:
            for _ in range(frames):
                renderer.time += 1 * dt

    def go_back(self, clock: float) -> None:
        """Stand at the first frame again, after frames that were stepped, and have the scene's clock say ``clock``.

        Only for a play each frame of which depends on its time alone.
        """
        self.scene.update_to_time(self.times[0])
        self.scene.last_t = 0
        self.renderer.time = clock

    def leave_traces(self) -> None:
        """Do to the camera what drawing a frame does and later ones depend on.

        A camera in space notes where it looks from. And the first frame of all decides for ever where cairo draws: its
        context is made with the centre that the camera has then.
        """
        camera: Any = self.renderer.camera
        if hasattr(camera, "reset_rotation_matrix"):
            camera.reset_rotation_matrix()
        pixels = frame.pixels(camera)
        with guard.drawing():
            if isinstance(camera, MovingCamera) or camera.get_cached_cairo_context(pixels) is not None:
                return
            if any(isinstance(mobject, VMobject) and len(mobject.points) for mobject in self._drawn()):
                camera.get_cairo_context(pixels)

    def leave_first_traces(self, *, pure: bool) -> None:
        """Do what drawing the background does, or the first frame of a play that begins as it was compiled."""
        if self.scene.static_mobjects or pure:
            self.leave_traces()

    def _drawn(self) -> Iterator[Mobject]:
        yield from self.scene.static_mobjects
        yield from self.scene.moving_mobjects or self.scene.get_mobject_family_members()

    def draw_frame(self) -> None:
        """Draw the frame at which it stands."""
        with guard.drawing():
            self.renderer.update_frame(self.scene, self.scene.moving_mobjects)

    def _hand_on(self, encoder: SegmentEncoder, repeat: int, seen: Seen, *, is_first: bool) -> None:
        pixels = self.pixels()
        seen(pixels, repeat)
        rows = frame.drawn_rows(self.renderer.camera)
        encoder.write(pixels, repeat=repeat, rows=None if is_first else rows)
        self.pass_time(repeat)


def effort(scene: Scene) -> int:
    """Return how many paths it takes to draw a frame of what is being played.

    Each that is shaded in space counts as so many as it takes.
    """
    family = {
        id(member): member for mobject in scene.moving_mobjects or scene.mobjects for member in mobject.get_family()
    }
    paths = [member for member in family.values() if len(member.points)]
    return sum(SHADED if getattr(member, "shade_in_3d", False) else 1 for member in paths)


@dataclass
class Drawn:
    """How many frames were drawn, and the seconds of processor time that took.

    ``own`` is the part of the thread that drew, ``stepping`` what of that was not drawing.
    """

    frames: int
    seconds: float
    own: float
    stepping: float
