"""Pictures to encode, and what a decoder makes of a file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from manim._config.video_encoder import VideoEncoderSpec

Pixels = npt.NDArray[np.uint8]


def picture(number: int, width: int = 96, height: int = 64) -> Pixels:
    """Return a picture with a bar whose place is ``number``, over a gradient."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[..., 0] = x * 2 % 256
    pixels[..., 1] = y * 3 % 256
    pixels[..., 2] = 60
    pixels[..., 3] = 255
    pixels[:, number * 3 % width : number * 3 % width + 5, :3] = 255
    return pixels


def spec(
    container: str = "mp4",
    *,
    size: tuple[int, int] = (96, 64),
    rate: Fraction | int = 30,
    transparent: bool = False,
    **options: str,
) -> VideoEncoderSpec:
    """Return what Manim would make of such a file; dashes in the names of options are underscores here."""
    codec, pixel_format = {
        ("webm", False): ("libvpx-vp9", "yuv420p"),
        ("webm", True): ("libvpx-vp9", "yuva420p"),
        ("mov", True): ("qtrle", "argb"),
    }.get((container, transparent), ("libx264", "yuv420p"))
    given = (
        {} if codec == "qtrle" else {"crf": "23"} | {name.replace("_", "-"): value for name, value in options.items()}
    )
    return VideoEncoderSpec(container, codec, pixel_format, *size, Fraction(rate), tuple(sorted(given.items())))


def decoded(path: Path) -> list[tuple[Fraction, Pixels]]:
    """Return the time and the planes of every frame."""
    with av.open(path) as container:
        frames = []
        for frame in container.decode(video=0):
            assert frame.pts is not None
            assert frame.time_base is not None
            frames.append((frame.pts * frame.time_base, frame.to_ndarray()))
        return frames


def times(count: int, rate: Fraction | int) -> list[Fraction]:
    """Return when each of ``count`` frames is to be shown, in seconds."""
    return [number / Fraction(rate) for number in range(count)]
