"""`./dev bench profile`: where the time of a render goes, for each class of scene.

The engine renders each scene in a process of its own, warmed up as the service's, but outside the sandbox, where a
profiler may look on. Beside a table of functions it leaves a flame graph.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import kinds, sampling
from benchmarks.catalogue import CLASSES, QUALITIES, code_of

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "profiles"


def main(arguments: list[str]) -> int:
    """Profile, print the tables, and write them with the flame graphs. Returns the exit status."""
    chosen = _parser().parse_args(arguments)
    if chosen.render:
        _render(chosen.render, chosen.quality, chosen.preset, chosen.results)
        return 0
    chosen.results.mkdir(parents=True, exist_ok=True)
    found = {}
    for name in chosen.classes:
        scene = CLASSES[name][0]
        title = f"{name}: {scene}, {QUALITIES[chosen.quality]}"
        title += f", {chosen.preset}" if chosen.preset else ""
        with tempfile.TemporaryDirectory(prefix="benchmark-profile-") as folder:
            command = [sys.executable, "-m", "benchmarks", "profile", "--render", scene]
            command += ["--quality", chosen.quality, "--results", folder]
            command += ["--preset", chosen.preset] if chosen.preset else []
            environment = {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
            done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
            if done.returncode:
                print(f"{title} failed: {done.stderr[-2000:]}", file=sys.stderr)
                return 1
            stacks = found[title] = sampling.read(Path(folder))
        text = f"{title}: {done.stdout.strip()}\n{sampling.as_text(stacks, most=chosen.most)}\n"
        print(text, flush=True)
        base = chosen.results / "-".join(filter(None, (name, chosen.quality, chosen.preset)))
        base.with_suffix(".txt").write_text(text, encoding="utf-8")
        base.with_suffix(".svg").write_text(sampling.as_svg(stacks, title), encoding="utf-8")
    print(kinds.table(found))
    print(f"tables and flame graphs: {chosen.results}")
    return 0


def _render(scene: str, quality: str, preset: str | None, folder: Path) -> None:
    from manimcast.engine.render import render  # noqa: PLC0415  imports manim, in the process that renders only
    from manimcast.engine.warm import warm  # noqa: PLC0415
    from manimcast.spec import RenderSpec  # noqa: PLC0415
    from manimcast.wire import Limits  # noqa: PLC0415

    warm()
    limits = Limits(duration=600, frames=36000, pixels=3840 * 2160, frame_rate=120, file_bytes=1 << 30)
    spec = RenderSpec(code=code_of(scene), quality=quality, encoder_preset=preset)
    with tempfile.TemporaryDirectory(prefix="benchmark-render-") as directory:
        os.chdir(directory)
        sampler = sampling.Sampler(folder)
        before, began = os.times(), time.perf_counter()
        sampler.start()
        report = render(spec, limits, Path(directory), lambda _message: None)
        sampler.stop()
        seconds, after = time.perf_counter() - began, os.times()
        os.chdir("/")
    used = sum(after[:4]) - sum(before[:4])
    print(f"{report.frames} frames, {seconds:.2f} s, {used:.2f} s of CPU time, {dict(report.timings)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev bench profile", description=__doc__)
    parser.add_argument("--class", nargs="+", choices=list(CLASSES), default=list(CLASSES), dest="classes")
    parser.add_argument("--quality", choices=list(QUALITIES), default="low")
    parser.add_argument("--preset", help="x264's, such as medium, instead of the service's own settings")
    parser.add_argument("--most", type=int, default=25, help="functions in the table; default: 25")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for tables and flame graphs")
    parser.add_argument("--render", metavar="SCENE", help="what it starts itself with, once for each scene")
    return parser
