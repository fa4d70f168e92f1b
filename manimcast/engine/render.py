"""Code in, video out: render one scene in this process.

Runs once per process, in a child that is thrown away afterwards: it changes Manim's global configuration, the
random generators and the working directory's contents.
"""

from __future__ import annotations

import logging
import random
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from manim import Scene, config, logger
from manim.animation.animation import Wait
from manim.constants import RendererType
from manim.manager import Manager

from manimcast.engine import assemble, configure, drawn, foresee, load
from manimcast.engine.diagnose import diagnose
from manimcast.engine.errors import SceneFailure
from manimcast.engine.fingerprint import fingerprint
from manimcast.engine.parallel.director import Director
from manimcast.engine.parallel.drawers import Drawers
from manimcast.engine.parallel.observer import Observer
from manimcast.engine.parallel.room import Room
from manimcast.engine.parallel.switches import ALL, Switches
from manimcast.engine.parallel.way_back import Voice
from manimcast.engine.patches import every, renderer, tex, writer
from manimcast.engine.poster import Poster
from manimcast.engine.reuse import Reuse, Shelf
from manimcast.engine.track import LogHandler, Tracker
from manimcast.engine.writer import tracked_by
from manimcast.spec import ErrorCode, Format, RenderReport, RenderSpec, SceneError
from manimcast.wire import Limits, Message, Started

STILL_SECONDS = 1.0
"""How long the picture of a scene without animations is held, when a video was asked for."""


class VideoManager(Manager[Scene]):
    """Manim's manager, for a service that owes a video: a scene that plays nothing is held for a moment.

    The ``manim`` command writes a PNG in that case, or fails when a video was asked for by name.
    """

    def post_construct(self) -> None:
        """Finish the output."""
        if self.num_plays == 0 and self.output_spec.is_video:
            logger.warning("The scene plays no animation; its picture is held for one second.")
            self.scene.play(Wait(STILL_SECONDS))
        super().post_construct()


def render(
    spec: RenderSpec,
    limits: Limits,
    directory: Path,
    send: Callable[[Message], None],
    *,
    voice: Voice | None = None,
    observe: Observer | None = None,
    switches: Switches = ALL,
    shelf: Shelf | None = None,
    arrived: Path | None = None,
) -> RenderReport:
    """Render ``spec`` and return what came out; the files lie in ``directory``, which is also the working directory.

    Parameters
    ----------
    spec
        What to render.
    limits
        Bounds on what is drawn.
    directory
        An empty, absolute directory.
    send
        Takes the wire's messages as they happen.
    voice
        The way that ``send`` takes, so that another process can go on with it.
    observe
        Sees each frame handed to the encoder (height x width x 4, uint8, RGBA), and how often it is repeated.
    switches
        What the engine may do to be fast.
    shelf
        Where segments are kept for the next render, if they are.
    arrived
        The folder of the assets, by their numbers in ``spec``, if there are some.

    Raises
    ------
    SceneFailure
        With the error that the client gets.
    """
    clock = _Clock()
    scene: Scene | None = None
    director: Director | None = None
    reuse: Reuse | None = None
    log = capture_log(send)
    try:
        configure.apply(spec, directory)
        every.install()
        drawn.remember()
        tex.begin_render()
        random.seed(spec.seed)
        np.random.seed(spec.seed)
        module = load.load(spec, directory, arrived)
        configure.pin(spec, directory)
        configure.check(limits)
        scene_class = load.choose_scene(module, spec.scene)
        clock.mark("load")
        tracker, poster = Tracker(send, limits, frame_rate=config.frame_rate), Poster()
        writer_class = tracked_by(tracker, poster, observe)
        writer.use_writer(writer_class)
        scene = scene_class()
        writer_class.scene = scene
        drawers, encoders = _drawers(limits, scene)
        reuse = _reuse(shelf, scene_class, directory)
        director = Director(
            tracker,
            poster,
            drawers,
            directory / "media",
            voice=voice,
            observe=observe,
            switches=switches,
            reuse=reuse,
            encoders=encoders,
        )
        renderer.use_director(director)
        writer_class.before_finish = staticmethod(director.finish)
        send(
            Started(
                scene=scene_class.__name__[:200],
                width=config.pixel_width,
                height=config.pixel_height,
                frame_rate=config.frame_rate,
            )
        )
        VideoManager(scene)
        foresee.watch(scene, director)
        scene.render()
        clock.mark("draw")
        joining = time.process_time()
        file_writer = scene.renderer.file_writer
        if getattr(file_writer, "final_file_path", None) is None:
            raise SceneFailure(nothing_drawn(spec, scene))
        files, sections = assemble.assemble(
            file_writer, tracker, poster, directory, spec.format, frame_rate=config.frame_rate
        )
        if reuse is not None:
            reuse.offer()
        else:
            shutil.rmtree(directory / "media", ignore_errors=True)
        work = director.work(time.process_time() - joining)
        clock.mark("assemble")
    except BaseException as error:
        foresee.leave()
        _give_up(director, reuse)
        index = scene.renderer.num_plays if scene is not None else None
        raise SceneFailure(diagnose(error, animation_index=index)) from error
    is_still = spec.format is Format.png
    return RenderReport(
        scene=scene_class.__name__[:200],
        format=spec.format,
        media_type=spec.format.media_type,
        width=config.pixel_width,
        height=config.pixel_height,
        frame_rate=config.frame_rate,
        frames=1 if is_still else tracker.frames,
        duration=0 if is_still else tracker.frames / config.frame_rate,
        animations=tracker.index + 1,
        animations_reused=director.reused,
        sections=tuple(sections),
        files=tuple(files),
        seed=spec.seed,
        timings=clock.marks,
        fingerprint=fingerprint(),
        warnings=tuple(log.warnings),
        drawing=director.report(),
        work=work,
    )


