"""Real reports of renders, with files that exist."""

from __future__ import annotations

from pathlib import Path

from manimcast.spec import Format, OutputFile, OutputRole, RenderReport


def report(
    made_in: Path, *, scene: str = "Ring", ending: str = "mp4", extra: tuple[OutputFile, ...] = ()
) -> RenderReport:
    """A report whose video, and the files in ``extra``, lie in ``made_in`` with their names as content."""
    video = OutputFile(role=OutputRole.video, name=f"video.{ending}", bytes=9)
    files = (video, *extra)
    for file in files:
        (made_in / file.name).write_text(file.name)
    return RenderReport(
        scene=scene,
        format=Format(ending),
        media_type=Format(ending).media_type,
        width=854,
        height=480,
        frame_rate=15,
        frames=9,
        duration=0.6,
        animations=2,
        files=files,
        seed=0,
        timings={"draw": 0.1},
        fingerprint={"manim": "0.22.0"},
        warnings=("The scene is dull.",),
    )
