"""A segment's file: frames in, packets with exact times out, still pictures held, little changes coded natively.

A picture that lasts is encoded a few times, until nothing is left to refine, and then held by slices that
:mod:`manimcast.engine.h264` writes. Frames stay frames: their number, times and pictures are those of ordinary
encoding. Each hold is a group of pictures of its own, or several, so that nothing coded before or after refers into
it; whatever is coded around it comes from other runs of the encoder with the same settings.

A run is what has a key picture of its own. With the service's own settings, one of which little changes from picture
to picture has only its key picture from x264; the others come from :mod:`manimcast.engine.changes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import av
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.stream import VideoStream
from manim._config.video_encoder import VideoEncoderSpec

from manimcast.engine import h264
from manimcast.engine.changes import Balance, ChangeCoder, coder_for

X264, VP9 = "libx264", "libvpx-vp9"

LONGEST_GROUP = 250
"""Frames from one key picture to the next within a hold, at most: x264's own default, so seeking is as ever."""

LOOKAHEAD = {"ultrafast": 0, "superfast": 0, "veryfast": 10, "faster": 20, "fast": 30, "medium": 40, "slow": 50}
"""How many frames ahead x264's presets look when they decide how well a picture is coded; others look 60 ahead."""

VP9_LOOKAHEAD = 25
"""The same for libvpx's VP9."""

REFINED = 3
"""Pictures beyond those, until x264 has nothing more to add to a still one."""

SHORTEST_HOLD = 8
"""Frames that must be saved before a group of pictures of its own is worth it."""

THREADS = 2
THREADED_PIXELS = 1280 * 720
"""So many threads has an encoder that looks ahead, for pictures of at least that size; smaller ones gain less by a
second one than it costs. What is coded may depend on the number, so it is the same on any machine."""


def lookahead(spec: VideoEncoderSpec) -> int:
    """Return how many frames the encoder looks ahead."""
    if spec.codec != X264:
        return VP9_LOOKAHEAD if spec.codec == VP9 else 0
    options = dict(spec.options)
    options |= dict(entry.split("=") for entry in options.get("x264-params", "").split(":") if "=" in entry)
    return int(options.get("rc-lookahead", LOOKAHEAD.get(options.get("preset", "medium"), 60)))


def settling(spec: VideoEncoderSpec) -> int:
    """Return how many frames of a still picture are encoded before the rest is held."""
    return lookahead(spec) + REFINED


