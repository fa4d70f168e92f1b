"""The yardsticks: CPU time of a tree of processes, PSNR, samples of a profile, and the list of scenes."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import av
import manim
import numpy as np
import pytest

import manimcast.engine
from benchmarks import catalogue, fidelity, kinds, processes, sampling, special
from tests.conformance.catalogue import scenes_in

BURN = "import time\nwhile time.process_time() < 0.3: pass\n"
FAMILY = f"""
import os, subprocess, sys
subprocess.run([sys.executable, "-c", {BURN!r}], check=True)
second = {BURN!r} + "print('done', flush=True)\\ninput()"
child = subprocess.Popen([sys.executable, "-c", second], stdin=subprocess.PIPE)
input()
"""


def test_cpu_time_of_ended_and_of_running_descendants_counts() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FAMILY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as family:
        assert family.stdout is not None
        assert family.stdout.readline() == "done\n"
        tree = processes.tree(family.pid)
        assert len(tree) == 2
        # Two times 0.3 s, in ticks of 10 ms for each kind of time of each process.
        assert processes.cpu_seconds(family.pid) >= 0.5
        family.communicate("\n")
    assert processes.tree(family.pid) == {family.pid}
    assert processes.cpu_seconds(family.pid) == 0


def _video(path: Path, levels: list[int]) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=15, options={"crf": "0", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 70, 40, "yuv420p"
        for level in levels:
            planes = np.full((60, 70), 128, np.uint8)
            planes[:40] = level
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, "yuv420p")))
        container.mux(stream.encode())
    return path


def test_psnr_is_of_the_mean_error_over_the_whole_video(tmp_path: Path) -> None:
    exact = _video(tmp_path / "exact.mp4", [100, 100])
    other = _video(tmp_path / "other.mp4", [100, 110])
    assert fidelity.psnr(exact, exact) == float("inf")
    assert fidelity.psnr(exact, other) == pytest.approx(10 * np.log10(255**2 / 50))
    with pytest.raises(ValueError, match=r"longer|shorter"):
        fidelity.psnr(exact, _video(tmp_path / "longer.mp4", [100, 100, 100]))


def test_a_file_holds_when_it_is_as_good_and_not_too_large() -> None:
    assert fidelity.Fidelity("a", "low", 100, 180, 50.0, 50.0).holds
    assert not fidelity.Fidelity("a", "low", 100, 181, 50.0, 50.0).holds
    assert not fidelity.Fidelity("a", "low", 100, 100, 50.0, 49.9).holds


def test_a_profile_shows_what_took_the_time_in_forked_processes_as_well(tmp_path: Path) -> None:
    program = f"""
import hashlib, os, time
from pathlib import Path
from benchmarks.sampling import Sampler
def burn(until):
    while time.process_time() < until: pass
def of_the_child(): burn(0.3)
def of_the_parent(): burn(time.process_time() + 0.3)
def in_c():
    before = time.thread_time()
    hashlib.pbkdf2_hmac("sha256", b"a", b"b", 400_000)  # one call, during which Python does not hear of any timer
    return time.thread_time() - before
sampler = Sampler(Path({str(tmp_path)!r}))
sampler.start()
child = os.fork()
if child == 0:
    of_the_child()
    os._exit(0)
of_the_parent()
os.waitpid(child, 0)
taken = in_c()
sampler.stop()
print(taken)
"""
    root = Path(sampling.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", program], check=True, cwd=root, capture_output=True, text=True)
    stacks = sampling.read(tmp_path)
    assert len(list(tmp_path.glob("*.folded"))) == 2
    text = sampling.as_text(stacks)
    for name in ("__main__.burn", "__main__.of_the_child", "__main__.of_the_parent"):
        assert name in {function for stack in stacks for function in stack}
    assert "__main__.burn" in text
    in_c = sum(count for stack, count in stacks.items() if "__main__.in_c" in stack)
    assert 0.8 < in_c / 1e6 / float(done.stdout) < 1.5, "what C takes counts where it was called"
    boxes = ElementTree.fromstring(sampling.as_svg(stacks, "a <title>"))
    assert any("of_the_child" in (title.text or "") for title in boxes.iter("{http://www.w3.org/2000/svg}title"))


def test_every_scene_has_a_class_and_is_one_scene() -> None:
    files = {path.stem for path in catalogue.FOLDER.glob("*.py")}
    assert sorted(catalogue.names()) == sorted(files)
    assert len(files) >= 15
    for scene in files:
        assert len(scenes_in(catalogue.code_of(scene))) == 1
    assert set(catalogue.TYPICAL) < set(catalogue.CLASSES)


def test_the_edit_is_of_the_last_of_twenty_plays() -> None:
    code = catalogue.code_of("plays")
    assert code.rstrip().endswith(special.LAST)
    assert special.LAST not in code.replace(special.LAST, special.EDITED)


def test_work_is_of_the_kind_of_the_innermost_function_that_has_one() -> None:
    render, draw = "manimcast.engine.render.render", "manimcast.engine.patches.camera._display_plain"
    construct, step = "scene.Demo.construct", "manim.scene.scene.Scene.update_to_time"
    encode = "manimcast.engine.segment_file.SegmentFile._encode"
    stacks = {
        (render, construct, draw): 500_000,
        (render, construct, step, "manim.utils.bezier.interpolate"): 250_000,
        (render, construct, encode): 150_000,
        (render,): 100_000,
    }
    shares = kinds.shares(stacks)
    assert {kind: share for kind, share in shares.items() if share} == {
        "x264": 0.15,
        "cairo": 0.5,
        "steps": 0.25,
        "rest": 0.1,
    }
    head, _, row = kinds.table({"demo": stacks}).splitlines()
    assert dict(zip(head.split(" | "), row.split(" | "), strict=True))["cairo"] == "50%"
    assert row.startswith("| demo | 1.00 |")


def test_functions_are_where_the_kinds_look_for_them() -> None:
    names = ["scene.Demo.construct", *_functions()]
    for kind, parts in kinds.KINDS.items():
        for part in parts:
            assert any(part in name for name in names), f"{kind}: nothing is called {part} any more"


def _functions() -> Iterator[str]:
    """Return the functions of the engine and of Manim, as a profile names them."""
    for package in (manimcast.engine, manim):
        root = Path(package.__path__[0])
        for path in root.rglob("*.py"):
            module = ".".join((package.__name__, *path.relative_to(root).with_suffix("").parts))
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    yield from (f"{module}.{node.name}.{part.name}" for part in node.body if isinstance(part, DEFS))
                elif isinstance(node, DEFS):
                    yield f"{module}.{node.name}"


DEFS = (ast.FunctionDef, ast.AsyncFunctionDef)
