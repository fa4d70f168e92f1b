"""`./dev bench encoder`: what x264's settings cost and give, beside stock Manim's own file.

The pictures of each scene are recorded once. Then every candidate encodes them as a render does: play by play, long
plays in parts, with stills held. Stock Manim's own encoder (medium, crf 23) encodes every frame of each play. Printed
for each candidate and quality: CPU milliseconds a frame, size and PSNR-Y beside stock's, as the mean and the worst over
the scenes; for the default also scene by scene. Times are CPU time of the encoding process, which other work on the
machine changes little. PSNR is that of the mean squared error over all frames.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from manim._config.video_encoder import VideoEncoderSpec

from benchmarks import machine
from benchmarks.catalogue import names, path_of
from benchmarks.recording import Play, Recording, record
from benchmarks.stock import FLAGS
from benchmarks.table import aligned
from manimcast.engine.configure import x264_defaults
from manimcast.engine.parallel.costs import Costs, divide
from manimcast.engine.segment_file import SegmentFile

RESULTS = Path(__file__).parent / "results"
STOCK = "stock"
OURS = "default"
LARGEST, LOWEST = 1.8, 0.0
"""What the default must keep: size beside stock's at most, PSNR-Y beside stock's at least."""


def candidates(wanted: list[str], frame_rate: Fraction) -> dict[str, dict[str, str]]:
    """Return options by name, for pictures at that rate.

    A name is ``default`` or ``PRESET CRF [OPTION=VALUE,...]``, with slashes for spaces.
    """
    found = {}
    for name in wanted:
        if name == OURS:
            found[name] = dict(x264_defaults(frame_rate))
            continue
        preset, crf, *more = name.split("/")
        found[name] = {"preset": preset, "crf": crf, **({"x264-params": ":".join(more)} if more else {})}
    return found


@dataclass(frozen=True)
class Measured:
    """One scene at one quality by one candidate. ``cpu`` in milliseconds a frame, ``size`` in bytes."""

    scene: str
    quality: str
    candidate: str
    cpu: float
    size: int
    psnr: float


def main(arguments: list[str]) -> int:
    """Measure, print the tables, keep the raw results. Returns the exit status, 1 when the default falls short."""
    chosen = _parser().parse_args(arguments)
    began = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    runs: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="benchmark-encoder-") as scratch:
        kept = chosen.recordings or Path(scratch)
        for quality in chosen.quality:
            for scene in chosen.scenes:
                recording = record(path_of(scene), quality, kept)
                for name, options in {STOCK: None, **candidates(chosen.candidates, recording.frame_rate)}.items():
                    runs.append(_measure(recording, name, options, Path(scratch)))
                    print(runs[-1], flush=True)
            of_quality = [run for run in runs if run.quality == quality]
            print(f"\n{quality} quality:\n\n{table(of_quality)}\n\n{by_scene(of_quality)}\n", flush=True)
    result = {"began": began, "machine": machine.describe(), "runs": [asdict(run) for run in runs]}
    chosen.results.mkdir(parents=True, exist_ok=True)
    path = chosen.results / f"encoder-{began.replace(':', '').replace('+0000', 'Z')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"raw results: {path}")
    poor = [(run, size, gain) for run, size, gain in compared(runs) if run.candidate == OURS and not good(size, gain)]
    for run, size, gain in poor:
        print(f"the default is not good enough for {run.scene}, {run.quality}: {size:.2f} times stock, {gain:+.2f} dB")
    return int(bool(poor))


def good(size: float, gain: float) -> bool:
    """Return whether size and PSNR beside stock's are what the default must keep."""
    return size <= LARGEST and gain >= LOWEST


def compared(runs: list[Measured]) -> list[tuple[Measured, float, float]]:
    """Return each run with its size divided by stock's, and its PSNR minus stock's, of the same scene and quality."""
    stock = {(run.scene, run.quality): run for run in runs if run.candidate == STOCK}
    beside = ((run, stock[run.scene, run.quality]) for run in runs)
    return [(run, run.size / other.size, run.psnr - other.psnr) for run, other in beside]


