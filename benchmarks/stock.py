"""The yardstick: the ``manim`` command, as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.video import frames_in

FLAGS = {"low": "-ql", "medium": "-qm", "high": "-qh"}


def measure(scene: Path, quality: str) -> tuple[float, int]:
    """Render ``scene`` into an empty media folder; return wall seconds and the frames of the video.

    Raises :class:`RuntimeError` with the command's last words when it fails.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-stock-") as media:
        command = [sys.executable, "-m", "manim", "render", FLAGS[quality], "--disable_caching", "--silent"]
        command += ["--progress_bar", "none", "--media_dir", media, str(scene)]
        began = time.perf_counter()
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=media, env={**os.environ, "PYTHONHASHSEED": "0"}
        )
        seconds = time.perf_counter() - began
        videos = [path for path in Path(media).rglob("*.mp4") if "partial_movie_files" not in path.parts]
        if result.returncode or len(videos) != 1:
            raise RuntimeError(f"manim render {scene.name} failed: {result.stderr[-2000:] or result.stdout[-2000:]}")
        return seconds, frames_in(videos[0])
