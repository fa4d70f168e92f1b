"""The pictures of a scene as stock Manim hands them to its encoder, drawn once and kept for many encoders.

One file a play, encoded without loss (so that it takes megabytes, not gigabytes), and a list of how often each
picture is shown. The planes are those of Manim's own conversion.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from benchmarks.stock import FLAGS

LOSSLESS = {"preset": "ultrafast", "qp": "0", "threads": "1", "bf": "0"}


@dataclass(frozen=True)
class Play:
    """The pictures of one play: a file, how many frames each lasts, how many objects move, what they take to draw."""

    file: Path
    repeats: list[int]
    paths: int
    effort: int

    def pictures(self) -> Iterator[tuple[av.VideoFrame, int]]:
        """Yield each picture (yuv420p) with the number of frames for which it is shown."""
        with av.open(self.file) as container:
            yield from zip(container.decode(video=0), self.repeats, strict=True)


@dataclass(frozen=True)
class Recording:
    """A scene at one quality."""

    scene: str
    quality: str
    width: int
    height: int
    frame_rate: Fraction
    plays: list[Play]

    @property
    def frames(self) -> int:
        """Return the number of frames of the whole video."""
        return sum(sum(play.repeats) for play in self.plays)


def record(scene: Path, quality: str, folder: Path) -> Recording:
    """Draw ``scene`` with stock Manim in a process of its own, unless ``folder`` has it already.

    Raises :class:`RuntimeError` with the last words of the process when it fails.
    """
    place = folder / f"{scene.stem}-{quality}"
    index = place / "index.json"
    if not index.exists():
        place.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.recording", str(scene), quality, str(place)],
            env={**os.environ, "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"recording {scene.name} failed: {done.stderr[-2000:]}")
    found = json.loads(index.read_text(encoding="utf-8"))
    plays = [Play(place / play["file"], play["repeats"], play["paths"], play["effort"]) for play in found["plays"]]
    rate = Fraction(found["frame_rate"])
    return Recording(scene.stem, quality, found["width"], found["height"], rate, plays)


def _draw(scene: Path, quality: str, place: Path) -> None:
    """Render ``scene`` through Manim's own command, with an encoder that keeps what it is given."""
    from manim.__main__ import main  # noqa: PLC0415  it reads its configuration when it is imported
    from manim.renderer.cairo_renderer import CairoRenderer  # noqa: PLC0415
    from manim.scene import scene_file_writer  # noqa: PLC0415

    from manimcast.engine.parallel.frames import effort  # noqa: PLC0415

    plays: list[dict[str, object]] = []
    about: dict[str, object] = {}
    playing: list[Any] = []

    class Recorder(scene_file_writer.VideoSegmentEncoder):
        """Stands in for Manim's own encoder."""

        def __init__(self, *, target: Path, spec: scene_file_writer.VideoEncoderSpec) -> None:
            super().__init__(target=target, spec=spec)
            self.name = f"{len(plays):03}.mkv"
            self.repeats: list[int] = []
            self.output = av.open(place / self.name, "w", format="matroska")
            self.video = self.output.add_stream("libx264", rate=spec.frame_rate, options=LOSSLESS)
            self.video.pix_fmt, self.video.width, self.video.height = "yuv420p", spec.width, spec.height
            plays.append({"file": self.name, "repeats": self.repeats})
            about.update(width=spec.width, height=spec.height, frame_rate=str(spec.frame_rate))

        def write_frame(self, pixels: scene_file_writer.RGBAPixelArray, *, repeat: int = 1) -> None:
            frame = av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format="yuv420p")
            frame.pts, frame.time_base = len(self.repeats), 1 / self.spec.frame_rate
            self.output.mux(self.video.encode(frame))
            self.repeats.append(repeat)
            if len(self.repeats) == 1:
                plays[-1].update(paths=len(playing[-1].moving_mobjects), effort=effort(playing[-1]))
                super().write_frame(pixels)  # Manim joins the files of the plays at the end, so there must be some

        def finish(self) -> None:
            self.output.mux(self.video.encode())
            self.output.close()
            super().finish()

    def play(renderer: CairoRenderer, scene: Any, *args: Any, **kwargs: Any) -> None:
        playing.append(scene)
        ordinary(renderer, scene, *args, **kwargs)

    ordinary, CairoRenderer.play = CairoRenderer.play, play
    scene_file_writer.VideoSegmentEncoder = Recorder
    media = ["--media_dir", str(place / "media"), "--disable_caching", "--progress_bar", "none"]
    main(["render", FLAGS[quality], *media, str(scene)], standalone_mode=False)
    (place / "index.json").write_text(json.dumps({**about, "plays": plays}), encoding="utf-8")


if __name__ == "__main__":
    _draw(Path(sys.argv[1]).resolve(), sys.argv[2], Path(sys.argv[3]).resolve())
