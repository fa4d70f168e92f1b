"""A scene drawn by several processes is the scene drawn by one, also where that cannot be done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.in_child import in_child

HARNESS = """
import hashlib, tempfile
from manimcast import wire
from manimcast.engine.parallel.switches import Switches
from manimcast.spec import Resolution

class Voice:
    def state(self): return {"asked": 0}
    def take_over(self, state): speaking.append(os.getpid())

def drawn(code, **how):
    folder = Path(tempfile.mkdtemp(dir=HERE))
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return json.loads((folder / "answer.json").read_text())
    os.chdir(folder)
    global speaking
    speaking = [os.getpid()]
    messages = open("messages", "ab", buffering=0)
    def send(message):
        if os.getpid() == speaking[-1]:
            messages.write(wire.encode(message))
    limits = LIMITS.model_copy(update={"drawers": how.pop("drawers", 3)})
    options = {"resolution": Resolution(width=96, height=64), "frame_rate": 12, **how.pop("options", {})}
    watcher = Watcher(lambda pixels, repeat: [hashlib.sha256(pixels.tobytes()).hexdigest(), repeat])
    try:
        report = render(
            RenderSpec(code=code, **options), limits, folder, send,
            voice=Voice(), observe=watcher, switches=Switches(**{"always": True, **how}),
        )
        result = {"report": json.loads(report.model_dump_json()), "frames": watcher.seen}
        result["video"] = hashlib.sha256(Path(report.files[0].name).read_bytes()).hexdigest()
    except SceneFailure as failure:
        result = {"error": json.loads(failure.error.model_dump_json()), "frames": watcher.seen}
    heard, conversation = [], wire.Conversation()
    conversation.accept(wire.Hello())
    for body in wire.FrameDecoder().feed(Path("messages").read_bytes()):
        message = wire.parse_spoken(body)
        conversation.accept(message)
        heard.append(json.loads(message.model_dump_json()))
    result["messages"] = heard
    result["files"] = sorted(os.listdir())
    Path("answer.json").write_text(json.dumps(result))
    os._exit(0)
"""


def drawn_all_ways(folder: Path, code: str, **options: Any) -> list[dict[str, Any]]:
    """Draw ``code`` by one process, then by several, without and with stepping over plays."""
    found: list[dict[str, Any]] = in_child(
        folder,
        f"""{HARNESS}
code, options = {code!r}, {options!r}
answer([drawn(code, options=options, **how) for how in ({{"fork": False}}, {{"skip": False}}, {{}})])
""",
    )
    return found


def flat(frames: list[list[Any]]) -> list[str]:
    return [digest for digest, repeat in frames for _ in range(repeat)]


SEVERAL = """
class Demo(Scene):
    def construct(self):
        dot, square = Dot(), Square().shift(RIGHT)
        self.play(Create(square))
        self.next_section("middle")
        self.play(dot.animate.shift(UP), square.animate.rotate(1), run_time=2)
        self.wait(0.5)
        self.next_section("end")
        dot.add_updater(lambda m, dt: m.shift(dt * RIGHT))
        self.wait(1)
        self.play(FadeOut(square), run_time=0.5)
"""


def test_the_frames_are_the_same_and_in_order(tmp_path: Path) -> None:
    alone, stepped, skipped = drawn_all_ways(tmp_path, SEVERAL)
    assert len(flat(alone["frames"])) == 60
    assert flat(stepped["frames"]) == flat(alone["frames"])
    assert flat(skipped["frames"]) == flat(alone["frames"])
    for way in (stepped, skipped):
        for key in ("frames", "duration", "animations", "sections"):
            assert way["report"][key] == alone["report"][key]
        assert way["files"] == alone["files"]
    assert alone["report"]["drawing"]["forked"] == 0
    assert stepped["report"]["drawing"]["stepped_over"] == 0
    assert stepped["report"]["drawing"]["forked"] == stepped["report"]["drawing"]["segments"] > 5
    assert skipped["report"]["drawing"]["stepped_over"] == 2
    assert skipped["report"]["drawing"]["alone_because"] is None


def test_the_file_is_the_same_whoever_draws_and_however_many_share_a_part(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        f"""{HARNESS}
code = {SEVERAL!r}
ways = [{{"fork": False}}, {{"share": False}}, {{"skip": False}}, {{}}, {{"drawers": 2}}, {{"drawers": 5}}]
answer([drawn(code, **how) for how in ways])
""",
    )
    assert len({way["video"] for way in found}) == 1
    assert len({tuple(flat(way["frames"])) for way in found}) == 1
    alone, unshared, *shared = ([part["processes"] for part in way["report"]["work"]["segments"]] for way in found)
    assert set(alone) == set(unshared) == {1}
    assert all(max(processes) > 1 for processes in shared)


def test_what_each_segment_took_is_told_and_who_drew_it(tmp_path: Path) -> None:
    alone, stepped, skipped = (way["report"] for way in drawn_all_ways(tmp_path, SEVERAL))
    for report in (alone, stepped, skipped):
        work = report["work"]
        assert len(work["segments"]) == report["drawing"]["segments"]
        ready = [segment["ready"] for segment in work["segments"]]
        assert ready == sorted(ready)
        assert ready[-1] <= work["scene"]
        assert all(segment["draw"] > 0 and segment["encode"] > 0 for segment in work["segments"])
    ways = [{segment["way"] for segment in report["work"]["segments"]} for report in (alone, stepped, skipped)]
    assert ways == [{"behind"}, {"apart", "over"}, {"apart", "over"}]  # a still wait need not be stepped through
    # What this process draws is in its own time; what others take is not, whatever it is.
    assert sum(segment["draw"] for segment in alone["work"]["segments"]) < alone["work"]["scene"]


def test_when_a_copy_goes_on_its_work_is_not_told(tmp_path: Path) -> None:
    code = """
