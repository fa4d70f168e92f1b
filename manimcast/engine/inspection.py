"""Code in, timeline out: run one scene dry in this process.

Everything happens as in a render (:mod:`manimcast.engine.render`): each frame's updaters, stop conditions, random
numbers, TeX, sounds. Left out are pixels, the encoder, and frames that change nothing for those after them. Runs once
per process, in a child that is thrown away.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from manim import Scene, config

from manimcast.engine import configure, load
from manimcast.engine.diagnose import diagnose
from manimcast.engine.errors import SceneFailure
from manimcast.engine.patches import every, noticing, tex, undrawn, unstepped, writer
from manimcast.engine.pitfalls import opengl_pitfalls
from manimcast.engine.render import VideoManager, capture_log, nothing_drawn
from manimcast.engine.sightings import Sightings
from manimcast.engine.timeline import Timeline, UndrawnWriter, line_at_work, told_to
from manimcast.inspection import MAX_LISTED, MAX_NAMES, MAX_PLAYS, MAX_WARNINGS, Measured, SceneWarning, Work
from manimcast.inspection import WarningCode as Code
from manimcast.spec import Engine, Format, RenderSpec, SceneError
from manimcast.wire import Limits, Loaded, Noted

Send = Callable[[Loaded | Noted], None]


def inspect(
    spec: RenderSpec,
    limits: Limits,
    directory: Path,
    send: Send,
    *,
    reads_pixels: undrawn.ReadsPixels,
    draws: bool = False,
    arrived: Path | None = None,
) -> Measured:
    """Run the scene of ``spec`` dry and return what it comes to; what it tells on the way goes to ``send``.

    Parameters
    ----------
    spec
        As of a render. Without a scene the first one of the code is run.
    limits
        Bounds on what a render may draw.
    directory
        An empty, absolute directory, which is also the working directory.
    reads_pixels
        Called when the scene wants to read a frame; does not return. The scene must then be run again, with ``draws``.
    draws
        Draw every frame, though it goes nowhere.
    arrived
        The folder of the assets, by their numbers in ``spec``, if there are some.

    Raises
    ------
    SceneFailure
        When the code cannot be loaded. What goes wrong later is the ``error`` of what is returned.
    """
    capture_log(lambda _: None)
    try:
        configure.apply(spec, directory)
        every.install()
        tex.begin_render()
        random.seed(spec.seed)
        np.random.seed(spec.seed)
        module = load.load(spec, directory, arrived)
        configure.pin(spec, directory)
        configure.check(limits)
        names = list(load.scenes_in(module))
        scene_class = load.choose_scene(module, spec.scene or (names[0] if names else None))
    except BaseException as error:
        raise SceneFailure(diagnose(error, animation_index=None)) from error
    send(
        Loaded(
            scenes=tuple(name[:200] for name in names[:MAX_NAMES]),
            scene=scene_class.__name__[:200],
            width=config.pixel_width,
            height=config.pixel_height,
            frame_rate=config.frame_rate,
        )
    )
    return _Run(spec, limits, send, reads_pixels, draws=draws).of(scene_class)


class _Run:
    """One dry run of a scene."""

    def __init__(
        self, spec: RenderSpec, limits: Limits, send: Send, reads_pixels: undrawn.ReadsPixels, *, draws: bool
    ) -> None:
        self._spec = spec
        self._send = send
        self._reads_pixels = reads_pixels
        self._draws = draws
        self._warnings_left = MAX_WARNINGS
        self._warned: set[tuple[object, ...]] = set()
        self._sightings = Sightings()
        self._log = capture_log(lambda _: None)
        self._timeline = Timeline(limits, lambda play: send(Noted(note=play)), self._look)
        self._scene: Scene | None = None

    def of(self, scene_class: type[Scene]) -> Measured:
        """Run ``scene_class`` and return what it comes to."""
        self._warn_beforehand(scene_class.__name__)
        began = time.perf_counter()
        error = None
        try:
            self._step(scene_class)
        except BaseException as problem:  # noqa: BLE001  whatever it is, it is the scene's end
            index = self._scene.renderer.num_plays if self._scene is not None else None
            error = diagnose(problem, animation_index=index)
        seconds = time.perf_counter() - began
        self._tell_the_rest()
        return self._measured(error, seconds)

    def _step(self, scene_class: type[Scene]) -> None:
        if not self._draws:
            undrawn.install(self._reads_pixels)
            unstepped.install(self._timeline.is_looked_at)
        noticing.install(self._short_play, self._no_compiler)
        writer_class = told_to(self._timeline)
        writer.use_writer(writer_class)
        self._scene = scene = scene_class()
        self._timeline.scene = scene
        if not self._draws:
            undrawn.watch(scene, self._reads_pixels)
        VideoManager(scene)
        scene.render()
        file_writer = self._file_writer()
        if file_writer is not None and not file_writer.has_video:
            raise SceneFailure(nothing_drawn(self._spec, scene))

    def _look(self, scene: Scene, moment: str) -> None:
        self._sightings.look(scene, moment, index=self._timeline.index, line=line_at_work())

    def _short_play(self, run_time: float) -> None:
        self._warn(
            SceneWarning(
                code=Code.short_play,
                message=f"A run time of {run_time:g} s is shorter than a frame; the play takes one frame.",
                line=line_at_work(),
                animation_index=self._timeline.index + 1,
                hint=f"At {config.frame_rate:g} frames a second a frame takes {1 / config.frame_rate:.4f} s.",
            )
        )

    def _no_compiler(self, compiler: str, tex_file: Path) -> None:
        expression = tex.expression_in(tex_file.read_text(encoding="utf-8", errors="replace"))
        self._warn(
            SceneWarning(
                code=Code.missing_latex,
                message=f"{compiler} is not installed where scenes run, and '{expression[:300]}' needs it.",
                line=line_at_work(),
                animation_index=self._timeline.index + 1,
                hint="Use Text or MathTypst, or have LaTeX and dvisvgm installed there.",
            )
        )

    def _warn_beforehand(self, scene: str) -> None:
        if self._draws:
            message = "The scene reads its own frames, so the dry run has to draw them, and takes longer."
            self._warn(SceneWarning(code=Code.reads_pixels, message=message))
        if self._spec.engine is Engine.opengl:
            for warning in opengl_pitfalls(self._spec.code, scene):
                self._warn(warning)
            if self._spec.background_color is not None:
                message = "With OpenGL, background_color may have no effect."
                self._warn(SceneWarning(code=Code.opengl, message=message, hint="Leave `engine` out."))

    def _tell_the_rest(self) -> None:
        """Say what is known only at the end."""
        for section in self._timeline.told_sections():
            self._send(Noted(note=section))
        file_writer = self._file_writer()
        for subcaption in file_writer.told_subcaptions() if file_writer else ():
            self._send(Noted(note=subcaption))
        for warning in self._sightings.warnings():
            self._warn(warning)
        for text in self._log.warnings:
            if "is too short for the current frame rate" not in text.replace("\n", " "):  # said already
                self._warn(SceneWarning(code=Code.manim, message=text))
        counts = {
            "plays": (self._timeline.index + 1, MAX_PLAYS),
            "sections": (len(self._timeline.sections), MAX_LISTED),
            "subcaptions": (len(file_writer.subcaptions) if file_writer else 0, MAX_LISTED),
        }
        for what, (count, most) in counts.items():
            if count > most:
                message = f"Only the first {most} of {count} {what} are listed."
                self._warn(SceneWarning(code=Code.truncated, message=message))

    def _warn(self, warning: SceneWarning) -> None:
        """Send ``warning``, each once and not too many."""
        key = (warning.code, warning.message, warning.line)
        if key in self._warned or self._warnings_left <= 0:
            return
        self._warned.add(key)
        self._warnings_left -= 1
        self._send(Noted(note=warning))

    def _file_writer(self) -> UndrawnWriter | None:
        found = getattr(getattr(self._scene, "renderer", None), "file_writer", None)
        return found if isinstance(found, UndrawnWriter) else None

    def _measured(self, error: SceneError | None, seconds: float) -> Measured:
        timeline, file_writer = self._timeline, self._file_writer()
        is_still = self._spec.format is Format.png
        return Measured(
            frames=(1 if error is None else 0) if is_still else timeline.frames,
            duration=0 if is_still else timeline.frames / timeline.frame_rate,
            animations=timeline.index + 1,
            sounds=file_writer.sounds if file_writer else 0,
            work=Work(drawn=timeline.drawn, curves=timeline.curves, shaded=timeline.shaded, step_seconds=seconds),
            error=error,
        )
