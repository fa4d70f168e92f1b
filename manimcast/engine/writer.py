"""Manim's file writer, with ears and without queues: it tells of what passes, and encodes it at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from manim.animation.animation import Wait
from manim.scene.scene import Scene
from manim.scene.scene_file_writer import SceneFileWriter

from manimcast.engine.join import join
from manimcast.engine.parallel.observer import Observer
from manimcast.engine.poster import Poster
from manimcast.engine.segment import SegmentEncoder
from manimcast.engine.track import Pixels, Tracker


class TrackedFileWriter(SceneFileWriter):
    """A :class:`SceneFileWriter` that reports to a :class:`Tracker` and encodes each frame when it gets it.

    One process renders one scene, so what it reports to is set on the class that :func:`tracked_by` makes.
    """

    takes_live_frames: ClassVar[bool] = True
    """Each frame is encoded before :meth:`write_frame` returns, so it need not be a copy."""
    tracker: ClassVar[Tracker]
    poster: ClassVar[Poster]
    observe: ClassVar[Observer | None]
    scene: ClassVar[Scene | None] = None
    before_finish: ClassVar[Any] = None
    """Called when all plays are played: what draws them elsewhere comes to its end."""
    _announced = False
    _encoder: SegmentEncoder | None = None
    _last: Pixels | None = None

    def begin_animation(self, allow_write: bool = False, **kwargs: Any) -> None:
        """Announce the play. OpenGL begins before it has compiled its animations, so there it comes later."""
        super().begin_animation(allow_write, **kwargs)
        self._announced = False
        if self.scene is not None and not _is_opengl(self.scene):
            self.announce(drawn=allow_write)

    def write_frame(self, pixels: Any, *, repeat: int = 1) -> None:
        """Count the frame and encode it."""
        if self._encoder is None:  # frames outside a play do not belong to the video
            return
        if not self._announced:
            self.announce(drawn=True)
        self.tracker.plan(repeat)
        if self.observe is not None:
            self.observe.frame(pixels, repeat)
        self._encoder.write(pixels, repeat=repeat)
        self._last = pixels
        self.tracker.drawn(self.tracker.index, repeat)

    def end_animation(self, allow_write: bool = False) -> None:
        """Note the end of the play."""
        super().end_animation(allow_write)
        if not self._announced:
            self.announce(drawn=False)
        self.tracker.end_play()
        if self._last is not None:
            self.poster.consider(self._last, self.tracker.index)
            self._last = None

    def save_image(self, pixels: Any) -> None:
        """Note the picture that is the result of a still render."""
        if self.observe is not None:
            self.observe.frame(pixels, 1)
        super().save_image(pixels)

    def next_section(self, name: str, type_: str, skip_animations: bool) -> None:
        """Note where the section begins."""
        super().next_section(name, type_, skip_animations)
        self.tracker.begin_section(str(name)[:200], str(getattr(type_, "value", type_))[:200])

    def open_partial_movie_stream(self, *, animation_index: int, file_path: Any = None) -> None:
        """Begin a segment."""
        path = file_path if file_path is not None else self.partial_movie_files[animation_index]
        if path is None or self._encoder is not None:
            raise RuntimeError("a play that is not drawn has no segment, and only one segment can be open")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._encoder = self._create_segment_encoder(Path(path))

    def close_partial_movie_stream(self) -> None:
        """End the segment."""
        encoder, self._encoder = self._encoder, None
        if encoder is None:
            raise RuntimeError("no segment is open")
        encoder.finish()

    def join_all_encode_jobs(self) -> None:
        """Wait until all segments are there."""
        if self.before_finish is not None:
            self.before_finish()

    def combine_files(
        self, input_files: list[str], output_file: Path, create_gif: bool = False, includes_sound: bool = False
    ) -> None:
        """Join segments as they are; pictures for a GIF are encoded again, Manim's way."""
        if create_gif or self.video_encoder is None:
            super().combine_files(input_files, output_file, create_gif, includes_sound)
        else:
            join([Path(path) for path in input_files], output_file, self.video_encoder)

    def abort_encode_jobs(self, reraise_encoder_failures: bool = False) -> None:
        """Throw the open segment away."""
        del reraise_encoder_failures  # nothing fails unnoticed here
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            encoder.abort()

    def announce(self, *, drawn: bool) -> int:
        """Tell that the play which the scene has compiled begins; returns its index."""
        self._announced = True
        animations = (self.scene.animations if self.scene else None) or []
        kind = ", ".join(type(animation).__name__.strip("_") for animation in animations) or "play"
        duration = float(self.scene.duration) if self.scene is not None else None
        if any(isinstance(animation, Wait) and animation.stop_condition is not None for animation in animations):
            duration = None
        return self.tracker.begin_play(kind, duration, drawn=drawn)

    def _create_segment_encoder(self, target: Path) -> SegmentEncoder:  # type: ignore[override]
        encoder = self.video_encoder
        if encoder is None:
            raise RuntimeError("Video segment encoding requires resolved settings.")
        return SegmentEncoder(target, encoder)


def _is_opengl(scene: Scene) -> bool:
    return type(scene.renderer).__name__ == "OpenGLRenderer"


def tracked_by(tracker: Tracker, poster: Poster, observe: Observer | None) -> type[TrackedFileWriter]:
    """Return the writer class for one render."""
    return type("SceneFileWriter", (TrackedFileWriter,), {"tracker": tracker, "poster": poster, "observe": observe})
