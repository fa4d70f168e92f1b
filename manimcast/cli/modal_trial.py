"""A first render on Modal: one small scene, and what came of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import modal
import typer

from manimcast.cli.reach import configured, give_up, reach
from manimcast.executors.modal.protocol import COMPILE

SCENE = """
class Trial(Scene):
    def construct(self):
        square = Square(color=BLUE)
        self.play(Create(square))
        self.play(square.animate.rotate(PI / 4))
        self.wait(0.5)
"""


def on_deployed_app() -> int:
    """Render the test scene on the deployed app, say how that went, and return the exit status."""
    try:
        settings = configured(None, None)
        reach(settings)
        deployed = modal.Function.from_name(
            settings.modal_app_name, COMPILE, environment_name=settings.modal_environment
        )
        try:
            return report(deployed.remote)
        except modal.exception.Error as error:
            give_up("the render failed", error, settings)
    except typer.Exit as ended:  # this is no command of manimcast's, which would see to that
        return ended.exit_code


def report(remote: Callable[..., dict[str, Any]]) -> int:
    """Call ``remote`` with the test scene, print size, duration and number of progress events."""
    began = time.monotonic()
    result = remote(SCENE, "Trial", quality="low_quality")
    seconds = time.monotonic() - began
    if not result["success"]:
        print(f"The render failed: {result['error']}", *result["details"], sep="\n", file=sys.stderr)
        return 1
    video = Path("trial.mp4")
    video.write_bytes(result["video_bytes"])
    print(f"video            {video} ({len(result['video_bytes'])} bytes)")
    print(f"duration         {result['duration']:.2f} s")
    print(f"progress events  {len(result['progress_updates'])}")
    print(f"time             {seconds:.2f} s, of which {result['seconds']:.2f} s in the container")
    return 0