def table(runs: list[Measured]) -> str:
    """Return the Markdown table of one quality, a line for each candidate."""
    lines = [
        "| candidate | CPU ms a frame | worst | size / stock | worst | PSNR-Y - stock, dB | worst |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    beside = compared(runs)
    for name in dict.fromkeys(run.candidate for run in runs):
        of = [found for found in beside if found[0].candidate == name]
        cpu = [run.cpu for run, _, _ in of]
        sizes = [size for _, size, _ in of]
        gains = [gain for _, _, gain in of]
        lines.append(
            f"| {name.replace('/', ' ')} | {statistics.mean(cpu):.2f} | {max(cpu):.2f} | {_geometric(sizes):.2f} | "
            f"{max(sizes):.2f} | {statistics.mean(gains):+.2f} | {min(gains):+.2f} |"
        )
    return "\n".join(lines)


def by_scene(runs: list[Measured]) -> str:
    """Return the Markdown table of the default beside stock, a line for each scene: CPU in ms a frame, PSNR-Y in dB."""
    head = ["scene", "stock, CPU", "CPU", "stock, KB", "KB", "times", "stock, dB", "dB more"]
    stock = {run.scene: run for run in runs if run.candidate == STOCK}
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for run, size, gain in compared(runs):
        if run.candidate == OURS:
            of = stock[run.scene]
            costs = [f"{of.cpu:.1f}", f"{run.cpu:.1f}", f"{of.size / 1000:.0f}", f"{run.size / 1000:.0f}"]
            lines.append([run.scene, *costs, f"{size:.2f}", f"{of.psnr:.1f}", f"{gain:+.2f}"])
    return aligned(lines)


def _geometric(values: list[float]) -> float:
    return math.exp(statistics.mean(math.log(value) for value in values))


def _measure(recording: Recording, name: str, options: Mapping[str, str] | None, scratch: Path) -> Measured:
    """Encode a recording play by play, and compare what comes out with what went in."""
    cpu, size, error = 0.0, 0, 0.0
    target = scratch / "part.mp4"
    for play in recording.plays:
        pictures, again = play.pictures(), play.pictures()
        for first, last in [(0, len(play.repeats))] if options is None else _parts(play, recording):
            cpu += _encode(itertools.islice(pictures, last - first), target, recording, options)
            with av.open(target) as container:
                size += sum(packet.size for packet in container.demux(video=0))
            decoded = _lumas(target)
            for frame, repeat in itertools.islice(again, last - first):
                luma = _luma(frame)
                for _ in range(repeat):
                    error += _squared(next(decoded), luma)
            if next(decoded, None) is not None:
                raise RuntimeError(f"{recording.scene}: too many frames")
    mean = error / (recording.frames * recording.width * recording.height)
    psnr = 10 * math.log10(255**2 / mean) if mean else 100.0
    return Measured(recording.scene, recording.quality, name, cpu * 1000 / recording.frames, size, round(psnr, 3))


def _parts(play: Play, recording: Recording) -> list[tuple[int, int]]:
    """Return the parts in which a render draws a play: the first picture of each, and the one after its last."""
    pictures = len(play.repeats)
    costs = Costs(recording.width * recording.height, processors=1)
    return divide(pictures, costs.parts(pictures, play.paths, play.effort) if pictures > 1 else 1)


def _encode(
    pictures: Iterator[tuple[av.VideoFrame, int]], target: Path, recording: Recording, options: Mapping[str, str] | None
) -> float:
    """Encode one play; return the CPU seconds. Without options it is done as stock Manim does."""
    size = recording.width, recording.height
    given = tuple(sorted((options or {"crf": "23"}).items()))
    spec = VideoEncoderSpec("mp4", "libx264", "yuv420p", *size, recording.frame_rate, given)
    file = _Plain(target, spec) if options is None else SegmentFile(target, spec)
    spent = 0.0
    for frame, repeat in pictures:
        clean = av.VideoFrame.from_ndarray(frame.to_ndarray(), format="yuv420p")  # without the recording's own marks
        before = time.process_time()
        file.show(clean, repeat)
        spent += time.process_time() - before
    before = time.process_time()
    file.close()
    return spent + time.process_time() - before


class _Plain:
    """Encodes every frame, as stock Manim's segment encoder does."""

    def __init__(self, target: Path, spec: VideoEncoderSpec) -> None:
        self.container = av.open(target, "w", format=spec.container_format)
        self.stream = self.container.add_stream(spec.codec, rate=spec.frame_rate, options=dict(spec.options))
        self.stream.pix_fmt, self.stream.width, self.stream.height = spec.pixel_format, spec.width, spec.height
        self.shown = 0

    def show(self, frame: av.VideoFrame, frames: int) -> None:
        for _ in range(frames):
            frame.pts, frame.time_base = self.shown, 1 / self.stream.average_rate
            self.container.mux(self.stream.encode(frame))
            self.shown += 1

    def close(self) -> None:
        self.container.mux(self.stream.encode())
        self.container.close()


def _lumas(path: Path) -> Iterator[np.ndarray]:
    with av.open(path) as container:
        for frame in container.decode(video=0):
            yield _luma(frame)


def _luma(frame: av.VideoFrame) -> np.ndarray:
    plane = frame.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _squared(one: np.ndarray, other: np.ndarray) -> float:
    difference = (one.astype(np.int16) - other).ravel().astype(np.float32)
    return float(np.dot(difference, difference))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev bench encoder", description=__doc__)
    parser.add_argument("candidates", nargs="*", default=[OURS], metavar="CANDIDATE", help=candidates.__doc__)
    parser.add_argument("--scenes", nargs="+", choices=names(), default=names(), help="default: all")
    parser.add_argument("--quality", nargs="+", choices=list(FLAGS), default=list(FLAGS), help="default: all")
    parser.add_argument("--recordings", type=Path, help="folder that keeps what was recorded for other runs")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the raw results")
    return parser
