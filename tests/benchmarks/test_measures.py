"""The yardsticks: CPU time of a tree of processes, PSNR, samples of a profile, and the list of scenes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pytest

from benchmarks import catalogue, fidelity, processes, sampling, special
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
import os, time
from pathlib import Path
from benchmarks.sampling import Sampler
def burn(until):
    while time.process_time() < until: pass
def of_the_child(): burn(0.3)
def of_the_parent(): burn(time.process_time() + 0.3)
sampler = Sampler(Path({str(tmp_path)!r}))
sampler.start()
child = os.fork()
if child == 0:
    of_the_child()
    os._exit(0)
of_the_parent()
os.waitpid(child, 0)
sampler.stop()
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(sampling.__file__).parents[1])
    stacks = sampling.read(tmp_path)
    assert len(list(tmp_path.glob("*.folded"))) == 2
    text = sampling.as_text(stacks)
    for name in ("__main__.burn", "__main__.of_the_child", "__main__.of_the_parent"):
        assert name in {function for stack in stacks for function in stack}
    assert "__main__.burn" in text
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
