"""Segments to a file, without encoding anything again: one pass, exact times, the index first.

What Manim's ``combine_files`` does (``manim/scene/scene_file_writer.py``, 0.22), but with every frame at its own
multiple of the frame's duration, whatever the segments' files say, and with the index before the data, so that a
browser can play the file while it loads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from manim import __version__
from manim._config.video_encoder import VideoEncoderSpec

from manimcast.engine import h264, packets
from manimcast.engine.segment_file import exact_times

MADE_WITH = {"comment": f"Rendered with Manim Community v{__version__}"}
"""What Manim notes in the files that it joins."""

INDEX_FIRST = {
    "mp4": {"movflags": "+faststart"},
    "mov": {"movflags": "+faststart"},
    "webm": {"cues_to_front": "1"},
}
"""Options of a file's writer, by its format."""


class JoinError(Exception):
    """The segments are not parts of one video."""


def join(
    segments: Sequence[Path], target: Path, spec: VideoEncoderSpec, *, metadata: Mapping[str, str] | None = None
) -> None:
    """Write the frames of ``segments``, one after the other, to ``target``, at the frame rate of ``spec``.

    ``metadata`` are the file's tags; Manim's own note when left out. Raises :class:`JoinError` when there is no
    segment, when one has no video, or when they were not encoded with the same settings: one set of parameters serves
    the whole file. Nothing is left at ``target`` when it fails.
    """
    if not segments:
        raise JoinError("There are no segments.")
    target.parent.mkdir(parents=True, exist_ok=True)
    options = exact_times(spec) | INDEX_FIRST[spec.container_format]
    try:
        with av.open(target, "w", format=spec.container_format, options=options) as output:
            output.metadata.update(MADE_WITH if metadata is None else metadata)
            joint = Joint(output, spec)
            for path in segments:
                track = packets.read(path) if joint.stream is not None else None
                if track is not None and track.extradata == joint.extradata:
                    joint.append(timed(track), path.name)
                else:
                    with av.open(path) as reader:
                        joint.append(joint.opened(reader, path.name), path.name)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


Timed = tuple["Packet[Any]", Fraction]
"""A packet, and the time at which it is shown, in seconds."""


class Joint:
    """The file that is being written, and how far it is."""

    def __init__(self, output: OutputContainer, spec: VideoEncoderSpec) -> None:
        self.output, self.spec = output, spec
        self.stream: VideoStream | None = None
        self.extradata = b""
        self.delay = 0  # frames by which decoding is ahead of showing
        self.packets = 0
        self.parameters: tuple[h264.Sequence, h264.Picture] | None = None
        self.identifier: int | None = None

    def opened(self, reader: InputContainer, name: str) -> Iterator[Timed]:
        """Yield the packets of a segment, which must be a part of this video; the first one begins it."""
        if not reader.streams.video:
            raise JoinError(f"{name} has no video.")
        source = reader.streams.video[0]
        if self.stream is None:
            self.stream = self.begin(source)
        elif bytes(source.codec_context.extradata or b"") != self.extradata:
            raise JoinError(f"{name} was encoded with other settings than the segments before it.")
        for packet in reader.demux(source):
            if packet.dts is not None and packet.pts is not None:  # demuxing ends with an empty packet
                yield packet, packet.pts * packet.time_base

    def append(self, coded: Iterable[Timed], name: str) -> None:
        """Copy the packets of one segment. Its first frame follows the last one of the segment before."""
        began = self.packets
        for packet, time in coded:
            shown = began + round(time * self.spec.frame_rate)
            decoded = self.packets - self.delay
            if shown < decoded:
                raise JoinError(f"{name} shows a frame before it can be decoded.")
            copied = self._distinct(packet)
            copied.stream, copied.time_base = self.stream, 1 / self.spec.frame_rate
            copied.pts, copied.dts, copied.duration = shown, decoded, 1
            self.output.mux_one(copied)
            self.packets += 1

    def begin(self, source: VideoStream) -> VideoStream:
        """Add the stream, with the settings of the first segment's."""
        stream = self.output.add_stream_from_template(source)
        if stream.pix_fmt != self.spec.pixel_format:
            stream.pix_fmt = self.spec.pixel_format  # alpha, which the file keeps beside the pictures
        self.extradata = bytes(source.codec_context.extradata or b"")
        self.delay = source.codec_context.reorder_depth
        if source.codec_context.name == "h264":
            with suppress(h264.UnsupportedStreamError, EOFError):
                self.parameters = h264.parameter_sets(self.extradata)
        return stream

    def _distinct(self, packet: Packet[Any]) -> Packet[Any]:
        """Return the packet, or another one with the same picture when it is a key picture right after a key picture.

        Two segments that begin alike, the first of which is a single frame, make such a pair, and H.264 wants its two
        pictures to have different identifiers.
        """
        if self.parameters is None or not packet.is_keyframe:
            self.identifier = None
            return packet
        units = list(_units(bytes(packet)))
        slices = [unit for unit in units if h264.unit_type(unit) == h264.IDR_SLICE]
        before, self.identifier = self.identifier, h264.identifier(slices[0], *self.parameters) if slices else None
        if self.identifier is None or self.identifier != before:
            return packet
        self.identifier = 1 if before != 1 else 2
        changed = [
            h264.with_identifier(unit, self.identifier, *self.parameters) if unit in slices else unit for unit in units
        ]
        copy = Packet(b"".join(len(unit).to_bytes(4, "big") + unit for unit in changed))
        copy.is_keyframe = True
        return copy


def timed(track: packets.Track) -> Iterator[Timed]:
    """Yield the packets of a segment whose tables were read."""
    for coded in track.packets:
        packet: Packet[Any] = Packet(coded.data)
        packet.is_keyframe = coded.is_key
        yield packet, coded.shown


def _units(packet: bytes) -> Iterator[bytes]:
    """Yield the NAL units of a packet from an MP4 or QuickTime file, which has their lengths in four bytes each."""
    at = 0
    while at < len(packet):
        end = at + 4 + int.from_bytes(packet[at : at + 4], "big")
        yield packet[at + 4 : end]
        at = end


def frames_in(segment: Path) -> int | None:
    """Return how many frames a segment has; None when it is not a video."""
    track = packets.read(segment)
    if track is not None:
        return len(track.packets)
    try:
        with av.open(segment) as container:
            video = container.streams.video[0]
            return sum(packet.pts is not None for packet in container.demux(video))
    except (av.FFmpegError, OSError, IndexError, ValueError):
        return None
