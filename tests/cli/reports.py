"""Real reports of renders, with files that exist."""

from __future__ import annotations

from pathlib import Path

from manimcast.spec import Format, OutputFile, OutputRole, RenderReport
from tests.reports import a_report


def report(
    made_in: Path, *, scene: str = "Ring", ending: str = "mp4", extra: tuple[OutputFile, ...] = ()
) -> RenderReport:
    """A report whose video, and the files in ``extra``, lie in ``made_in`` with their names as content."""
    video = OutputFile(role=OutputRole.video, name=f"video.{ending}", bytes=9)
    files = (video, *extra)
    for file in files:
        (made_in / file.name).write_text(file.name)
    return a_report(
        *files,
        scene=scene,
        format=Format(ending),
        media_type=Format(ending).media_type,
        frames=9,
        duration=0.6,
        animations=2,
        warnings=("The scene is dull.",),
    )
