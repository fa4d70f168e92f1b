"""The reference: a scene drawn by the ``manim`` command itself, watched where it hands frames to its encoder.

Nothing of Manim is changed in what it computes: the file writer's methods are wrapped, in this process only, to
look at their arguments. The engine is never imported here.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
from manim.cli.render.commands import render as render_command
from manim.scene.scene_file_writer import SceneFileWriter

from tests.conformance.fingerprint import fingerprint
from tests.conformance.record import LOSSLESS, Recorder, decoded, digest, planes

CONFIGURATION = "[CLI]\nframe_width = {0!r}\nframe_height = {1!r}\n"
ENCODER = "[video_encoder.options]\n"


def prepare(_off: tuple[str, ...]) -> dict[str, Any]:
    """Get ready, once, before the first child is forked; return what the ready message tells."""
    return {"fingerprint": fingerprint()}


def run(request: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Render in ``directory``, which is the working directory, and return what was recorded."""
    Path("scene.py").write_text(request["code"], encoding="utf-8")
    for name, content in request.get("beside", {}).items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(base64.b64decode(content))
    recorder = Recorder(directory, request.get("keep"))
    seen: dict[str, Any] = {"still": None, "video": None, "sections": [], "subcaptions": []}
    _watch(recorder, seen)
    arguments = ["scene.py", request["scene"], "-r", f"{request['width']},{request['height']}"]
    arguments += ["--fps", repr(request["rate"]), "--seed", "0", "--disable_caching", "--media_dir", "media"]
    arguments += ["--progress_bar", "none", "-v", "ERROR", "--silent"]
    if request["renderer"] == "opengl":
        arguments += ["--renderer", "opengl", "--format", "mp4"]
    configuration = CONFIGURATION.format(*request["frame"]) if request["frame"] else ""
    if request["lossless"]:
        configuration += ENCODER + "".join(f"{name} = {value}\n" for name, value in LOSSLESS.items())
    if configuration:
        Path("case.cfg").write_text(configuration, encoding="utf-8")
        arguments += ["--config_file", "case.cfg"]
    render_command.main(args=arguments, standalone_mode=False)
    return {
        "runs": recorder.runs,
        "still": seen["still"],
        "sections": seen["sections"],
        "subcaptions": seen["subcaptions"],
        "file": decoded(seen["video"]) if seen["video"] else None,
        "planes": planes(seen["video"]) if request["lossless"] and seen["video"] else None,
    }


def _watch(recorder: Recorder, seen: dict[str, Any]) -> None:
    write_frame, save_image, finish = SceneFileWriter.write_frame, SceneFileWriter.save_image, SceneFileWriter.finish

    def watched_write_frame(self: SceneFileWriter, pixels: np.ndarray, *, repeat: int = 1) -> None:
        if self._current_encode_job is not None:
            recorder.frame(pixels, repeat)
        write_frame(self, pixels, repeat=repeat)

    def watched_save_image(self: SceneFileWriter, pixels: np.ndarray) -> None:
        seen["still"] = digest(pixels)
        save_image(self, pixels)

    def watched_finish(self: SceneFileWriter) -> None:
        finish(self)
        seen["video"] = self.movie_file_path if self.movie_file_path.exists() else None
        seen["sections"] = [section.name for section in self.sections]
        seen["subcaptions"] = [
            [caption.content, caption.start.total_seconds(), caption.end.total_seconds()]
            for caption in self.subcaptions
        ]

    SceneFileWriter.write_frame = watched_write_frame
    SceneFileWriter.save_image = watched_save_image
    SceneFileWriter.finish = watched_finish
