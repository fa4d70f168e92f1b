"""Plays that an earlier render left: found before they are drawn, and what has to be drawn after all is drawn right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.in_child import in_child

HARNESS = """
import hashlib, itertools, shutil, tempfile
from manimcast.engine.parallel.frames import Play
from manimcast.engine.parallel.switches import Switches
from manimcast.spec import Resolution

class Shelf:
    def __init__(self, folder):
        self.folder, self.asked = folder, []
    def segments(self, keys):
        self.asked.append(list(keys))
        return {key: self.folder / key for key in keys if (self.folder / key).exists()}
    def offer(self, segments):
        for key, path in segments.items():
            shutil.copy(path, self.folder / key)

def counted(function):
    def counting(*args):
        counts[0] += 1
        return function(*args)
    counts = [0]
    return counting, counts

Play.go_back, went_back = counted(Play.go_back)

def drawn(code, shelf=None, **switches):
    folder = Path(tempfile.mkdtemp(dir=HERE))
    if pid := os.fork():
        os.waitpid(pid, 0)
        return json.loads((folder / "answer.json").read_text())
    os.chdir(folder)
    shelf = Shelf(HERE / shelf) if shelf else None
    watcher = Watcher(lambda pixels, repeat: [hashlib.sha256(pixels.tobytes()).hexdigest(), repeat])
    limits = LIMITS.model_copy(update={"drawers": 3})
    spec = RenderSpec(code=code, resolution=Resolution(width=96, height=64), frame_rate=12)
    report = render(spec, limits, folder, lambda message: None, observe=watcher, switches=Switches(**switches),
                    shelf=shelf)
    Path("answer.json").write_text(json.dumps({
        "frames": [digest for digest, repeat in watcher.seen for _ in range(repeat)],
        "asked": [len(keys) for keys in shelf.asked] if shelf else [],
        "went_back": went_back[0],
        "poster": hashlib.sha256(Path("poster.jpg").read_bytes()).hexdigest(),
        "report": json.loads(report.model_dump_json()),
    }))
    os._exit(0)

def shelf():
    return Path(tempfile.mkdtemp(dir=HERE)).name

def again(first, second, **switches):
    "Render `first`, then `second`; and `second` as if nothing were kept."
    kept = shelf()
    return drawn(first, kept, **switches), drawn(second, kept, **switches), drawn(second, **switches)
