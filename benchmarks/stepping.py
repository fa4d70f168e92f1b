"""`./dev bench stepping`: what a scene costs apart from drawing and encoding, with the patches of stepping and without.

Each run is a forked child of a process that has imported Manim. Its cameras draw nothing and no file is written, so
what is left is construction, animations, updaters and bookkeeping. Measured is CPU time, of which the least of some
runs is shown, since whatever else the machine does only adds to it. ``--profile`` prints where it goes instead.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import os
import pstats
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
SOURCES = (
    *sorted((ROOT / "benchmarks" / "scenes").glob("*.py")),
    *sorted((ROOT / "examples").glob("*.py")),
    *sorted((ROOT / "tests" / "conformance" / "scenes").glob("*.py")),
)
ALWAYS = len([path for path in SOURCES if "tests" not in path.parts])
"""How many of :data:`SOURCES` are measured when nothing else is asked for; the rest are conformance scenes."""

CONFORMANCE = (
    "lettering:ManyGlyphs",
    "updating:TrackedNumbers",
    "plots:Riemann",
    "formulas:MatchingTex",
    "tables:Variables",
)
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where files lie in memory, as those of a confined render do."""

WAYS = ("stock", "patched")

Watch = Callable[[Any, Any], None]


def main(arguments: list[str]) -> int:
    """Measure and print a table, or a profile. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="./dev bench stepping", description=__doc__)
    parser.add_argument("scenes", nargs="*", metavar="FILE[:SCENE]", help="default: the benchmark's and some others")
    parser.add_argument("--repeat", type=int, default=3, help="rounds; default: 3")
    parser.add_argument("--rate", type=float, default=15, help="frames a second; default: 15")
    parser.add_argument("--profile", choices=WAYS, help="print a profile of one run, of this way, for each scene")
    parser.add_argument("--sort", default="tottime", help="order of the profile; default: tottime")
    parser.add_argument("--lines", type=int, default=40, help="lines of the profile; default: 40")
    chosen = parser.parse_args(arguments)
    found = list(_chosen(chosen.scenes))
    warm()
    if chosen.profile:
        for path, scene in found:
            print(f"{path.stem}:{scene}, {chosen.profile}")
            in_child(lambda path=path, scene=scene: _profile(path, scene, chosen))
        return 0
    print("| scene | stock, CPU s | patched, CPU s | |\n| --- | ---: | ---: | ---: |", flush=True)
    for path, scene in found:
        best = dict.fromkeys(WAYS, float("inf"))
        for _ in range(chosen.repeat):
            for way in WAYS:
                seconds = in_child(lambda path=path, scene=scene, way=way: step(path, scene, way, chosen.rate))
                best[way] = min(best[way], seconds)
        stock, patched = best.values()
        print(f"| {path.stem}:{scene} | {stock:.3f} | {patched:.3f} | {stock / patched:.1f}x |", flush=True)
    return 0


def warm() -> None:
    """Import what scenes need and look for fonts, so that children do not."""
    import manim  # noqa: PLC0415  takes most of a second
    import scipy.interpolate  # noqa: PLC0415
    import scipy.optimize  # noqa: F401, PLC0415

    with tempfile.TemporaryDirectory() as directory, manim.tempconfig({"media_dir": directory}):
        manim.Text("Warm")
    gc.collect()
    gc.freeze()


def step(path: Path, scene: str, way: str, rate: float, watch: Watch = lambda *_: None) -> float:
    """Step a scene through all its frames in this process without drawing; return the CPU time in seconds.

    ``way`` is one of :data:`WAYS`; ``watch`` gets scene and mobjects instead of the camera.
    """
    from manim import config  # noqa: PLC0415
    from manim.manager import Manager  # noqa: PLC0415

    from manimcast.engine.load import load_module  # noqa: PLC0415
    from manimcast.engine.patches import stepping, svg  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="stepping-", dir=IN_MEMORY) as directory:
        os.chdir(directory)
        _draw_nothing(watch)
        config.media_dir = directory
        config.update(
            {
                "dry_run": True,
                "disable_caching": True,
                "pixel_width": 854,
                "pixel_height": 480,
                "frame_rate": rate,
                "progress_bar": "none",
                "verbosity": "ERROR",
                "seed": 0,
            }
        )
        if way == "patched":
            svg.install()
            stepping.install()
        module = load_module(path.read_text(encoding="utf-8"), Path(directory))
        began = time.process_time()
        made = getattr(module, scene)()
        Manager(made)
        made.render()
        ended = time.process_time()
        os.chdir("/")
    return ended - began


def in_child(function: Callable[[], Any]) -> Any:
    """Call ``function`` in a forked child and return what it returns, as far as JSON can say it.

    Raises :class:`RuntimeError` when the child fails.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with os.fdopen(writing, "w") as stream:
                json.dump(function(), stream)
            status = 0
        except BaseException:  # noqa: BLE001  whatever it is, the child must not go on as its parent
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as stream:
        answer = stream.read()
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise RuntimeError(f"the child ended with status {status}")
    return json.loads(answer)


def _draw_nothing(watch: Watch) -> None:
    from manim.renderer.cairo_renderer import CairoRenderer  # noqa: PLC0415

    CairoRenderer.update_frame = lambda _self, scene, mobjects=None, *_args, **_kwargs: watch(scene, mobjects)
    black = np.zeros((480, 854, 4), dtype=np.uint8)
    CairoRenderer.get_frame = lambda _self: black
    CairoRenderer.add_frame = _add_frame


def _add_frame(renderer: Any, _frame: Any, num_frames: int = 1) -> None:
    if not renderer.skip_animations:
        renderer.time += num_frames / renderer.camera.frame_rate


def _profile(path: Path, scene: str, chosen: argparse.Namespace) -> None:
    profile = cProfile.Profile()
    profile.runcall(step, path, scene, chosen.profile, chosen.rate)
    pstats.Stats(profile).strip_dirs().sort_stats(chosen.sort).print_stats(chosen.lines)


def _chosen(names: list[str]) -> Iterable[tuple[Path, str]]:
    from tests.conformance.catalogue import scenes_in  # noqa: PLC0415

    wanted = names or [path.stem for path in SOURCES[:ALWAYS]] + list(CONFORMANCE)
    for name in wanted:
        stem, _, scene = name.partition(":")
        path = next(path for path in SOURCES if path.stem == stem)
        for found in [scene] if scene else scenes_in(path.read_text(encoding="utf-8")):
            yield path, found
