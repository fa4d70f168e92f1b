"""What a dry run steps through, and what it leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.in_child import in_child

ENDS = """
self.play(c.animate.shift(RIGHT), run_time=2)
print_state(c)
self.play(Rotate(c, PI / 3), FadeOut(s), run_time=2)
print_state(c)
"""


def run(folder: Path, body: str, **options: Any) -> dict[str, Any]:
    """Run a scene dry at 10 frames a second; return what it put in ``seen``, and how often it interpolated."""
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    code = (
        "seen = []\ndef print_state(c):\n    seen.append([round(float(x), 6) for x in c.points[1]])\n"
        "class Demo(Scene):\n    def construct(self):\n        c, s = Circle(), Square()\n        self.add(c, s)\n"
        f"{lines}"
    )
    found: dict[str, Any] = in_child(
        folder,
        f"""
        from manimcast.engine.inspection import inspect
        steps = []
        original = manim.Animation.interpolate
        def counting(self, alpha):
            steps.append(round(float(alpha), 3))
            original(self, alpha)
        manim.Animation.interpolate = counting
        def no(): raise AssertionError("it reads pixels")
        spec = RenderSpec(code={code!r}, resolution={{"width": 64, "height": 36}}, frame_rate=10)
        measured = inspect(spec, LIMITS, HERE, lambda _: None, reads_pixels=no, **{options!r})
        answer({{
            "error": measured.error and measured.error.message,
            "frames": measured.frames,
            "seen": sys.modules["scene"].seen,
            "steps": steps,
            "work": measured.work.model_dump(),
        }})
        """,
    )
    assert found["error"] is None
    return found


def test_a_play_that_depends_on_its_time_alone_is_stepped_over(tmp_path: Path) -> None:
    (tmp_path / "dry").mkdir()
    (tmp_path / "drawn").mkdir()
    dry, drawn = run(tmp_path / "dry", ENDS), run(tmp_path / "drawn", ENDS, draws=True)
    assert dry["frames"] == drawn["frames"] == 40
    assert dry["seen"] == drawn["seen"]
    assert len(dry["steps"]) < len(drawn["steps"]) / 3
    assert dry["work"]["curves"] == drawn["work"]["curves"] > 0


@pytest.mark.parametrize(
    "body",
    [
        "c.add_updater(lambda m: None)\nself.play(s.animate.shift(UP), run_time=2)",
        "self.add_updater(lambda dt: None)\nself.play(s.animate.shift(UP), run_time=2)",
        "self.play(UpdateFromAlphaFunc(s, lambda m, a: m.shift(UP * a)), run_time=2)",
        "self.update_mobjects = lambda dt: None\nself.play(s.animate.shift(UP), run_time=2)",
    ],
)
def test_anything_else_is_stepped_frame_by_frame(tmp_path: Path, body: str) -> None:
    found = run(tmp_path, body)
    assert found["frames"] == 20
    assert set(found["steps"]) >= {round(frame / 20, 3) for frame in range(20)}


def test_updaters_see_every_frame(tmp_path: Path) -> None:
    body = "c.add_updater(lambda m, dt: seen.append(round(dt, 6)))\nself.wait(1)"
    found = run(tmp_path, body)
    assert found["frames"] == 10
    assert [dt for dt in found["seen"] if dt] == [0.1] * 9


def test_a_stop_condition_is_asked_at_every_frame(tmp_path: Path) -> None:
    found = run(tmp_path, "self.wait_until(lambda: seen.append(1) or len(seen) > 6, max_time=3)")
    assert (found["frames"], len(found["seen"])) == (7, 7)


def test_a_frozen_wait_is_held(tmp_path: Path) -> None:
    work = run(tmp_path, "self.wait(1.5)")["work"]
    assert work["drawn"] == 1  # and repeated 14 times


def test_nothing_is_left_in_the_folder_but_the_code(tmp_path: Path) -> None:
    run(tmp_path, "self.play(Create(Circle()), run_time=0.3)")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["scene.py"]
