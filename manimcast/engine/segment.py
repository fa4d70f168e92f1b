"""Encode one segment, in the calling process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from manim._config.video_encoder import VideoEncoderSpec
from manim.scene.video_segment_encoder import VideoSegmentEncoder

from manimcast.engine.track import Pixels


class SegmentEncoder:
    """Encodes frames into ``target`` as they come."""

    def __init__(self, target: Path, spec: VideoEncoderSpec) -> None:
        self._encoder = VideoSegmentEncoder(target=target, spec=spec)

    def write(
        self,
        pixels: Pixels,
        *,
        repeat: int = 1,
        rows: tuple[int, int] | None = None,  # noqa: ARG002  a converter that looks at these only is to come
    ) -> None:
        """Encode ``pixels`` ``repeat`` times; they are not kept. Only ``rows`` differ from those of the last call."""
        self._encoder.write_frame(np.ascontiguousarray(pixels), repeat=repeat)

    def finish(self) -> None:
        """End the segment."""
        self._encoder.finish()

    def abort(self) -> None:
        """Remove the segment."""
        self._encoder.abort()
