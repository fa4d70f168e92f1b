"""Pictures of which little changes, coded by the native part in as much time as the change takes.

x264 looks at every macroblock of every picture and takes milliseconds to find that nothing has changed. Here a picture
is compared with the one before, and only where it differs something is searched for, transformed and written; all else
is skipped. That takes longer per macroblock than x264 does, so it is for pictures of which little changes, and which
those are is decided by the pictures alone: the file must not depend on the machine.

The pictures follow a key picture of x264's in the same group; what a decoder makes of that is what they begin from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from manim._config.video_encoder import VideoEncoderSpec

from manimcast.engine import h264
from manimcast.engine.configure import x264_defaults
from manimcast.engine.native import library

FINEST_QP, FINER = 20, 5
"""What has stopped changing is coded with a quantiser less by so much, but not less than that."""

WAIT = 2
"""With which picture that is done, counted from the one with the last change."""

USUAL_DETAIL = 8.0
"""Bytes for each macroblock that has changed."""

FEWEST = 4
"""Macroblocks that must have changed before it counts what was written for them."""

MOST_PICTURES = 4
"""Pictures before that motion may refer to: digits that come again are found there."""

AGAIN = 0.05
"""The share of what changes that must look as it did a few pictures ago for those to be kept, which takes time."""

LITTLE = 0.06
"""The share of macroblocks up to which a picture takes less time here than x264 needs for any."""

PATIENCE = 0.5
"""How much more than that may have changed, summed over pictures, before x264 takes over with a key picture."""

RETURN = 1.0
"""How much less than that must have changed, summed over pictures, before leaving x264 is worth another key picture."""


@dataclass
class _Run:
    """What the heads of slices depend on: the parameter sets, and the head of the picture coded last."""

    sequence: h264.Sequence
    picture: h264.Picture
    last: h264.Head
    pictures: int = 1
    """That are there for the next one to refer to."""
    keep: int = 1
    """How many shall be there."""

    def head(self, qp: int) -> bytes:
        writer = h264.predicted_head(self.sequence, self.picture, self.last, qp, self.pictures)
        writer.align(1)
        return bytes(writer)


class ChangeCoder:
    """Codes pictures of one size (yuv420p), one after the other, each by what differs from the one before."""

    def __init__(self, native: ModuleType, width: int, height: int) -> None:
        self._native = native
        self._height, self._macroblocks = height, -(-width // 16) * -(-height // 16)
        self._coder = native.h264_coder(width, height)
        self._run: _Run | None = None
        self._looked = False
        self._share = 1.0
        self._detail = USUAL_DETAIL
        self._again = 0.0

    def look(self, frame: av.VideoFrame, rows: tuple[int, int] | None = None) -> float:
        """Take over a picture; return the share of its macroblocks that differ from the picture before.

        ``rows``, first and end, says that no others differ. Of the first picture everything does.
        """
        first, end = rows if rows and self._looked else (0, self._height)
        self._looked = True
        if first >= end:
            first = end = 0
        changed, again = self._native.h264_changes(self._coder, *_planes(frame), first, end)
        self._share = changed / self._macroblocks
        if changed:
            self._again += (again / changed - self._again) / 4
        return self._share

    def begin(self, key: bytes, extradata: bytes) -> None:
        """Go on from a key picture, given as the packet of an encoder, with its parameter sets.

        Raises :class:`h264.UnsupportedStreamError` or :class:`EOFError` when the stream is not as expected.
        """
        sequence, picture = h264.parameter_sets(extradata)
        if not sequence.usual or sequence.macroblocks != self._macroblocks or picture.scaled:
            raise h264.UnsupportedStreamError("not 4:2:0 with 8 bits, of another size, or with scaling matrices")
        if not picture.arithmetic or not picture.filter_control:
            raise h264.UnsupportedStreamError("without CABAC, or always deblocked")
        if not sequence.references:
            raise h264.UnsupportedStreamError("nothing may be referred to")
        slices = [unit for unit in h264.units(key) if h264.unit_type(unit) in {h264.SLICE, h264.IDR_SLICE}]
        if len(slices) != 1:
            raise h264.UnsupportedStreamError("a picture in several slices")
        self._run = _Run(sequence, picture, h264.parse_head(slices[0], sequence, picture))
        decoder = VideoCodecContext.create("h264", "r")
        decoder.extradata = extradata
        decoder.options = {"threads": "1", "apply_cropping": "0"}  # what is beyond the edges is referred to as well
        (frame,) = [*decoder.decode(Packet(key)), *decoder.decode(None)]
        how = *picture.chroma_offsets, picture.transform8
        self._native.h264_begin(self._coder, *how, *_planes(frame))

    def code(self) -> bytes:
        """Return the packet of the picture that was looked at last, decoded and shown after the one before."""
        run = self._advance()
        qp = quantiser(self._share, self._macroblocks, self._detail)
        pictures = run.pictures
        run.keep = min(run.sequence.references, MOST_PICTURES) if self._again > AGAIN else 1
        how = pictures, run.keep, qp, max(qp - FINER, FINEST_QP), WAIT
        unit: bytes = self._native.h264_code(self._coder, run.head(qp), *how)
        run.pictures = min(pictures + 1, run.keep)
        if (changed := self._share * self._macroblocks) >= FEWEST:
            self._detail += (len(unit) / changed - self._detail) / 4
        return b"\0\0\0\1" + unit

    def repeat(self) -> bytes:
        """Return the packet of a picture equal to the one coded last."""
        run = self._advance()
        self._native.h264_repeat(self._coder)
        run.pictures = min(run.pictures + 1, run.keep)
        return b"\0\0\0\1" + h264.skipped(run.sequence, run.picture, run.last)

    def _advance(self) -> _Run:
        if self._run is None:
            raise RuntimeError("there is no key picture yet")
        self._run.last = h264.following(self._run.last, self._run.sequence)
        return self._run

    def reconstructed(self) -> bytes:
        """Return the planes that a decoder has now, one after the other, without what pads them."""
        planes: bytes = self._native.h264_reconstructed(self._coder)
        return planes


def quantiser(share: float, macroblocks: int, detail: float) -> int:
    """Return the quantiser for a picture of so many macroblocks of which that share has changed.

    It is finer where it costs little: in small pictures, where little changes, and where there is little ``detail``:
    what was written of late, in bytes, for each macroblock that had changed. Below 20 a macroblock of noise could take
    more than the 3200 bits that the standard allows.
    """
    changed = 1.5 * math.log2(min(1.0, max(share, 1e-6) / 0.01))
    written = min(2.5, max(-2.5, math.log2(max(detail, 0.1) / USUAL_DETAIL)))
    size = 2.35 * math.log2(macroblocks / 8160)
    return round(min(33.0, max(22.0, 31.2 + changed + written + size)))


class Balance:
    """Decides by what changes whether x264 is to encode: not at once, since each time costs a key picture."""

    def __init__(self, share: float) -> None:
        """Decide for a first run of pictures, of whose second picture that share has changed."""
        self.much = share > LITTLE
        self._against = 0.0

    def add(self, share: float) -> bool:
        """Take the next picture's share into account; return whether it begins another run."""
        excess = share - LITTLE
        self._against = max(0.0, self._against + (-excess if self.much else excess))
        if self._against <= (RETURN if self.much else PATIENCE):
            return False
        self.much = not self.much
        self._against = 0.0
        return True


def coder_for(spec: VideoEncoderSpec) -> ChangeCoder | None:
    """Return a coder for the files of ``spec``: None without the native part, and for settings that were asked for."""
    options = {name: value for name, value in spec.options if name != "threads"}
    if library is None or spec.codec != "libx264" or spec.pixel_format != "yuv420p":
        return None
    if options != x264_defaults(spec.frame_rate):
        return None
    return None if spec.width % 2 or spec.height % 2 else ChangeCoder(library, spec.width, spec.height)


def _planes(frame: av.VideoFrame) -> Sequence[object]:
    return [part for plane in frame.planes for part in (plane, plane.line_size)]