"""
WAYS: tuple[dict[str, bool], ...] = ({"fork": False}, {"always": True}, {"always": True, "skip": False})


def rendered(folder: Path, first: str, second: str, *ways: dict[str, bool]) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = in_child(
        folder, f"{HARNESS}\nanswer([again({first!r}, {second!r}, **way) for way in {ways!r}])"
    )
    return found


def scene(body: str, base: str = "Scene") -> str:
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return f"class Demo({base}):\n    def construct(self):\n{lines}"


PURE = (
    "Create(Triangle())",
    "Write(Text('ab'))",
    "square.animate.shift(RIGHT).set_color(RED)",
    "FadeTransform(square, circle)",
    "TransformMatchingShapes(circle, square)",
    "AnimationGroup(Create(Arc()), Rotate(square, 1), lag_ratio=0.4)",
    "LaggedStart(*[FadeIn(Dot([x, 0, 0]), shift=UP) for x in range(3)], lag_ratio=0.3)",
    "LaggedStart(AnimationGroup(GrowFromCenter(circle), FadeOut(square), lag_ratio=0.5), Create(Dot()))",
    "ShowIncreasingSubsets(VGroup(Dot(), Star(), Arc()))",
    "ShowPassingFlash(Ellipse())",
    "SpinInFromNothing(Triangle())",
    "Indicate(circle)",
    "Uncreate(circle)",
    "FadeIn(square, scale=0.3)",
    "GrowArrow(Arrow(LEFT, UP))",
    "Rotating(square, angle=1)",
    "SpiralIn(VGroup(Dot(LEFT), Dot(RIGHT)))",
    "CyclicReplace(square, circle)",
    "Swap(square, circle)",
    "FadeToColor(square, BLUE)",
    "ApplyMatrix([[1, 1], [0, 1]], square)",
    "ApplyComplexFunction(lambda z: z * 1j, square)",
    "TransformFromCopy(square, Star())",
    "ScaleInPlace(square, 2)",
    "ShrinkToCenter(square)",
)
OTHERS = ("FocusOn(square)", "MoveAlongPath(square, Circle())", "Homotopy(lambda x, y, z, t: (x + t, y, z), circle)")
"""Where a frame may depend on the one before. They come last: what they leave depends on their pace."""


def test_plays_that_begin_alike_but_go_on_otherwise_are_drawn_as_ever(tmp_path: Path) -> None:
    begin = "square, circle = Square().shift(LEFT), Circle()\nself.add(square, Line(DOWN, UP))\nself.wait(0.25)\n"
    body = begin + "\n".join(f"self.play({animation}, run_time=0.5, rate_func={{}})" for animation in (*PURE, *OTHERS))
    first, second = (scene(body.format(*[how] * len(PURE + OTHERS))) for how in ("rush_into", "smooth"))
    for way, (_, again, plain) in zip(WAYS, rendered(tmp_path, first, second, *WAYS), strict=True):
        assert again["report"]["drawing"]["alone_because"] is None
        assert again["report"]["animations_reused"] == 1
        assert again["went_back"] == (len(PURE) if way.get("skip", True) else 0)
        assert again["frames"] == plain["frames"][3:]
        assert again["poster"] == plain["poster"]


def test_a_camera_in_space_stands_where_it_would(tmp_path: Path) -> None:
    body = (
        "self.set_camera_orientation(phi=1, theta=0.3)\nself.add(Cube(), ThreeDAxes())\nself.wait(0.25)\n"
        "self.move_camera(phi=1.2, theta=1, frame_center=RIGHT, rate_func={})\nself.play(Create(Sphere(resolution=4)))"
    )
    first, second = (scene(body.format(how), "ThreeDScene") for how in ("rush_into", "smooth"))
    for _, again, plain in rendered(tmp_path, first, second, *WAYS):
        assert again["report"]["animations_reused"] == 2
        assert again["frames"] == plain["frames"][3:15]
        assert again["poster"] == plain["poster"]


def test_all_that_is_kept_is_asked_for_at_once(tmp_path: Path) -> None:
    plays = "\n".join(f"self.play(Create(Dot([{x}, 0, 0])), run_time=0.25)\nself.wait(0.25)" for x in range(5))
    for first, again, plain in rendered(tmp_path, scene(plays), scene(plays + "\nself.wait(0.5)"), *WAYS):
        assert first["asked"] == [1]
        assert again["asked"] == [1, 10]
        assert again["report"]["animations_reused"] == 10
        assert again["frames"] == plain["frames"][30:]
        assert again["poster"] == plain["poster"]


def test_what_begins_otherwise_is_not_even_looked_for(tmp_path: Path) -> None:
    plays = "self.play(Create(Square(color={})))\nself.wait(0.5)"
    for _, again, plain in rendered(tmp_path, scene(plays.format("RED")), scene(plays.format("BLUE")), *WAYS):
        assert again["asked"] == [1]
        assert again["frames"] == plain["frames"]


def test_what_an_earlier_render_left_is_found_again_after_another_one(tmp_path: Path) -> None:
    one, other = (scene(f"self.play(Create(Square(color={color})))") for color in ("RED", "BLUE"))
    found = in_child(
        tmp_path,
        f"{HARNESS}\nkept = shelf()\nanswer([drawn(code, kept) for code in ({one!r}, {other!r}, {one!r}, {other!r})])",
    )
    assert [each["report"]["animations_reused"] for each in found] == [0, 0, 1, 1]


def test_a_play_that_cannot_be_stepped_back_is_drawn_another_way(tmp_path: Path) -> None:
    code = """
from manimcast.engine.parallel import purity
purity.is_plain = lambda function: True  # as if the rule had a hole
class Demo(Scene):
    def construct(self):
        self.calls = 0
        def counted(t):
            self.calls += 1
            return min(1, max(0, self.calls - 5) / {})
        square = Square()
        self.add(square)
        self.play(square.animate(rate_func=counted, run_time=2).shift(RIGHT))
        self.play(FadeOut(square))
"""
    # Each part is drawn by one: of several who share it, none may call often enough to be found out.
    ways = {"fork": False}, {"always": True, "share": False}
    for _, again, plain in rendered(tmp_path, code.format(30), code.format(40), *ways):
        assert again["frames"] == plain["frames"]
        assert "it differs" in again["report"]["drawing"]["alone_because"]


@pytest.mark.parametrize(
    "note", ["", "null", "{}", "[1]", '[["a", "b"]]', '[["a", "b", 0]]', '[["a", 1, 1]]', "[" * 90_000, "\ud800"]
)
def test_a_note_that_is_none_is_not_believed(tmp_path: Path, note: str) -> None:
    code = scene("self.play(Create(Square()))\nself.wait(0.5)")
    first, again = in_child(
        tmp_path,
        f"""{HARNESS}
kept = shelf()
first = drawn({code!r}, kept)
for path in (HERE / kept).iterdir():
    if path.read_bytes()[:1] == b"[":
        path.write_bytes({note!r}.encode(errors="surrogatepass"))
answer([first, drawn({code!r}, kept)])
""",
    )
    assert again["frames"] == first["frames"]
    assert again["report"]["animations_reused"] == 0
