"""Whole videos, one after the other in one file: nothing is encoded again, and each is a chapter.

Pictures are copied as those of segments are (:mod:`manimcast.engine.join`), and sound in step with them
(:mod:`manimcast.engine.soundtrack`). The videos may be anything: whoever calls is confined.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.container import InputContainer, OutputContainer
from manim._config.video_encoder import VideoEncoderSpec, to_av_frame_rate

from manimcast.engine import h264, packets
from manimcast.engine.join import INDEX_FIRST, MADE_WITH, JoinError, Joint, timed
from manimcast.engine.segment_file import exact_times
from manimcast.engine.soundtrack import Sound, Soundtrack, sound_of
from manimcast.spec import Format

if TYPE_CHECKING:
    from av.container.core import Chapter
    from av.video.codeccontext import VideoCodecContext

CODECS = {"mp4": {"h264"}, "mov": {"h264", "qtrle"}, "webm": {"vp9", "libvpx-vp9"}}
"""What Manim writes, as decoders call it."""
READERS = {"mp4": "mov", "mov": "mov", "webm": "matroska"}
"""What reads them. What a file looks like is not asked: it could look like a picture, or a list of other files."""
_TICKS = 1000
"""Of a second, in the times of chapters."""


@dataclass(frozen=True)
class Part:
    """A video: its file, how many frames it has, the title of its chapter, and what errors call it."""

    path: Path
    frames: int
    title: str
    name: str


def kind_of(format_: Format, width: int, height: int, frame_rate: float, *, transparent: bool) -> VideoEncoderSpec:
    """Return the kind of a video; how its encoder was set does not matter for joining."""
    codec, pixels = {
        (Format.webm, False): ("libvpx-vp9", "yuv420p"),
        (Format.webm, True): ("libvpx-vp9", "yuva420p"),
        (Format.mov, True): ("qtrle", "argb"),
    }.get((format_, transparent), ("libx264", "yuv420p"))
    return VideoEncoderSpec(format_.value, codec, pixels, width, height, to_av_frame_rate(frame_rate), ())


def concatenate(parts: Sequence[Part], target: Path, spec: VideoEncoderSpec) -> None:
    """Write the videos of ``parts``, one after the other, to ``target``.

    Raises :class:`~manimcast.engine.join.JoinError` when one cannot be read, when they were not encoded with the same
    settings, when they are not as long as they are said to be or not of the size that ``spec`` says, and when their
    sound cannot be joined. Nothing is left at ``target`` then.
    """
    sounds = [_look(part, spec) for part in parts]
    # Without a limit to how far apart they are: the sound of a video is written before its pictures.
    options = exact_times(spec) | INDEX_FIRST[spec.container_format] | {"max_interleave_delta": "0"}
    try:
        with av.open(target, "w", format=spec.container_format, options=options) as output:
            output.metadata.update(MADE_WITH)
            output.set_chapters(_chapters(parts, spec.frame_rate))
            _write(output, parts, sounds, spec)
    except (av.FFmpegError, h264.UnsupportedStreamError, ValueError, EOFError, LookupError) as error:
        target.unlink(missing_ok=True)
        raise JoinError(f"The videos cannot be joined: {error}") from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _look(part: Part, spec: VideoEncoderSpec) -> Sound | None:
    """Return a video's sound, if it has some, once it has shown to be a video as ``spec`` and ``part`` say."""
    with _reading(part, spec) as reader:
        if not reader.streams.video:
            raise JoinError(f"{part.name} has no video.")
        stream = reader.streams.video[0]
        coder: VideoCodecContext | None = stream.codec_context  # None for what no decoder is known for
        if (
            coder is None
            or coder.name not in CODECS[spec.container_format]
            or (coder.width, coder.height) != (spec.width, spec.height)
        ):
            raise JoinError(f"{part.name} is not the video that it is said to be.")
        frames = sum(packet.pts is not None and packet.dts is not None for packet in reader.demux(stream))
        if frames != part.frames:
            raise JoinError(f"{part.name} has {frames} frames, and should have {part.frames}.")
    with _reading(part, spec) as reader:
        return sound_of(reader, part.name, spec.container_format)


@contextmanager
def _reading(part: Part, spec: VideoEncoderSpec) -> Iterator[InputContainer]:
    try:
        with av.open(part.path, format=READERS[spec.container_format]) as reader:
            yield reader
    except (av.FFmpegError, ValueError, LookupError) as error:
        reason = error.strerror if isinstance(error, av.FFmpegError) else error
        raise JoinError(f"{part.name} is no video that can be read: {reason}") from error


def _chapters(parts: Sequence[Part], rate: Fraction) -> list[Chapter]:
    ends = [round(_TICKS * frames / rate) for frames in itertools.accumulate(part.frames for part in parts)]
    return [
        {"id": number, "start": start, "end": end, "time_base": Fraction(1, _TICKS), "metadata": {"title": part.title}}
        for number, (part, start, end) in enumerate(zip(parts, [0, *ends], ends, strict=False))
    ]


def _write(
    output: OutputContainer, parts: Sequence[Part], sounds: Sequence[Sound | None], spec: VideoEncoderSpec
) -> None:
    joint = Joint(output, spec)
    with _reading(parts[0], spec) as reader:
        joint.stream = joint.begin(reader.streams.video[0])
    soundtrack = None
    for part, sound in zip(parts, sounds, strict=True):
        if sound is not None:
            with _reading(part, spec) as reader:
                soundtrack = Soundtrack(output, reader.streams.audio[0])
            break
    for part, sound in zip(parts, sounds, strict=True):
        began = joint.packets
        if soundtrack is not None:
            soundtrack.append(sound, began / spec.frame_rate, (began + part.frames) / spec.frame_rate, part.name)
        track = packets.read(part.path)
        if track is not None and track.extradata == joint.extradata:
            joint.append(timed(track), part.name)
        else:
            with _reading(part, spec) as reader:
                joint.append(joint.opened(reader, part.name), part.name)
        if joint.packets - began != part.frames:
            raise JoinError(f"{part.name} has another number of frames at the second look.")
    if soundtrack is not None:
        soundtrack.finish()
