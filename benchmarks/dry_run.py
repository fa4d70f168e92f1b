"""`./dev bench dry_run`: how long a dry run takes, and how good its estimate of the render is.

Each scene of `benchmarks/scenes/` is run dry and rendered at each quality, in turn, by children of one warm process.
Of every figure the least of all rounds counts, since other work on the machine only adds. Printed: the dry run from the
order to fork to its last word, and the part of it that ran the scene; the render, and what was estimated for it. Then
the coefficients that fit these renders best, for `manimcast/executors/estimate.py`.

The render's seconds are accounted from the processor time that it tells (:mod:`benchmarks.parallel`), on as many
processors as it may have, so that they are those of a machine that does nothing else, whatever this one does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine, parallel
from manimcast import wire
from manimcast.executors.confined import bounds_of, inspect_in_child, limits_of, render_in_child
from manimcast.executors.estimate import START, seconds_of
from manimcast.executors.local import ground_of
from manimcast.executors.typeset import Typesetter
from manimcast.inspection import Measured, Work
from manimcast.sandbox.host.zygote import Zygote
from manimcast.settings import Settings
from manimcast.spec import RenderReport, RenderSpec, SegmentWay

SCENES = Path(__file__).parent / "scenes"
QUALITIES = ("low", "medium", "high")
LIMIT = 1200
"""That a scene may take: the machine may be busy."""


def main(arguments: list[str]) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="./dev bench dry_run", description=__doc__)
    parser.add_argument("--repeat", type=int, default=3, help="rounds; default: 3")
    parser.add_argument("--scenes", nargs="*", help="default: all")
    parser.add_argument("--qualities", nargs="*", default=QUALITIES, help="default: low medium high")
    parser.add_argument("--results", type=Path, help="file for the raw results")
    chosen = parser.parse_args(arguments)
    names = chosen.scenes or sorted(path.stem for path in SCENES.glob("*.py"))
    before = machine.load()
    runs = asyncio.run(_measure(names, chosen.qualities, chosen.repeat))
    if chosen.results:
        chosen.results.write_text(json.dumps({"machine": machine.describe(), "runs": runs}, indent=1) + "\n")
    print(_table(runs))
    print(f"\nload before {before}, after {machine.load()}\n\n{_fitted(runs)}")
    return 0


async def _measure(names: list[str], qualities: list[str], repeat: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.chmod(place, 0o755)  # noqa: PTH101  the user that renders run as works in it
        settings = Settings(_env_file=None, data_dir=place)
        zygote = await Zygote.start(await ground_of(settings), bounds_of(settings))
        typesetter = Typesetter.from_settings(settings)
        runs = []
        try:
            for name in names:
                for quality in qualities:
                    spec = RenderSpec(code=(SCENES / f"{name}.py").read_text(encoding="utf-8"), quality=quality)
                    run: dict[str, Any] = {"scene": name, "quality": quality}
                    for number in range(repeat):
                        found = await _inspect(zygote, spec, settings, typesetter)
                        found |= await _render(zygote, spec, settings, typesetter, place / f"{name}{quality}{number}")
                        run |= {key: min(value, run.get(key, value)) for key, value in found.items()}
                    runs.append(run)
        finally:
            await zygote.kill()
    return runs


async def _inspect(zygote: Zygote, spec: RenderSpec, settings: Settings, typesetter: Typesetter) -> dict[str, Any]:
    job = wire.InspectJob(spec=spec, limits=limits_of(settings))
    began = time.perf_counter()
    measured: Measured | None = None
    async for message in inspect_in_child(zygote, job, beside=settings.data_dir, timeout=LIMIT, typesetter=typesetter):
        if isinstance(message, wire.Inspected):
            measured = message.measured
    if measured is None or measured.error:
        raise RuntimeError(f"the scene did not run: {measured}")
    work = measured.work.model_dump()
    work["stepped"] = work.pop("step_seconds")
    return {"dry": time.perf_counter() - began, "frames": measured.frames, **work}


async def _render(
    zygote: Zygote, spec: RenderSpec, settings: Settings, typesetter: Typesetter, into: Path
) -> dict[str, Any]:
    await asyncio.to_thread(into.mkdir)
    job = wire.Job(spec=spec, limits=limits_of(settings))
    async for message in render_in_child(zygote, job, render_id="it", into=into, timeout=LIMIT, typesetter=typesetter):
        if isinstance(message, wire.Finished):
            return _accounted(message.report, settings.drawers)
        if isinstance(message, wire.Failed):
            raise RuntimeError(f"the scene was not rendered: {message.error.message}")  # noqa: TRY004
    raise RuntimeError("the render ended without a word")


def _accounted(report: RenderReport, cores: int) -> dict[str, Any]:
    """What a render took: in all, of it the steps of the scene, and what came before its first line and after all."""
    if report.work is None or report.compute_seconds is None:
        raise RuntimeError("the render does not tell its work")
    work = parallel.work_of(report.work.model_dump(mode="json"))
    assert work is not None
    drawn = sum(
        segment.draw + (segment.encode if segment.way is SegmentWay.alone else 0)
        for segment in report.work.segments
        if segment.way in {SegmentWay.alone, SegmentWay.behind}
    )
    return {
        "render": work.on(cores),
        "step_seconds": max(0.0, work.scene - drawn),
        "around": report.compute_seconds - report.timings["draw"] - report.timings["assemble"],
        "pixels": report.width * report.height,
    }


def _estimated(run: dict[str, Any]) -> float:
    """Without START, as the render's seconds are."""
    work = Work.model_validate({key: run[key] for key in Work.model_fields})
    return seconds_of(work, run["pixels"]) - START


def _table(runs: list[dict[str, Any]]) -> str:
    lines = [
        "| scene | quality | frames | dry run, s | of it the scene | render, s | estimated, s | estimated / render |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for run in runs:
        guess = _estimated(run)
        lines.append(
            f"| {run['scene']} | {run['quality']} | {run['frames']} | {run['dry']:.3f} | {run['stepped']:.3f} "
            f"| {run['render']:.2f} | {guess:.2f} | {guess / run['render']:.2f} |"
        )
    return "\n".join(lines)


def _fitted(runs: list[dict[str, Any]]) -> str:
    """Least squares over relative errors, so that short renders count as much as long ones; nothing is negative."""
    rows = np.array(
        [[run["pixels"] * run["drawn"], run["curves"] - run["shaded"], run["shaded"]] for run in runs], dtype=float
    )
    wanted = np.array([run["render"] - run["step_seconds"] for run in runs])
    weights = 1 / np.array([run["render"] for run in runs])
    kept = list(range(3))
    while True:
        found, *_ = np.linalg.lstsq(rows[:, kept] * weights[:, None], wanted * weights, rcond=None)
        if (found >= 0).all():
            break
        kept.pop(int(np.argmin(found)))
    best = dict.fromkeys(range(3), 0.0) | dict(zip(kept, found, strict=True))
    start = min(run["around"] for run in runs)
    fitted = "\n".join(f"{name} = {best[index]:.3g}" for index, name in enumerate(("PIXEL", "CURVE", "SHADED")))
    return f"START = {start:.3g}\n{fitted}"
