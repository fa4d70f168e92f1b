"""`./dev bench modal`: what rendering through Modal's client and a container costs over the render itself.

The client, the app and the container's entry point are the real ones; the control plane is the tests', on this machine,
so what Modal's network and its cold starts take is not in these figures. Each round renders a scene here in the warm
process, then through a container that has to start, then through one that waits. Of the latter two the container
tells how long its call took; the rest is the executor's.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import statistics
import tempfile
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

from benchmarks import machine
from manimcast.executors.base import Executor
from manimcast.executors.local import LocalExecutor
from manimcast.executors.modal.executor import ModalExecutor
from manimcast.settings import Settings
from manimcast.spec import RenderSpec
from manimcast.wire import Finished
from tests.modal_plane.running import RunningPlane, plane, until
from tests.modal_plane.service import deploy

RESULTS = Path(__file__).parent / "results"
SCENES = Path(__file__).parent / "scenes"
NOISE = """
import numpy as np
class Noise(Scene):
    def construct(self):
        def noise():
            return ImageMobject(np.random.randint(0, 255, (1080, 1920, 4), dtype=np.uint8)).scale_to_fit_height(8)
        self.add(always_redraw(noise))
        self.wait(1, frozen_frame=False)
"""
WAYS = ("local", "cold", "waiting")


def main(arguments: list[str]) -> int:
    """Measure, print the table, keep the raw results. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="./dev bench modal", description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="rounds; default: 5")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the raw results")
    chosen = parser.parse_args(arguments)
    before = machine.load()
    with tempfile.TemporaryDirectory() as folder, plane(Path(folder)) as running:
        os.environ.update(running.environment)
        runs = asyncio.run(_measure(running, Path(folder), chosen.repeat))
    began = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    chosen.results.mkdir(parents=True, exist_ok=True)
    path = chosen.results / f"modal-{began.replace(':', '').replace('+0000', 'Z')}.json"
    result = {"ended": began, "machine": machine.describe(), "load_before": before, "load_after": machine.load()}
    path.write_text(json.dumps(result | {"runs": runs}, indent=1) + "\n", encoding="utf-8")
    print(f"\n{chosen.repeat} rounds, median (worst), seconds:\n\n{_table(runs)}")
    print(f"\nload before {before}, after {result['load_after']}; raw results: {path}")
    return 0


def specs() -> dict[str, RenderSpec]:
    """Return what is rendered: small scenes, and a file of more than 50 MB."""
    found = {
        name: RenderSpec(code=(SCENES / f"{name}.py").read_text(encoding="utf-8"), quality="low_quality")
        for name in ("circle", "explainer")
    }
    size = {"width": 1920, "height": 1080}
    found["60 MB"] = RenderSpec(code=NOISE, format="mov", transparent=True, resolution=size, frame_rate=8)
    return found


async def _measure(running: RunningPlane, folder: Path, rounds: int) -> list[dict[str, Any]]:
    common: dict[str, Any] = {"_env_file": None, "data_dir": folder / "data"}
    token = running.environment
    modal = {"modal_token_id": token["MODAL_TOKEN_ID"], "modal_token_secret": token["MODAL_TOKEN_SECRET"]}
    # A container that waits for the next call is what MODAL_MIN_CONTAINERS=1 asks for.
    deploy(running, modal_app_name="cold")
    deploy(running, modal_app_name="waiting", modal_min_containers=1, modal_scaledown_window=600)
    executors: dict[str, Executor] = {
        "local": LocalExecutor(Settings(**common)),
        "cold": ModalExecutor(Settings(**common, **modal, modal_app_name="cold")),
        "waiting": ModalExecutor(Settings(**common, **modal, modal_app_name="waiting")),
    }
    runs = []
    try:
        for executor in executors.values():
            await executor.start()
        for number in range(rounds + 1):  # the first round is for warming up
            for scene, spec in specs().items():
                for way, executor in executors.items():
                    if way == "waiting":
                        await asyncio.to_thread(until, lambda: _waits(running), "a container that waits")
                    run = await _run(executor, spec, folder / f"{number}-{scene}-{way}")
                    if number:
                        runs.append({"round": number, "scene": scene, "way": way, "load": machine.load(), **run})
                        print(f"round {number}  {scene:<10} {way:<8} {run['seconds']:7.3f} s", flush=True)
    finally:
        for executor in executors.values():
            await executor.stop()
    return runs


def _waits(running: RunningPlane) -> bool:
    """Whether a container of the app ``waiting`` has asked for work and has none."""
    apps = {app.id for app in running.report().apps if app.name == "waiting"}
    return any(found.app in apps and found.idle for found in running.containers("render_stream"))


async def _run(executor: Executor, spec: RenderSpec, into: Path) -> dict[str, Any]:
    await asyncio.to_thread(into.mkdir, parents=True)
    began = time.perf_counter()
    first = None
    stream = executor.render(spec, render_id=into.name.replace(" ", "-"), into=into, timeout=200)
    async with aclosing(stream) as messages:
        async for message in messages:
            first = first or time.perf_counter() - began
            if isinstance(message, Finished):
                seconds = time.perf_counter() - began
                report = message.report
                return {
                    "seconds": seconds,
                    "first_message": first,
                    "in_place": report.compute_seconds,
                    "bytes": sum(file.bytes for file in report.files),
                }
    raise RuntimeError(f"{executor.name} did not render")


def _table(runs: list[dict[str, Any]]) -> str:
    lines = [
        "| scene | way | MB | whole | first message | in the container | the executor's | whole / local |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for scene in dict.fromkeys(run["scene"] for run in runs):
        local = {run["round"]: run["seconds"] for run in runs if (run["scene"], run["way"]) == (scene, "local")}
        for way in WAYS:
            of = [run for run in runs if (run["scene"], run["way"]) == (scene, way)]
            whole = [run["seconds"] for run in of]
            inside = [run["in_place"] for run in of]
            over = [run["seconds"] - run["in_place"] for run in of]
            ratio = statistics.median(run["seconds"] / local[run["round"]] for run in of)
            cells = [_median(whole), _median([run["first_message"] for run in of]), _median(inside), _median(over)]
            lines.append(f"| {scene} | {way} | {of[0]['bytes'] / 1e6:.1f} | {' | '.join(cells)} | {ratio:.2f} |")
    return "\n".join(lines)


def _median(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} ({max(values):.3f})"