class SegmentFile:
    """Writes frames in the encoder's pixel format to ``target``. Raises what PyAV raises."""

    def __init__(self, target: Path, spec: VideoEncoderSpec) -> None:
        self.target, self.spec = target, spec
        target.parent.mkdir(parents=True, exist_ok=True)
        container = None
        try:
            container = av.open(target, mode="w", format=spec.container_format, options=exact_times(spec))
            stream = cast("VideoStream", container.add_stream(spec.codec, rate=spec.frame_rate, options=_options(spec)))
            _set_up(stream.codec_context, spec)
        except BaseException:
            if container is not None:
                with suppress(BaseException):
                    container.close()
            with suppress(OSError):
                target.unlink(missing_ok=True)
            raise
        self._container = container
        self._stream = stream
        self._context: VideoCodecContext | None = self._stream.codec_context
        self._fed = 0  # frames given to the present run of the encoder
        self._began = 0  # the frame that it began with
        self._packets = 0
        self._coder = coder_for(spec)
        self._natively = False  # whether the present run's pictures are coded natively, but for the first
        self._first: tuple[av.VideoFrame, int] | None = None
        self._balance: Balance | None = None

    def show(self, frame: av.VideoFrame, frames: int, rows: tuple[int, int] | None = None) -> None:
        """Show ``frame`` for so many frames. Its times are set here; it is kept until the next one at the most.

        ``rows``, first and end, says that no others differ from the frame before.
        """
        if self._coder is None:
            self._show(frame, frames)
            return
        share = self._coder.look(frame, rows)
        if self._balance is None:
            if self._first is None:  # what its run is like is known with the second
                self._first = frame, frames
                return
            self._balance = Balance(share)
            self._show_first(self._coder, self._balance)
        elif self._balance.add(share):
            self._end_run()
        if self._balance.much or self._coder is None:
            self._show(frame, frames)
        else:
            self._show_changes(self._coder, frame, frames)

    def close(self) -> None:
        """Write what the encoder still has, and close the file; it is closed also when that fails."""
        try:
            if self._first is not None and self._balance is None:
                self._show(*self._first)
            self._end_run()
        finally:
            self._container.close()

    def discard(self) -> None:
        """Close the file as it is."""
        self._container.close()

    def _show(self, frame: av.VideoFrame, frames: int) -> None:
        """Show ``frame`` as x264 encodes it, or holds it when that is worth it."""
        if self._worth_holding(frames) and self._hold(frame, frames):
            return
        for _ in range(frames):
            self._mux(self._encode(frame))

    def _show_first(self, coder: ChangeCoder, balance: Balance) -> None:
        (frame, frames), self._first = cast("tuple[av.VideoFrame, int]", self._first), None
        if balance.much or self._worth_holding(frames):
            self._show(frame, frames)
        else:
            self._show_changes(coder, frame, frames)

    def _show_changes(self, coder: ChangeCoder, frame: av.VideoFrame, frames: int) -> None:
        """Show ``frame``, the one that ``coder`` has looked at or, at the beginning of a run, any other."""
        if self._worth_holding(frames) and frames > LONGEST_GROUP - self._fed and self._hold(frame, frames):
            return
        if self._natively and self._fed >= LONGEST_GROUP:
            self._end_run()
        if not self._natively:
            if not self._begin_changes(coder, frame):
                self._coder = None
                self._show(frame, frames)
                return
        else:
            self._put_changes(coder.code())
        for _ in range(frames - 1):
            self._put_changes(coder.repeat())

    def _begin_changes(self, coder: ChangeCoder, frame: av.VideoFrame) -> bool:
        """Begin a run with ``frame`` as a key picture. Returns False, having written nothing, when it is not one."""
        packets = self._encode(frame) + self._flush()
        self._context = None
        try:
            (key,) = packets
            coder.begin(bytes(key), bytes(self._stream.codec_context.extradata or b""))
        except (h264.UnsupportedStreamError, EOFError, ValueError):
            self._fed = 0
            return False
        self._mux([key])
        self._natively = True
        return True

    def _put_changes(self, data: bytes) -> None:
        self._put(Packet(data), self._began + self._fed, key=False)
        self._fed += 1

    def _encode(self, frame: av.VideoFrame, kind: PictureType = PictureType.NONE) -> list[Packet[VideoStream]]:
        """Encode the next frame of the present run, or of a new one."""
        if self._context is None:
            self._context = self._another_context()
        frame.pts, frame.time_base = self._fed, 1 / self.spec.frame_rate
        frame.pict_type = kind
        self._fed += 1
        return self._context.encode(frame)

    def _end_run(self) -> None:
        """Write what the present run of the encoder still has; the next frame begins another one."""
        if self._fed:
            if not self._natively:
                self._mux(self._flush())
            self._begin_after(self._fed)

    def _flush(self) -> list[Packet[VideoStream]]:
        return self._context.encode(None) if self._context else []

    def _begin_after(self, frames: int) -> None:
        self._context, self._fed, self._natively = None, 0, False
        self._began += frames

    def _another_context(self) -> VideoCodecContext:
        first = self._stream.codec_context
        context = cast("VideoCodecContext", CodecContext.create(self.spec.codec, "w"))
        context.options = _options(self.spec)
        _set_up(context, self.spec)
        context.framerate, context.time_base = self.spec.frame_rate, 1 / self.spec.frame_rate
        context.flags = first.flags
        context.open()
        if bytes(context.extradata or b"") != bytes(first.extradata or b""):
            raise RuntimeError("the encoder changed its parameter sets within a segment")
        return context

    def _worth_holding(self, frames: int) -> bool:
        saved = frames - settling(self.spec)
        # Amid moving pictures a hold costs two more key pictures, so it must be a long one.
        fewest = max(SHORTEST_HOLD, round(self.spec.frame_rate)) if self._fed else SHORTEST_HOLD
        return self.spec.codec == X264 and saved >= fewest

    def _hold(self, frame: av.VideoFrame, frames: int) -> bool:
        """Write a hold. Returns False, having written nothing of it, when the stream is not as expected."""
        self._end_run()
        settled = settling(self.spec)
        packets: list[Packet[VideoStream]] = []
        for number in range(settled):
            # The held ones refer to the picture decoded last, so the last one must be shown last as well: two P
            # pictures at the end leave no place for a B picture between them, which would be decoded after both.
            packets += self._encode(frame, PictureType.P if 0 < number >= settled - 2 else PictureType.NONE)
        packets += self._flush()
        self._begin_after(0)
        groups = -(-frames // LONGEST_GROUP)
        lengths = [frames * (number + 1) // groups - frames * number // groups for number in range(groups)]
        encoded = [(bytes(packet), packet.pts or 0, packet.is_keyframe) for packet in packets]
        try:
            held = _held(encoded, bytes(self._stream.codec_context.extradata or b""), max(lengths) - settled)
        except (h264.UnsupportedStreamError, EOFError):
            return False
        for length in lengths:
            for data, shown, key in [*encoded, *held][:length]:
                self._put(Packet(data), self._began + shown, key=key)
            self._began += length
        return True

    def _mux(self, packets: Iterable[Packet[VideoStream]]) -> None:
        for packet in packets:
            self._put(packet, self._began + (packet.pts or 0), key=packet.is_keyframe)

    def _put(self, packet: Packet[Any], shown: int, *, key: bool) -> None:
        """Write a packet, which is decoded after the one before and shown as frame number ``shown``."""
        packet.stream = self._stream
        packet.time_base = 1 / self.spec.frame_rate
        packet.pts, packet.dts = shown, self._packets - self._stream.codec_context.reorder_depth
        packet.duration = 1
        packet.is_keyframe = key
        self._container.mux_one(packet)
        self._packets += 1


_Coded = tuple[bytes, int, bool]
"""A packet's bytes, the frame as which it is shown, and whether it is a key picture."""


def _held(encoded: Sequence[_Coded], extradata: bytes, frames: int) -> list[_Coded]:
    """Return the packets that hold, for so many frames, the picture that ``encoded`` ends with.

    Raises :class:`h264.UnsupportedStreamError` or :class:`EOFError` when the stream is not as expected.
    """
    sequence, picture = h264.parameter_sets(extradata)
    data, last, _ = encoded[-1]
    slices = [unit for unit in h264.units(data) if h264.unit_type(unit) in {h264.SLICE, h264.IDR_SLICE}]
    if last != len(encoded) - 1 or len(slices) != 1:
        raise h264.UnsupportedStreamError("a picture in several slices, or one that is not the last")
    head = h264.parse_head(slices[0], sequence, picture)
    units = h264.hold(head, frames, sequence, picture)
    return [(b"\0\0\0\1" + unit, last + number, False) for number, unit in enumerate(units, 1)]


def exact_times(spec: VideoEncoderSpec) -> dict[str, str]:
    """Return options for a file's writer, with which also the length of the whole is a whole number of frames."""
    if spec.container_format not in {"mp4", "mov"}:
        return {}
    ticks = spec.frame_rate.numerator
    while ticks < 10_000:  # as FFmpeg does for the track's own clock
        ticks *= 2
    return {"movie_timescale": str(ticks)}


def _options(spec: VideoEncoderSpec) -> dict[str, str]:
    """Return the encoder's options: one thread where it knows of threads, as many segments are encoded at once."""
    options = dict(spec.options)
    if spec.codec in {X264, VP9}:
        threaded = spec.codec == X264 and lookahead(spec) and spec.width * spec.height >= THREADED_PIXELS
        options["threads"] = str(THREADS if threaded else 1)
    return options


def _set_up(context: VideoCodecContext, spec: VideoEncoderSpec) -> None:
    context.pix_fmt, context.width, context.height = spec.pixel_format, spec.width, spec.height
    context.thread_type = "FRAME"  # PyAV's own is several slices a picture, which codes worse
