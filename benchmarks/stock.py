"""The yardstick: the ``manim`` command, as a person runs it.

Caches are cold, but for TeX's: what a scene typesets is kept and lies in the media folder before the clock starts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.video import frames_in

FLAGS = {"low": "-ql", "medium": "-qm", "high": "-qh"}


@dataclass(frozen=True)
class Rendered:
    """One render: seconds of wall and CPU time, and the video's frames and bytes."""

    seconds: float
    cpu: float
    frames: int
    bytes: int


class Stock:
    """The command, with what TeX made of each scene kept in ``folder``."""

    def __init__(self, folder: Path, *, further: tuple[str, ...] = ()) -> None:
        self._folder = folder
        self._further = further

    def typeset(self, scene: Path) -> None:
        """Run ``scene`` once without drawing, for its TeX."""
        kept = self._folder / scene.stem
        if not kept.exists():
            with tempfile.TemporaryDirectory(prefix="benchmark-stock-") as media:
                _run(scene, [FLAGS["low"], "-s"], Path(media))
                kept.mkdir(parents=True)
                if Path(media, "Tex").exists():
                    shutil.copytree(Path(media, "Tex"), kept / "Tex")

    def render(self, scene: Path, quality: str, *, keep: Path | None = None, config: str = "") -> Rendered:
        """Render ``scene`` into a media folder that holds nothing but its TeX.

        ``keep`` is where the video goes, ``config`` the text of a configuration file. Raises :class:`RuntimeError`
        with the command's last words when it fails.
        """
        self.typeset(scene)
        with tempfile.TemporaryDirectory(prefix="benchmark-stock-") as folder:
            media = Path(folder, "media")
            shutil.copytree(self._folder / scene.stem, media)
            arguments = [FLAGS[quality], *self._further]
            if config:
                Path(folder, "further.cfg").write_text(config, encoding="utf-8")
                arguments += ["--config_file", str(Path(folder, "further.cfg"))]
            seconds, cpu = _run(scene, arguments, media)
            videos = [path for path in media.rglob("*.mp4") if "partial_movie_files" not in path.parts]
            if len(videos) != 1:
                raise RuntimeError(f"manim render {scene.name} made {len(videos)} videos")
            rendered = Rendered(seconds, cpu, frames_in(videos[0]), videos[0].stat().st_size)
            if keep is not None:
                shutil.copyfile(videos[0], keep)
            return rendered


def _run(scene: Path, arguments: list[str], media: Path) -> tuple[float, float]:
    command = [sys.executable, "-m", "manim", "render", *arguments, "--media_dir", str(media), str(scene)]
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=media.parent,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise RuntimeError(f"manim render {scene.name} failed: {output.read().decode(errors='replace')[-2000:]}")
    return seconds, used.ru_utime + used.ru_stime