def capture_log(send: Callable[[Message], None]) -> LogHandler:
    """Send what Manim and the libraries have to say as messages, instead of printing it."""
    handler = LogHandler(send)
    for name in ("manim", None):
        target = logging.getLogger(name)
        target.handlers[:] = [handler]
    logging.getLogger().setLevel(logging.WARNING)
    # Manim hands its audio container options that PyAV does not know, and PyAV says so each time.
    logging.getLogger("av").setLevel(logging.ERROR)
    return handler


def _drawers(limits: Limits, scene: Scene) -> tuple[Drawers, int]:
    """Return those who may draw ``scene``, and in how many threads segments are encoded where it runs, if in any."""
    writer: Any = scene.renderer.file_writer
    room = Room(limits.memory, writer.video_encoder)
    drawers = Drawers(room.processes(limits.drawers), limits.cores)
    return drawers, room.encoders() if limits.drawers > 1 else 0


def _reuse(shelf: Shelf | None, scene_class: type[Scene], directory: Path) -> Reuse | None:
    if shelf is None or config.renderer is not RendererType.CAIRO:
        return None
    return Reuse(shelf, scene_class.__name__, directory / "media" / "made")


def _give_up(director: Director | None, reuse: Reuse | None) -> None:
    """Stop drawing a scene that has failed, and offer what it has drawn, for the render after the mistake is mended."""
    if director is not None:
        director.abort()
    if reuse is not None:
        with suppress(Exception):  # one error is enough
            reuse.offer()


def nothing_drawn(spec: RenderSpec, scene: Scene) -> SceneError:
    """Return the error of a scene that has plays, all of which are left out."""
    played = scene.renderer.num_plays
    if spec.animations is not None:
        message = f"No animation is left to draw: the scene plays {played}, and {list(spec.animations)} was asked for."
    else:
        message = f"The scene plays {played} animations, and all of them are skipped."
    return SceneError(code=ErrorCode.exception, message=message, hint="Leave out fewer animations or sections.")


class _Clock:
    """Where the time went, in seconds."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self.marks: dict[str, float] = {}

    def mark(self, name: str) -> None:
        """End the stretch called ``name``."""
        now = time.perf_counter()
        self.marks[name] = round(now - self._last, 4)
        self._last = now
