"""The report of a render, for tests that need one and not the render."""

from __future__ import annotations

from typing import Any

from manimcast.spec import Format, OutputFile, OutputRole, RenderReport


def video(size: int = 5, name: str = "video.mp4") -> OutputFile:
    """Return a video of ``size`` bytes. Its name may be one that no engine would give."""
    return OutputFile.model_construct(role=OutputRole.video, name=name, bytes=size)


def a_report(*files: OutputFile, **changes: Any) -> RenderReport:
    """Return the report of one second of video that was written to ``files``, apart from ``changes``."""
    fields: dict[str, Any] = {
        "scene": "A",
        "format": Format.mp4,
        "media_type": "video/mp4",
        "width": 854,
        "height": 480,
        "frame_rate": 15,
        "frames": 15,
        "duration": 1,
        "animations": 1,
        "files": files or (video(),),
        "seed": 0,
        "timings": {"draw": 0.5},
        "fingerprint": {"manim": "0.22.0"},
    }
    return RenderReport(**fields | changes)
