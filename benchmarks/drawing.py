"""What drawing a frame costs, without encoding.

``python -m benchmarks.drawing benchmarks/scenes/text.py 1920x1080x60`` prints processor milliseconds per frame:
``draw`` is from the background to the finished frame, copies included, ``step`` everything else of a play.
``MANIMCAST_NATIVE=off`` measures Manim's own drawing. The digest is one of all frames.
"""

from __future__ import annotations

import hashlib
import os
import runpy
import sys
import tempfile
import time
from typing import Any


def main(path: str, size: str) -> None:
    """Run the first scene of the file ``path`` in this process."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import manim  # noqa: PLC0415  takes most of a second
    from manim.renderer.cairo_renderer import CairoRenderer  # noqa: PLC0415

    from manimcast.engine import native  # noqa: PLC0415
    from manimcast.engine.patches import every, frame  # noqa: PLC0415

    every.install()
    digest = hashlib.sha256()
    spent = {"frames": 0, "draw": 0.0, "watch": 0.0}

    def render(self: CairoRenderer, scene: Any, _time: float, moving: Any = None) -> None:
        began = time.process_time()
        self.update_frame(scene, moving)
        pixels = frame.pixels(self.camera) if native.library else self.get_frame()
        drawn = time.process_time()
        digest.update(memoryview(pixels))
        spent["frames"] += 1
        spent["draw"] += drawn - began
        spent["watch"] += time.process_time() - drawn
        self.time += 1 / self.camera.frame_rate

    CairoRenderer.render = render  # type: ignore[method-assign]
    width, height, rate = map(int, size.split("x"))
    manim.config.update({"dry_run": True, "disable_caching": True, "progress_bar": "none", "verbosity": "ERROR"})
    manim.config.update({"pixel_width": width, "pixel_height": height, "frame_rate": rate})
    manim.config.media_dir = tempfile.mkdtemp()
    module = runpy.run_path(path)
    scene = next(value for value in module.values() if _is_scene(value, manim.Scene))()
    began = time.process_time()
    scene.render()
    total = time.process_time() - began - spent["watch"]
    draw, step = (1000 * seconds / spent["frames"] for seconds in (spent["draw"], total - spent["draw"]))
    print(f"{spent['frames']} frames: draw {draw:.2f} ms, step {step:.2f} ms, {digest.hexdigest()[:16]}")


def _is_scene(value: Any, base: type) -> bool:
    return isinstance(value, type) and issubclass(value, base) and not value.__module__.startswith("manim")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
