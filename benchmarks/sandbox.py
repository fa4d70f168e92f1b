"""`./dev bench sandbox`: what each layer of confinement costs, over a bare fork of the same warm process.

A warm process for each set of layers. In every round each of them, in turn, gets a job whose first line of code ends
its process. Measured, in milliseconds, from the order to fork it: until it has read its job, which is the last thing
before the scene's own code is loaded, and until the service has been told that it is gone. Each figure is paired with
the bare fork's of the same round. Then the same scene is rendered by the bare and by the fully confined one, in turn,
and the time that drawing took is compared.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import datetime
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import machine
from manimcast import wire
from manimcast.executors.confined import bounds_of, limits_of, render_in_child
from manimcast.executors.local import ground_of
from manimcast.executors.typeset import Typesetter
from manimcast.sandbox.host.launch import Child
from manimcast.sandbox.host.probe import Ground
from manimcast.sandbox.host.scratch import scratch
from manimcast.sandbox.host.zygote import Zygote
from manimcast.sandbox.layers import NAMESPACES, Layer
from manimcast.settings import Settings
from manimcast.spec import RenderSpec

RESULTS = Path(__file__).parent / "results"
SCENES = Path(__file__).parent / "scenes"
BARE, FULL, GROUPED = "bare fork", "full", "full, with control groups"
NOTHING = "import os\nos._exit(0)\nclass Nothing(Scene): pass"
_ALWAYS = {Layer.rlimits, Layer.no_capabilities, Layer.no_new_privileges}


def main(arguments: list[str]) -> int:
    """Measure, print the tables, keep the raw results. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="./dev bench sandbox", description=__doc__)
    parser.add_argument("--repeat", type=int, default=100, help="rounds of empty jobs; default: 100")
    parser.add_argument("--renders", type=int, default=10, help="rounds of rendering; default: 10")
    parser.add_argument("--scene", default="explainer", help="scene to render; default: explainer")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the raw results")
    chosen = parser.parse_args(arguments)
    before = machine.load()
    result = asyncio.run(_measure(chosen.repeat, chosen.renders, chosen.scene))
    ended = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    result |= {"ended": ended, "machine": machine.describe(), "load_before": before, "load_after": machine.load()}
    chosen.results.mkdir(parents=True, exist_ok=True)
    path = chosen.results / f"sandbox-{ended.replace(':', '').replace('+0000', 'Z')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"\n{chosen.repeat} rounds, median (95th percentile), milliseconds:\n\n{_table(result['starts'])}")
    print(f"\n{chosen.scene}, {chosen.renders} rounds, seconds of drawing, median:\n\n{_drawing(result['renders'])}")
    print(f"\nload before {before}, after {result['load_after']}; raw results: {path}")
    return 0


def grounds(full: Ground) -> dict[str, Ground]:
    """Return the sets of layers, each with what the one before it has."""

    def some(*layers: Layer, grouped: bool = False) -> Ground:
        return dataclasses.replace(full, layers=frozenset({*_ALWAYS, *layers}), grouped=grouped)

    apart = [*NAMESPACES]
    files = [*apart, Layer.own_proc, Layer.own_files]
    return {
        BARE: some(),
        "without a sandbox (a keeper)": some(Layer.keeper),
        "namespaces": some(*apart),
        "and own files, own /proc": some(*files),
        "and Landlock": some(*files, Layer.landlock),
        "and seccomp": some(*files, Layer.landlock, Layer.seccomp),
        FULL: dataclasses.replace(full, grouped=False),
        GROUPED: full,
    }


async def _measure(rounds: int, renders: int, scene: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.chmod(place, 0o755)  # noqa: PTH101  the user that renders run as works in it
        settings = Settings(_env_file=None, data_dir=place)
        full = await ground_of(settings)
        if full.lacks:
            raise SystemExit(f"this host does not give the full sandbox: {full.missing()}")
        bounds = bounds_of(settings)
        zygotes = {name: await Zygote.start(ground, bounds) for name, ground in grounds(full).items()}
        try:
            starts = []
            for number in range(rounds + 3):  # the first ones are for warming up
                for name, zygote in zygotes.items():
                    run = await _start(zygote, place, settings)
                    if number >= 3:
                        starts.append({"round": number - 3, "layers": name, **run})
            drawn = []
            for number in range(renders + 1):
                for name in (BARE, FULL):
                    seconds = await _render(zygotes[name], place, settings, scene, f"{number}-{name}")
                    if number:
                        drawn.append({"round": number, "layers": name, "draw": seconds})
        finally:
            for zygote in zygotes.values():
                await zygote.kill()
    return {"starts": starts, "renders": drawn}


async def _start(zygote: Zygote, place: Path, settings: Settings) -> dict[str, float]:
    """Run an empty job; return the milliseconds until it had read it, and until it was gone."""
    job = wire.Job(spec=RenderSpec(code=NOTHING), limits=limits_of(settings))
    async with scratch(zygote, "empty", place) as folder:
        began = time.perf_counter()
        child = await Child.start(zygote, scratch=folder)
        child.send(job)
        decoder, ready = wire.FrameDecoder(), 0.0
        while not ready:
            for body in decoder.feed(await child.reader.read(1 << 16)):
                assert isinstance(wire.parse_spoken(body), wire.Hello)
                ready = time.perf_counter() - began
        await child.exited()
        gone = time.perf_counter() - began
        await child.end()
    return {"ready": ready * 1000, "gone": gone * 1000}


async def _render(zygote: Zygote, place: Path, settings: Settings, scene: str, name: str) -> float:
    into = place / name
    await asyncio.to_thread(into.mkdir)
    spec = RenderSpec(code=(SCENES / f"{scene}.py").read_text(encoding="utf-8"), quality="low_quality")
    job = wire.Job(spec=spec, limits=limits_of(settings))
    typesetter = Typesetter.from_settings(settings)
    async for message in render_in_child(zygote, job, render_id="it", into=into, timeout=200, typesetter=typesetter):
        if isinstance(message, wire.Finished):
            return message.report.timings["draw"]
    raise RuntimeError("the scene was not rendered")


def _table(starts: list[dict[str, Any]]) -> str:
    bare = {run["round"]: run for run in starts if run["layers"] == BARE}
    lines = [
        "| layers | to the scene's code | to its end | over a bare fork: code | end |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in dict.fromkeys(run["layers"] for run in starts):
        of = [run for run in starts if run["layers"] == name]
        more = {key: statistics.median(run[key] - bare[run["round"]][key] for run in of) for key in ("ready", "gone")}
        cells = [_spread([run[key] for run in of]) for key in ("ready", "gone")]
        cells += ["" if name == BARE else f"{more[key]:+.2f}" for key in ("ready", "gone")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({statistics.quantiles(values, n=20)[-1]:.2f})"


def _drawing(runs: list[dict[str, Any]]) -> str:
    by = {name: {run["round"]: run["draw"] for run in runs if run["layers"] == name} for name in (BARE, FULL)}
    ratio = statistics.median(by[FULL][number] / by[BARE][number] for number in by[BARE])
    medians = {name: statistics.median(found.values()) for name, found in by.items()}
    return (
        "| bare fork | full | full / bare |\n|---:|---:|---:|\n"
        f"| {medians[BARE]:.3f} | {medians[FULL]:.3f} | {ratio:.3f} |"
    )
