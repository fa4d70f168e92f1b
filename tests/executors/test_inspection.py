"""Dry runs in real children of a real warm process: what they tell, how they are bounded, what is left of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import pytest

from manimcast import wire
from manimcast.executors import local
from manimcast.executors.price import Rate
from manimcast.inspection import Inspection, Play, SceneInspection
from manimcast.spec import ErrorCode, RenderSpec
from tests.clock import expiring
from tests.executors.rig import RING, SMALL, Rig, fresh_mark, running, scene
from tests.patience import PATIENCE, eventually

Heard = list[wire.Message | wire.Inspecting]


def inspect(
    rig: Rig,
    code: str,
    *,
    timeout: float = PATIENCE,
    expires_when: Callable[[Heard], object] | None = None,
    rate: Rate | None = None,
    **spec: object,
) -> Inspection:
    """Run ``code`` dry. It meets its time limit when ``expires_when`` holds of what was heard of its children."""
    wanted = RenderSpec.model_validate({"code": code, **SMALL, **spec})
    heard: Heard = []
    whole = local.inspect_in_child

    async def noted(*arguments: Any, **more: Any) -> AsyncGenerator[wire.Message | wire.Inspecting, None]:
        async with aclosing(whole(*arguments, **more)) as messages:
            async for message in messages:
                heard.append(message)
                yield message

    async def dry() -> Inspection:
        async with expiring(timeout, expires_when and partial(expires_when, heard)):
            return await rig.executor.inspect(wanted, timeout=timeout, rate=rate)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "inspect_in_child", noted)
        inspection: Inspection = rig.run(dry())
    assert rig.left_over() in ([], ["work"])  # the folder of renders, where children have no files of their own
    return inspection


def begun(heard: Heard) -> bool:
    return any(isinstance(message, wire.Logged) and message.text == "begun" for message in heard)


def played(heard: Heard) -> bool:
    return any(isinstance(message, wire.Noted) and isinstance(message.note, Play) for message in heard)


def only(inspection: Inspection) -> SceneInspection:
    (report,) = inspection.reports
    return report


def codes(report: SceneInspection) -> list[str]:
    return [warning.code.value for warning in report.warnings]


def test_the_timeline_is_that_of_the_render(rig: Rig) -> None:
    body = (
        f"{RING}\nself.next_section('hold')\nself.wait(0.55)\nself.add_subcaption('so', duration=0.5)\n"
        "self.next_section('left out', skip_animations=True)\nself.play(FadeOut(Square()))"
    )
    report = only(inspect(rig, scene(body)))
    drawn = rig.render(scene(body)).report
    assert (report.frames, report.duration, report.animations) == (drawn.frames, drawn.duration, drawn.animations)
    assert report.sections == drawn.sections
    assert (report.width, report.height, report.frame_rate) == (drawn.width, drawn.height, drawn.frame_rate)
    assert [(play.kind, play.frames, play.skipped, play.line) for play in report.plays] == [
        ("Create", 3, False, 4),
        ("Wait", 5, False, 6),
        ("FadeOut", 0, True, 9),
    ]
    assert [(one.text, one.start, one.end) for one in report.subcaptions] == [("so", 0.8, 1.3)]
    assert report.warnings == ()
    assert report.error is None


def test_every_scene_is_run_apart_from_the_others(rig: Rig) -> None:
    counting = "import random\nseen = []\n"
    body = "seen.append(1)\nself.wait(0.1 * len(seen))\nself.wait(random.choice([0.2, 0.3, 0.4]))"
    code = scene(body, head=counting) + scene(body).replace("Demo", "Other")
    inspection = inspect(rig, code)
    assert inspection.scenes == ("Demo", "Other")
    assert [report.scene for report in inspection.reports] == ["Demo", "Other"]
    first, second = ([(play.kind, play.frames) for play in report.plays] for report in inspection.reports)
    assert first == second
    assert first[0] == ("Wait", 1)


def test_one_scene_can_be_named(rig: Rig) -> None:
    inspection = inspect(rig, scene(RING) + scene(RING).replace("Demo", "Other"), scene="Other")
    assert inspection.scenes == ("Demo", "Other")
    assert only(inspection).scene == "Other"


def test_no_more_scenes_are_run_than_allowed(rig: Rig) -> None:
    code = "".join(scene("self.wait(0.1)").replace("Demo", f"Number{number}") for number in range(23))
    inspection = inspect(rig, code)
    assert len(inspection.scenes) == 23
    assert [report.scene for report in inspection.reports] == [f"Number{number}" for number in range(20)]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("x = (1 +", ErrorCode.syntax_error),
        ("x = 1", ErrorCode.no_scene),
        ("raise ValueError('early')", ErrorCode.exception),
        ("import os; os._exit(0)", ErrorCode.exception),
        ("print('begun')\nwhile True: pass", ErrorCode.timeout),
    ],
)
def test_code_that_cannot_be_loaded(rig: Rig, code: str, error: ErrorCode) -> None:
    inspection = inspect(rig, code, expires_when=begun if error is ErrorCode.timeout else None)
    assert inspection.error is not None
    assert inspection.error.code is error
    assert (inspection.scenes, inspection.reports) == ((), ())


def test_a_scene_that_is_not_there_is_told_with_those_that_are(rig: Rig) -> None:
    inspection = inspect(rig, scene(RING), scene="Dmo")
    assert inspection.error is not None
    assert inspection.error.code is ErrorCode.scene_not_found
    assert inspection.error.hint == "Did you mean 'Demo'?"


def test_a_scene_that_fails_tells_what_came_before(rig: Rig) -> None:
    code = scene(f"{RING}\nself.wait(0.2)\nself.play(Wriet(Square()))")
    report = only(inspect(rig, code))
    assert report.error is not None
    assert (report.error.line, report.error.animation_index) == (6, 2)
    assert report.error.hint == "Did you mean Write?"
    assert [play.kind for play in report.plays] == ["Create", "Wait"]
    assert report.frames == 5
    assert report.estimate is None
    assert report.error == rig.render(code).error


def test_a_failing_scene_does_not_keep_the_others_from_running(rig: Rig) -> None:
    inspection = inspect(rig, scene("1/0") + scene(RING).replace("Demo", "Other"))
    first, second = inspection.reports
    assert first.error is not None
    assert second.error is None
    assert second.frames == 3
    assert inspection.first_error == first.error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("import os; os._exit(0)", ErrorCode.exception),
        ("while True: pass", ErrorCode.timeout),
        ("x = []\nwhile True: x.append(bytearray(50 << 20))", ErrorCode.out_of_memory),
        ("while True: print('x' * 100000)", ErrorCode.output_too_large),
        ("self.wait(10**6)", ErrorCode.output_too_large),
        ("open('/etc/new', 'w')", ErrorCode.forbidden),
    ],
)
def test_a_dry_run_is_bounded_like_a_render(rig: Rig, body: str, error: ErrorCode) -> None:
    is_endless = error is ErrorCode.timeout
    report = only(inspect(rig, scene(f"{RING}\n{body}"), expires_when=played if is_endless else None))
    assert report.error is not None
    assert report.error.code is error
    assert [play.kind for play in report.plays] == ["Create"]
    assert report.frames == 3


def test_all_scenes_together_have_one_timeout(rig: Rig) -> None:
    endless = scene("print('begun')\nwhile True: pass")
    inspection = inspect(rig, endless + scene(RING).replace("Demo", "Other"), timeout=300.5, expires_when=begun)
    assert [report.error and report.error.code for report in inspection.reports] == [ErrorCode.timeout] * 2
    assert inspection.reports[1].error is not None
    assert inspection.reports[1].error.message == "The dry run took longer than 300.5 seconds."


@pytest.mark.parametrize(
    "reading",
    [
        "self.renderer.get_frame().max()",
        "self.camera.pixel_array.max()",
        "np.asarray(self.camera.get_image()).max()",
        "np.asarray(Circle().get_image(self.camera)).max()",
    ],
)
def test_a_scene_that_reads_its_frames_gets_them(rig: Rig, reading: str) -> None:
    body = f"self.add(Square(side_length=9, fill_opacity=1, color=WHITE))\n{RING}\n"
    body += f"try:\n    lit = {reading}\nexcept BaseException:\n    lit = 0\nself.wait(float(lit) / 255)"
    code = scene(body, head="import numpy as np")
    report = only(inspect(rig, code))
    assert report.frames == rig.render(code).report.frames == 3 + 10
    assert codes(report) == ["reads_pixels"]


def test_other_cameras_draw_as_ever(rig: Rig) -> None:
    body = "own = Camera()\nown.capture_mobjects([Square(color=WHITE, fill_opacity=1)])\n"
    code = scene(f"{body}self.wait(float(np.asarray(own.get_image()).max()) / 255)")
    report = only(inspect(rig, "import numpy as np\n" + code))
    assert report.error is None
    assert (report.frames, codes(report)) == (10, [])


def test_a_camera_with_drawing_of_its_own_draws(rig: Rig) -> None:
    head = (
        "class Counting(Camera):\n    count = 0\n    def capture_mobjects(self, mobjects, **kwargs):\n"
        "        Counting.count += 1\n        super().capture_mobjects(mobjects, **kwargs)\n"
    )
    code = scene(f"{RING}\nself.wait(0.1 * Counting.count)", head=head).replace(
        "    def construct",
        "    def __init__(self, **kwargs): super().__init__(camera_class=Counting, **kwargs)\n    def construct",
    )
    report = only(inspect(rig, code))
    assert report.frames == rig.render(code).report.frames
    assert codes(report) == ["reads_pixels"]


@pytest.mark.parametrize(
    ("body", "warned"),
    [
        ("self.add(Circle().shift(RIGHT * 20))\nself.wait(0.2)", ["off_screen"]),
        (
            "c = Circle().shift(RIGHT * 20)\nself.add(c)\nself.wait(0.2)\nself.play(c.animate.center(), run_time=0.3)",
            [],
        ),
        ("c = Dot().shift(LEFT * 9)\nself.play(c.animate.shift(RIGHT * 18), run_time=1)", []),
        ("self.add(Circle(stroke_width=0).shift(RIGHT * 20))\nself.wait(0.2)", []),
        ("self.add(Dot(radius=0))\nself.wait(0.2)", ["zero_size"]),
        ("self.add(VGroup())\nself.wait(0.2)\nself.play(GrowFromCenter(Circle()), run_time=0.3)", []),
        ("self.play(Create(Circle()), run_time=0.01)", ["short_play"]),
        ("self.wait(0.02)", ["short_play"]),
        ("self.wait(0.2)\nself.play(FadeIn(Text('far').shift(UP * 9)), run_time=0.2)", ["off_screen"]),
    ],
)
def test_what_is_warned_of(rig: Rig, body: str, warned: list[str]) -> None:
    report = only(inspect(rig, scene(body)))
    assert report.error is None
    assert codes(report) == warned


def test_a_warning_names_the_object_and_the_line(rig: Rig) -> None:
    report = only(inspect(rig, scene("self.add(Text('far').shift(UP * 9))\nself.wait(0.2)")))
    (warning,) = report.warnings
    assert "Text 'far'" in warning.message
    assert (warning.line, warning.animation_index) == (5, 0)


def test_the_estimate_has_the_prices_of_where_it_would_be_rendered(rig: Rig) -> None:
    rate = Rate(cores=2, gib=4, usd_core_second=0.5, usd_gib_second=0)
    report = only(inspect(rig, scene(RING), rate=rate))
    assert report.estimate is not None
    assert report.estimate.usd_estimate == pytest.approx(report.estimate.seconds)
    assert "2 cores x $0.5" in report.estimate.basis


def test_a_larger_picture_is_estimated_to_take_longer(rig: Rig) -> None:
    small = only(inspect(rig, scene("self.wait(5)"))).estimate
    large = only(inspect(rig, scene("self.wait(5)"), resolution={"width": 3840, "height": 2160})).estimate
    assert small is not None
    assert large is not None
    assert large.seconds > small.seconds


def test_what_a_render_says_is_not_taken_from_a_dry_run(rig: Rig) -> None:
    lie = (
        'import os, socket, struct\nbody = b\'{"type":"finished","report":null}\'\n'
        "for fd in range(3, 64):\n    try: os.write(fd, struct.pack('>I', len(body)) + body)\n    except OSError: pass"
    )
    report = only(inspect(rig, scene(lie)))
    assert report.error is not None
    assert report.error.code is ErrorCode.forbidden


def test_text_of_a_scene_is_made_harmless(rig: Rig) -> None:
    report = only(inspect(rig, scene("self.next_section('a\\x1b[31mb')\nself.wait(0.2)")))
    assert "\x1b" not in report.sections[0].name


def test_a_cancelled_dry_run_leaves_nothing(rig: Rig) -> None:
    mark = fresh_mark()

    async def begin_and_leave() -> None:
        code = scene(f"import subprocess\nsubprocess.run(['sleep', '{mark}'])")
        work = asyncio.ensure_future(
            rig.executor.inspect(RenderSpec.model_validate({"code": code, **SMALL}), timeout=PATIENCE)
        )
        await eventually(lambda: running(mark), "the program that the scene runs")
        work.cancel()
        await asyncio.wait({work})
        assert work.cancelled()

    rig.run(begin_and_leave())
    assert running(mark) == []


def test_opengl_agrees_as_well_and_its_pitfalls_are_named(rig: Rig) -> None:
    body = f"self.camera.background_color = RED\n{RING}\nself.wait(0.25)\nself.play(FadeOut(Square()), run_time=0.2)"
    report = only(inspect(rig, scene(body), engine="opengl"))
    drawn = rig.render(scene(body), engine="opengl").report
    assert (report.frames, report.animations) == (drawn.frames, drawn.animations) == (7, 3)
    assert [(warning.code.value, warning.line) for warning in report.warnings] == [("opengl", 4)]


def test_opengl_draws_for_a_scene_that_reads_its_frames(rig: Rig) -> None:
    report = only(inspect(rig, scene(f"{RING}\nself.wait(self.renderer.get_frame().shape[0] / 360)"), engine="opengl"))
    assert (report.frames, codes(report)) == (5, ["reads_pixels"])
