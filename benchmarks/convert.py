"""`./dev bench convert`: what a picture's way into the encoder's pixel format costs, PyAV's and the native one.

In every round each way converts one picture, one after the other in an order that shifts, so that a busy moment hits
all of them. Measured is CPU time of the whole process, in milliseconds a picture; ratios are taken within rounds.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from benchmarks import machine
from manimcast.engine.convert import Converter, Pixels, changed_rows

RESULTS = Path(__file__).parent / "results"
SIZES = {"480p": (854, 480), "720p": (1280, 720), "1080p": (1920, 1080), "4K": (3840, 2160)}
PYAV, NATIVE, QUARTER, EQUAL = "PyAV", "native", "a quarter of the rows", "finding them equal"
WAYS = (PYAV, NATIVE, QUARTER, EQUAL)


def main(arguments: list[str]) -> int:
    """Measure, print the table, keep the raw results. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="./dev bench convert", description=__doc__)
    parser.add_argument("--repeat", type=int, default=60, help="rounds for each size; default: 60")
    parser.add_argument("--format", default="yuv420p", help="pixel format; default: yuv420p")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the raw results")
    chosen = parser.parse_args(arguments)
    before = machine.load()
    runs = [run for name in SIZES for run in _measure(name, chosen.format, chosen.repeat)]
    ended = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    result = {"ended": ended, "machine": machine.describe(), "load_before": before, "load_after": machine.load()}
    chosen.results.mkdir(parents=True, exist_ok=True)
    path = chosen.results / f"convert-{ended.replace(':', '').replace('+0000', 'Z')}.json"
    path.write_text(json.dumps(result | {"format": chosen.format, "runs": runs}, indent=1) + "\n", encoding="utf-8")
    print(f"\nto {chosen.format}, {chosen.repeat} rounds, median (95th percentile), milliseconds of CPU a picture:\n")
    print(_table(runs))
    print(f"\nload before {before}, after {result['load_after']}; raw results: {path}")
    return 0


def _measure(name: str, pixel_format: str, rounds: int) -> list[dict[str, Any]]:
    ways = _ways(pixel_format, *SIZES[name])
    runs = []
    for number in range(rounds + 3):  # the first ones are for warming up
        shift = number % len(WAYS)
        for way in WAYS[shift:] + WAYS[:shift]:
            began = time.process_time()
            ways[way]()
            spent = time.process_time() - began
            if number >= 3:
                runs.append({"size": name, "round": number - 3, "way": way, "milliseconds": spent * 1000})
    return runs


def _ways(pixel_format: str, width: int, height: int) -> dict[str, Callable[[], object]]:
    pixels: Pixels = np.random.default_rng(0).integers(0, 256, (height, width, 4), np.uint8)
    same = pixels.copy()
    reformatter, converter = VideoReformatter(), Converter(pixel_format, width, height)
    if not converter.is_native:
        raise SystemExit(f"there is no native code for {width} x {height} in {pixel_format} here")
    part = (height // 2, height // 2 + height // 4)

    def as_manim() -> av.VideoFrame:
        frame = av.VideoFrame.from_ndarray(pixels, format="rgba")
        return reformatter.reformat(frame, format=pixel_format, threads=2)

    return {
        PYAV: as_manim,
        NATIVE: lambda: converter.convert(pixels),
        QUARTER: lambda: converter.convert(pixels, part),
        EQUAL: lambda: changed_rows(pixels, same),
    }


def _table(runs: list[dict[str, Any]]) -> str:
    lines = [
        f"| size | {' | '.join(WAYS)} | PyAV / native | PyAV / a quarter |",
        f"|---|{'---:|' * (len(WAYS) + 2)}",
    ]
    for size in SIZES:
        spent = {
            way: {run["round"]: run["milliseconds"] for run in runs if run["size"] == size and run["way"] == way}
            for way in WAYS
        }
        cells = [_spread(list(spent[way].values())) for way in WAYS]
        for way in (NATIVE, QUARTER):
            ratio = statistics.median(spent[PYAV][number] / spent[way][number] for number in spent[PYAV])
            cells += [f"{ratio:.1f}"]
        lines.append(f"| {size} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({statistics.quantiles(values, n=20)[-1]:.2f})"
