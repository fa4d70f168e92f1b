"""Size and quality of the service's files beside stock Manim's, scene by scene.

Both are compared with a third file: stock Manim's, encoded without loss, whose planes are what either encoder was
handed. PSNR is that of luma over the whole video, from the mean of all squared errors, in dB.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import numpy as np

from benchmarks.catalogue import code_of, path_of
from benchmarks.service import Service
from benchmarks.stock import Stock
from benchmarks.table import aligned

LOSSLESS = "[video_encoder.options]\ncrf = 0\npreset = ultrafast\n"
MOST_BYTES = 1.8


@dataclass(frozen=True)
class Fidelity:
    """One scene at one quality: bytes and PSNR of luma in dB of stock Manim's file and of the service's."""

    scene: str
    quality: str
    stock_bytes: int
    bytes: int
    stock_psnr: float
    psnr: float

    @property
    def holds(self) -> bool:
        """Whether it is no worse, and not too large."""
        return self.psnr >= self.stock_psnr and self.bytes <= MOST_BYTES * self.stock_bytes

    def as_json(self) -> dict[str, object]:
        """Return it as it stands in the file of raw results."""
        return asdict(self)


def measure(scenes: Sequence[str], qualities: Sequence[str], tell: Callable[[str], None]) -> list[Fidelity]:
    """Render each scene three times at each quality, and compare."""
    found = []
    with Service() as service, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stock = Stock(folder / "tex")
        for quality in qualities:
            for scene in scenes:
                exact, theirs, ours = folder / "exact.mp4", folder / "theirs.mp4", folder / "ours.mp4"
                stock.render(path_of(scene), quality, keep=exact, config=LOSSLESS)
                stock.render(path_of(scene), quality, keep=theirs)
                service.video(service.render(code_of(scene), quality=quality).answer, ours)
                found.append(
                    Fidelity(
                        scene,
                        quality,
                        theirs.stat().st_size,
                        ours.stat().st_size,
                        round(psnr(exact, theirs), 2),
                        round(psnr(exact, ours), 2),
                    )
                )
                tell(f"{scene}, {quality}: {found[-1]}")
    return found


def psnr(exact: Path, other: Path) -> float:
    """Return the PSNR of luma of a video against an exact one with as many frames, in dB; infinite when equal.

    Raises :class:`ValueError` when one has more frames than the other.
    """
    squared, count = 0, 0
    with av.open(exact) as left, av.open(other) as right:
        for wanted, found in zip(left.decode(video=0), right.decode(video=0), strict=True):
            apart = _luma(wanted).astype(np.int32) - _luma(found)
            squared += int(np.vdot(apart, apart))
            count += apart.size
    return float("inf") if squared == 0 else float(10 * np.log10(255**2 * count / squared))


def _luma(frame: av.VideoFrame) -> np.ndarray:
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]


def as_markdown(found: Sequence[Fidelity]) -> str:
    """Return the table."""
    lines = [["scene", "quality", "stock, KB", "KB", "times", "stock, dB", "dB", "holds"], ["---"] * 8]
    for one in found:
        sizes = [f"{one.stock_bytes / 1000:.0f}", f"{one.bytes / 1000:.0f}", f"{one.bytes / one.stock_bytes:.2f}"]
        quality = [f"{one.stock_psnr:.1f}", f"{one.psnr:.1f}", "yes" if one.holds else "no"]
        lines.append([one.scene, one.quality, *sizes, *quality])
    return aligned(lines)
