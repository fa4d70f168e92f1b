"""Encoding one segment, the frames of one play or of a part of one, in the process that draws it.

It does what Manim's ``VideoSegmentEncoder`` does (``manim/scene/video_segment_encoder.py``, 0.22), with the same
messages when it fails, but frames are not copied, and wait, if at all, converted. A segment begins with a key picture
and nothing in it refers to another segment; segments of one spec have the same parameter sets. So they can be joined
packet by packet (:mod:`manimcast.engine.join`), and each can be played by itself.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
from manim._config.video_encoder import VideoEncoderSpec

from manimcast.engine import memory
from manimcast.engine.behind import Behind, FileBehind
from manimcast.engine.clock import Clock
from manimcast.engine.convert import Converter, Pixels
from manimcast.engine.segment_file import SegmentFile


class SegmentEncoder:
    """Encodes C-contiguous RGBA frames, shape (height, width, 4), ``uint8``, first row on top, into ``target``.

    With ``behind`` the encoder works in a thread, and what goes wrong there is raised later. ``clock`` counts the
    encoder's time, without conversion.

    Raises :class:`RuntimeError` when the encoder or its file cannot be opened, as each method does when its part of
    the work fails.
    """

    def __init__(
        self, target: Path, spec: VideoEncoderSpec, behind: Behind | None = None, clock: Clock | None = None
    ) -> None:
        self.target = target
        self.spec = spec
        self._closed = False
        self._waiting: tuple[av.VideoFrame, int, tuple[int, int] | None] | None = None
        try:
            self._converter = Converter(spec.pixel_format, spec.width, spec.height)
            file = _TimedFile(SegmentFile(target, spec), clock or Clock())
            self._file = file if behind is None else FileBehind(behind, file)
        except Exception as error:
            raise self._failure("open", error) from error

    def write(self, pixels: Pixels, *, repeat: int = 1, rows: tuple[int, int] | None = None) -> None:
        """Show ``pixels`` for the next ``repeat`` frames. They are not kept.

        ``rows`` says that only the rows from the first to before the second differ from the last picture; none at
        all means the same picture again.
        """
        self._validate(pixels, repeat)
        try:
            if self._waiting and rows is not None and rows[0] >= rows[1]:
                frame, frames, changed = self._waiting
                self._waiting = frame, frames + repeat, changed
                return
            self._show_waiting()
            # A picture waits for the next one, since it may turn out to be the same.
            self._waiting = self._converter.convert(pixels, rows), repeat, rows
        except Exception as error:
            raise self._failure("encode", error) from error

    def show(self, frame: av.VideoFrame, rows: tuple[int, int] | None = None) -> None:
        """Show ``frame``, pixels that were converted elsewhere, for the next frame; ``rows`` as in :meth:`write`."""
        try:
            if self._waiting and rows is not None and rows[0] >= rows[1]:
                waiting, frames, changed = self._waiting
                self._waiting = waiting, frames + 1, changed
                return
            self._show_waiting()
            self._waiting = frame, 1, rows
        except Exception as error:
            raise self._failure("encode", error) from error

    def finish(self) -> None:
        """Encode what is left and close the file."""
        if self._closed:
            return
        self._closed = True
        try:
            try:
                self._show_waiting()
            finally:
                self._file.close()
        except Exception as error:
            raise self._failure("finish", error) from error

    def abort(self) -> None:
        """Close the file and remove it."""
        try:
            try:
                if not self._closed:
                    self._closed = True
                    self._file.discard()
            finally:
                self.target.unlink(missing_ok=True)
        except Exception as error:
            raise self._failure("abort", error) from error

    def _show_waiting(self) -> None:
        if self._waiting is not None:
            (frame, frames, rows), self._waiting = self._waiting, None
            self._file.show(frame, frames, rows)

    def _validate(self, pixels: Pixels, repeat: int) -> None:
        if self._closed:
            raise RuntimeError(f"Video segment encoder for {self.target} is closed.")
        if isinstance(repeat, bool) or not isinstance(repeat, int) or repeat <= 0:
            raise ValueError("Frame repeat must be a positive integer.")
        if not isinstance(pixels, np.ndarray):
            raise TypeError("Video segment frames must be NumPy arrays.")
        expected = (self.spec.height, self.spec.width, 4)
        if pixels.shape != expected:
            raise ValueError(f"Video segment frames must have shape {expected}; got {pixels.shape}.")
        if pixels.dtype != np.uint8:
            raise TypeError(f"Video segment frames must use uint8; got {pixels.dtype}.")
        if not pixels.flags.c_contiguous:
            raise ValueError("Video segment frames must be C-contiguous.")

    def _failure(self, operation: str, error: BaseException) -> RuntimeError:
        spec = self.spec
        return RuntimeError(
            f"Failed to {operation} video segment {self.target} "
            f"({spec.container_format}/{spec.codec}/{spec.pixel_format}, "
            f"{spec.width}x{spec.height} at {spec.frame_rate} fps): {error}"
        )


class _TimedFile:
    """A :class:`SegmentFile` whose time ``clock`` counts, and which says so when it found no memory."""

    def __init__(self, file: SegmentFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    def show(self, frame: av.VideoFrame, frames: int, rows: tuple[int, int] | None = None) -> None:
        with self._encoding():
            self._file.show(frame, frames, rows)

    def close(self) -> None:
        with self._encoding():
            self._file.close()

    def discard(self) -> None:
        self._file.discard()

    @contextmanager
    def _encoding(self) -> Iterator[None]:
        with self._clock.running():
            try:
                yield
            except av.error.ExternalError as error:
                if memory.is_short():
                    raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)) from error
                raise