class Demo(Scene):
    def construct(self):
        self.play(Create(Square()))
        self.renderer.get_frame()
"""
    alone, stepped, _ = (way["report"] for way in drawn_all_ways(tmp_path, code))
    assert stepped["drawing"]["alone_because"] == "the scene reads frames"
    assert stepped["work"] is None
    assert alone["work"] is not None


def test_progress_is_told_play_by_play_and_only_grows(tmp_path: Path) -> None:
    for way in drawn_all_ways(tmp_path, SEVERAL):
        told = [message["progress"] for message in way["messages"] if message["type"] == "progress"]
        steps = [(step["animation_index"], step["animation_percent"]) for step in told]
        assert steps == sorted(steps)
        assert {(index, end) for index in range(5) for end in (0, 100)} <= set(steps)
        done = [step["frames_done"] for step in told]
        assert done == sorted(done)
        assert done[-1] == 60
        kinds = [message["index"] for message in way["messages"] if message["type"] == "playing"]
        assert kinds == list(range(5))


@pytest.mark.parametrize(
    "reading",
    ["self.renderer.get_frame()", "self.camera.pixel_array[0, 0]", "self.camera.get_image()"],
)
def test_a_scene_that_reads_frames_gets_them(tmp_path: Path, reading: str) -> None:
    code = f"""
class Demo(Scene):
    def construct(self):
        square = Square(fill_opacity=1)
        self.play(FadeIn(square))
        import numpy as np
        shade = int(np.asarray({reading}).mean())
        print("shade", shade)
        self.add(Circle(radius=shade / 100 + 0.1))
        self.play(square.animate.shift(RIGHT))
"""
    alone, stepped, skipped = drawn_all_ways(tmp_path, code)
    assert flat(stepped["frames"]) == flat(alone["frames"])
    assert flat(skipped["frames"]) == flat(alone["frames"])
    for way in (stepped, skipped):
        assert way["report"]["drawing"]["alone_because"] == "the scene reads frames"
        assert way["report"]["drawing"]["forked"] == 0
        told = [message["progress"] for message in way["messages"] if message["type"] == "progress"]
        steps = [(step["animation_index"], step["animation_percent"]) for step in told]
        assert steps == sorted(set(steps)), "nothing is said twice"


def test_when_a_process_that_draws_dies_one_draws_all_of_it(tmp_path: Path) -> None:
    code = """
import os
main = os.getpid()
class Demo(Scene):
    def construct(self):
        dot = Dot()
        dot.add_updater(lambda m, dt: m.shift(dt * RIGHT))
        self.add(dot)
        self.wait(0.5)
        dot.add_updater(lambda m: os._exit(9) if os.getppid() == main and limits() else None)
        self.wait(1)

def limits():
    import sys
    return sys.stdout.name == os.devnull or not isinstance(sys.stdout.name, str)
"""
    alone, stepped, _ = drawn_all_ways(tmp_path, code)
    assert flat(stepped["frames"]) == flat(alone["frames"])
    assert "status 9" in stepped["report"]["drawing"]["alone_because"]


def test_what_fails_only_where_it_is_drawn_fails_as_ever(tmp_path: Path) -> None:
    code = """
class Broken(VMobject):
    def get_fill_rgbas(self):
        raise RuntimeError("no colour")

class Demo(Scene):
    def construct(self):
        self.play(Create(Square()))
        self.play(FadeIn(Circle()), Create(Broken().set_points_as_corners([LEFT, UP, RIGHT])))
