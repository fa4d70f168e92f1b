"""How many processes may draw, and how many segments be encoded, at once for a render to keep within its memory.

An encoder that looks ahead holds fifty frames and more: 0.4 GB at 1080p with x264's ``medium``, 1.4 GB in 4K. What is
reckoned here is a little more than was measured, as whoever needs more than a render may have is ended.
"""

from __future__ import annotations

from manim._config.video_encoder import VideoEncoderSpec

from manimcast.engine.segment_file import lookahead

MIB = 1 << 20
SHARED = 256 * MIB
"""What the process that runs the scene has, most of which the others share with it."""
PRIVATE = 48 * MIB
"""What each further process changes of that."""
PIXEL_BYTES = 20
"""Of the pictures that a process draws, for each pixel: the camera's, the background, those that wait."""
ENCODER_FRAMES = 12
"""Frames that an encoder holds besides those that it looks ahead at."""
ENCODER_PIXEL_BYTES = 4
"""Of an encoder, for each pixel of a frame that it holds."""


class Room:
    """What ``memory``, in bytes, of a render has room for; ``encoding`` is None when nothing is encoded."""

    def __init__(self, memory: int, encoding: VideoEncoderSpec | None) -> None:
        self._memory = memory
        pixels = 0 if encoding is None else encoding.width * encoding.height
        ahead = 0 if encoding is None else lookahead(encoding)
        self._encoder = pixels * ENCODER_PIXEL_BYTES * (ENCODER_FRAMES + ahead)
        self._pictures = pixels * PIXEL_BYTES
        # Encoders that look ahead have most of their work left when they are given a segment's last frame.
        self._encoders = 2 if ahead else 1

    def processes(self, wanted: int) -> int:
        """Return how many processes may draw and encode at once, of the ``wanted`` ones: at least one.

        The one that runs the scene may encode beside them.
        """
        return self._most(wanted, PRIVATE + self._pictures + self._encoder, beside=self._encoder)

    def encoders(self) -> int:
        """Return how many segments are worth encoding at once, and have room, while no other process draws."""
        return self._most(self._encoders, self._encoder)

    def _most(self, wanted: int, each: int, beside: int = 0) -> int:
        left = self._memory - SHARED - self._pictures - beside
        return max(1, min(wanted, left // each if each else wanted))
