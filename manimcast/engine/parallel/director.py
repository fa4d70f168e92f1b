"""Decides for each play who draws it.

This process runs the scene and steps it. A play that takes little is drawn here, a longer one in parts by processes
that are forked off where each part begins. From the first of those on there is a way back (:mod:`.way_back`).
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from manim import config
from manim.camera.camera import Camera
from manim.camera.moving_camera import MovingCamera
from manim.camera.three_d_camera import ThreeDCamera
from manim.renderer.cairo_renderer import CairoRenderer
from manim.scene.scene import Scene

from manimcast.engine.behind import Lanes
from manimcast.engine.parallel.costs import Costs, divide
from manimcast.engine.parallel.drawers import Drawers
from manimcast.engine.parallel.foreseen import Foresight
from manimcast.engine.parallel.frames import Play
from manimcast.engine.parallel.observer import Observer
from manimcast.engine.parallel.parts import Parts
from manimcast.engine.parallel.pixels import guard
from manimcast.engine.parallel.purity import is_pure, state_of
from manimcast.engine.parallel.switches import Switches
from manimcast.engine.parallel.way_back import Voice, WayBack
from manimcast.engine.poster import Poster
from manimcast.engine.reuse import Reuse
from manimcast.engine.track import Tracker
from manimcast.spec import Drawing, DrawingWork

CAMERAS = (Camera, MovingCamera, ThreeDCamera)
"""Cameras that drawing leaves as they are, but for where a camera in space looks from."""


class Director:
    """Draws the plays of one scene; see :class:`~manimcast.engine.parallel.parts.Parts` for the parameters.

    ``voice`` is handed over when another process goes on with the render, ``reuse`` has plays that are kept, and
    ``encoders`` is in how many threads segments are encoded that this process draws; with none it encodes them itself.
    """

    def __init__(
        self,
        tracker: Tracker,
        poster: Poster,
        drawers: Drawers,
        directory: Path,
        *,
        voice: Voice | None,
        observe: Observer | None,
        switches: Switches,
        reuse: Reuse | None = None,
        encoders: int,
    ) -> None:
        self._tracker = tracker
        self._drawers = drawers
        self._switches = switches
        self._way_back = WayBack(drawers, tracker, voice)
        self._costs = Costs(config.pixel_width * config.pixel_height, drawers.limit, max(1, encoders))
        self._behind = Lanes(encoders) if switches.behind and encoders else None
        self._parts = Parts(
            tracker,
            poster,
            self._costs,
            drawers,
            self._way_back,
            directory=directory,
            observe=observe,
            behind=self._behind,
            switches=switches,
            reuse=reuse,
        )
        self._foresight: Foresight | None = None
        if reuse is not None:
            self._foresight = Foresight(reuse, tracker, self._parts, self._way_back, skip=switches.skip)
        self._may_fork = switches.fork and drawers.limit > 1
        self._stepped_over = 0

    def play(self, renderer: CairoRenderer, scene: Scene, *args: Any, **kwargs: Any) -> None:
        """Play, as :meth:`manim.renderer.cairo_renderer.CairoRenderer.play` does."""
        renderer.skip_animations = renderer._original_skipping_status
        renderer.update_skipping_status()
        scene.compile_animation_data(*args, **kwargs)
        if renderer.skip_animations:
            self._pass_over(renderer, scene)
        else:
            renderer.animations_hashes.append(f"uncached_{renderer.num_plays:05}")
            index = renderer.file_writer.announce(drawn=True)
            scene.begin_animations()
            if scene.is_current_animation_frozen_frame():
                held = int(scene.duration / (1 / renderer.camera.frame_rate))
                self._draw(Play(renderer, scene, index, [], held=held))
                renderer.static_image = None
            else:
                progression = _begin(scene)
                self._draw(Play(renderer, scene, index, list(progression.iterable)))
                _end(scene, progression)
            self._tracker.end_play()
            self._parts.end_play(index)
        renderer.num_plays += 1

    @property
    def reused(self) -> int:
        """How many plays were not drawn, as they are kept."""
        return self._foresight.reused if self._foresight is not None else 0

    def stand_back(self, reason: str) -> None:
        """Leave this play, and all that follow, to Manim's renderer, which draws in this process."""
        if guard.stale or not self._drawers.idle:
            self._way_back.take(reason)
        if self._may_fork and self._way_back.alone is None:
            self._way_back.alone = reason

    def finish(self) -> None:
        """Wait until everything is drawn; then all segments lie where the writer expects them."""
        self._parts.finish()
        self._way_back.close()

    def abort(self) -> None:
        """Stop drawing: the scene has failed."""
        with suppress(Exception):  # it is about the scene's error, not about this
            self._parts.give_up()
        self._drawers.stop()
        self._way_back.close()

    def report(self) -> Drawing:
        """Return how the scene was drawn."""
        return Drawing(
            segments=self._parts.segments,
            processes=self._drawers.limit if self._parts.forked else 1,
            forked=self._parts.forked,
            stepped_over=self._stepped_over,
            alone_because=self._way_back.alone,
        )

    def work(self, join: float) -> DrawingWork | None:
        """Return what drawing took, with ``join`` seconds for putting the file together; None when it is not known."""
        return self._parts.work(join) if self._parts.segments else None

    def _pass_over(self, renderer: CairoRenderer, scene: Scene) -> None:
        """Do what Manim does in a play that goes into no video: it is drawn once, at its end."""
        renderer.time += scene.duration
        writer = renderer.file_writer
        writer.add_partial_movie_file(None)
        renderer.animations_hashes.append(None)
        writer.begin_animation(False, animation_index=renderer.num_plays)
        scene.begin_animations()
        with guard.drawing():
            renderer.save_static_frame_data(scene, scene.static_mobjects)
        if scene.is_current_animation_frozen_frame():
            with guard.drawing():
                renderer.update_frame(scene, mobjects=scene.moving_mobjects)
        else:
            progression = _begin(scene)
            for moment in progression.iterable:
                scene.update_to_time(moment)
                with guard.drawing():
                    renderer.update_frame(scene, scene.moving_mobjects)
                guard.stale = False
                if scene.stop_condition is not None and scene.stop_condition():
                    break
            _end(scene, progression)
        guard.stale = False
        writer.end_animation(False)

    def _draw(self, play: Play) -> None:
        foresight = self._foresight if self._way_back.alone is None and not self._has_threads() else None
        if foresight is not None and foresight.has(play):
            return
        if not self._others_may_draw(play):
            self._draw_here(play, 0)
        elif play.held:
            if self._pays(1, play, stepped_twice=False) and self._way_back.is_open():
                self._tracker.plan(play.held)
                self._parts.draw_there(play, 0, play.held, has_background=False, states=False)
                play.pass_time(play.held)
                play.leave_traces()
            else:
                self._draw_here(play, 0)
        elif self._switches.skip and self._pays(play.frames, play, stepped_twice=False) and is_pure(play.scene):
            self._step_over(play)
        else:
            self._step_along(play)

    def _step_over(self, play: Play) -> None:
        """Have others draw a play whose every frame can be reached at once."""
        if not self._way_back.is_open():
            self._draw_here(play, 0)
            return
        self._stepped_over += 1
        self._tracker.plan(play.frames)
        play.leave_first_traces(pure=True)
        for first, last in self._divide(play):
            self._parts.draw_there(play, first, last, has_background=False, states=True)
        play.scene.update_to_time(play.times[-1])
        play.leave_traces()
        play.pass_time(play.frames)
        self._parts.note_state(play, play.frames, state_of(play.scene))

    def _step_along(self, play: Play) -> None:
        """Step through a play and have others draw parts of it, where that pays; else draw the rest of it here."""
        has_background = False
        known = play.scene.stop_condition is None
        parts = self._divide(play)
        for first, last in parts:
            if not self._pays(last - first, play, stepped_twice=True) or not self._way_back.is_open():
                self._draw_here(play, first, background=not has_background)
                return
            if len(parts) > 1 and not has_background:
                # The others begin with what has moved since, and Manim draws this before that.
                play.draw_background()
                has_background = True
            elif first == 0:
                play.leave_first_traces(pure=False)
            if known:
                self._tracker.plan(last - first)
            self._parts.draw_there(play, first, last, has_background=has_background, states=False)
            before = time.thread_time()
            reached = play.step(first, last, self._parts.listen_now_and_then)
            self._costs.stepped(reached - first, time.thread_time() - before)
            if not known:
                self._tracker.plan(reached - first)
            if play.stopped:
                return

    def _draw_here(self, play: Play, first: int, *, background: bool = True) -> None:
        """Draw the frames from ``first`` on in this process, in the same parts."""
        for begin, end in self._divide(play):
            if begin >= first and not play.stopped:
                self._parts.draw_here(play, begin, end, background=background and begin == first)

    def _divide(self, play: Play) -> list[tuple[int, int]]:
        """Divide a play into parts of about equal length, the same whoever draws them and how long that takes."""
        if play.held:
            return [(0, play.held)]
        number = self._costs.parts(play.frames, play.paths, play.effort)
        if self._switches.always:
            number = max(1, min(3, play.frames // 2))
        if not self._switches.split:
            number = 1
        return divide(play.frames, number)

    def _others_may_draw(self, play: Play) -> bool:
        if not self._may_fork or self._way_back.alone is not None:
            return False
        if type(play.renderer.camera) not in CAMERAS:
            return False
        if self._has_threads():
            self.stand_back("the scene has threads of its own")
            return False
        return True

    def _has_threads(self) -> bool:
        return threading.active_count() > 1 + (self._behind.threads if self._behind is not None else 0)

    def _pays(self, frames: int, play: Play, *, stepped_twice: bool) -> bool:
        worth = self._costs.is_worth_a_process(frames, play.effort, stepped_twice=stepped_twice)
        return worth or self._switches.always


def _begin(scene: Scene) -> Any:
    """Begin as :meth:`Scene.play_internal` does; return the progression of the play's times."""
    assert scene.animations is not None  # noqa: S101  they were compiled
    scene.duration = scene.get_run_time(scene.animations)
    progression = scene._get_animation_time_progression(scene.animations, scene.duration)
    scene.time_progression = progression
    return progression


def _end(scene: Scene, progression: Any) -> None:
    """End as :meth:`Scene.play_internal` does."""
    for animation in scene.animations or ():
        animation.finish()
        animation.clean_up_from_scene(scene)
    renderer: Any = scene.renderer
    if not renderer.skip_animations:
        scene.update_mobjects(0)
    renderer.static_image = None
    progression.close()