"""
    for way in drawn_all_ways(tmp_path, code):
        assert way["error"]["exception"] == "RuntimeError"
        assert way["error"]["message"] == "no colour"
        assert way["error"]["animation_index"] == 1
        assert way["error"]["line"] == 4


def test_a_play_that_only_seems_to_be_a_function_of_its_time_is_drawn_again(tmp_path: Path) -> None:
    code = """
from manimcast.engine.parallel import purity
purity.is_plain = lambda function: True  # as if the rule had a hole
class Demo(Scene):
    def construct(self):
        self.calls = 0
        def counted(t):
            self.calls += 1
            return min(1, self.calls / 30)
        self.play(Square().animate(rate_func=counted, run_time=2).shift(RIGHT))
"""
    ways = [{"fork": False}, {"share": False}, {}, {"drawers": 5}]
    alone, *skipped = in_child(tmp_path, f"{HARNESS}\nanswer([drawn({code!r}, **way) for way in {ways!r}])")
    for way in skipped:  # of several who share a part, each compares what it ends with: any of them may be misled
        assert flat(way["frames"]) == flat(alone["frames"])
        assert "animation 0 could not be stepped over" in way["report"]["drawing"]["alone_because"]


def test_a_scene_with_threads_or_with_a_way_of_its_own_is_drawn_by_one(tmp_path: Path) -> None:
    threads = """
import threading
class Demo(Scene):
    def construct(self):
        self.play(Create(Square()))
        end = threading.Event()
        thread = threading.Thread(target=end.wait)
        thread.start()
        self.play(Create(Circle()))
        end.set()
        thread.join()
        self.play(Create(Dot()))
"""
    own = """
class Demo(Scene):
    def play_internal(self, *args, **kwargs):
        super().play_internal(*args, **kwargs)
    def construct(self):
        self.play(Create(Square()))
        self.wait(0.5)
"""
    for code, reason in ((threads, "threads of its own"), (own, "a way of its own to play_internal")):
        alone, stepped, skipped = drawn_all_ways(tmp_path, code)
        for way in (stepped, skipped):
            assert flat(way["frames"]) == flat(alone["frames"])
            assert reason in way["report"]["drawing"]["alone_because"]


def test_a_stop_condition_ends_the_play_where_it_should(tmp_path: Path) -> None:
    code = """
class Demo(Scene):
    def construct(self):
        dot = Dot()
        dot.add_updater(lambda m, dt: m.shift(dt * RIGHT))
        self.add(dot)
        self.wait_until(lambda: dot.get_x() > 0.8, max_time=3)
        self.play(dot.animate.shift(UP), run_time=0.5)
"""
    alone, stepped, skipped = drawn_all_ways(tmp_path, code)
    assert 8 < len(flat(alone["frames"])) < 20
    assert flat(stepped["frames"]) == flat(alone["frames"])
    assert flat(skipped["frames"]) == flat(alone["frames"])
    assert stepped["report"]["frames"] == alone["report"]["frames"]
    assert stepped["report"]["drawing"]["forked"] > 1


def test_skipped_sections_and_ranges_of_animations(tmp_path: Path) -> None:
    code = SEVERAL.replace('next_section("middle")', 'next_section("middle", skip_animations=True)')
    alone, stepped, skipped = drawn_all_ways(tmp_path, code)
    assert flat(stepped["frames"]) == flat(alone["frames"])
    assert flat(skipped["frames"]) == flat(alone["frames"])
    alone, stepped, skipped = drawn_all_ways(tmp_path, SEVERAL, animations=(1, 3))
    assert flat(stepped["frames"]) == flat(alone["frames"])
    assert flat(skipped["frames"]) == flat(alone["frames"])


def test_what_is_drawn_does_not_come_out_twice_in_print(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        f"""{HARNESS}
code = '''
class Demo(Scene):
    def construct(self):
        dot = Dot()
        dot.add_updater(lambda m, dt: print("updated", flush=True))
        self.add(dot)
        self.wait(0.5)
'''
counts = []
for how in ({{"fork": False}}, {{}}):
    with open("printed", "w") as file:
        kept = os.dup(1)
        os.dup2(file.fileno(), 1)
        drawn(code, **how)
        os.dup2(kept, 1)
    counts.append(Path("printed").read_text().count("updated"))
answer(counts)
""",
    )
    assert found[0] == found[1] > 5


def test_small_work_is_not_given_away(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        f"""{HARNESS}
code = "class Demo(Scene):\\n    def construct(self):\\n        self.play(Create(Dot()), run_time=0.2)\\n"
answer(drawn(code, always=False)["report"]["drawing"])
""",
    )
    assert found == {"segments": 1, "processes": 1, "forked": 0, "stepped_over": 0, "alone_because": None}
