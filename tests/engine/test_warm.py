"""A render begins with everything there."""

from __future__ import annotations

from pathlib import Path

from tests.engine.in_child import in_child

CODE = """
class Demo(Scene):
    def construct(self):
        self.play(Create(Square()), Write(Text("ab")), run_time=0.2)
        self.wait(0.2)
"""


def test_a_render_imports_nothing_that_a_warm_process_could_have(tmp_path: Path) -> None:
    imported = in_child(
        tmp_path,
        f"""
        from manimcast.engine.warm import warm
        warm()
        before = set(sys.modules)
        render(RenderSpec(code={CODE!r}), LIMITS, HERE, lambda message: None)
        answer(sorted(set(sys.modules) - before))
        """,
    )
    assert set(imported) <= {"scene", "__mp_main__"}
