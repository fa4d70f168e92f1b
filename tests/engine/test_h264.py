"""Bits, heads of slices, and slices that skip everything, read back by FFmpeg's decoder."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from hypothesis import given
from hypothesis import strategies as st

from manimcast.engine import h264
from manimcast.engine.bits import BitReader, BitWriter, escape, unescape
from manimcast.engine.cabac import all_skipped
from manimcast.engine.configure import X264_DEFAULTS
from tests.engine.pictures import picture

FIELDS = st.lists(
    st.one_of(
        st.tuples(st.just("u"), st.integers(0, 2**20 - 1)),
        st.tuples(st.just("ue"), st.integers(0, 2**20)),
        st.tuples(st.just("se"), st.integers(-(2**20), 2**20)),
    ),
    min_size=1,
)


@given(FIELDS)
def test_what_is_written_is_read(fields: list[tuple[str, int]]) -> None:
    writer = BitWriter()
    for kind, value in fields:
        writer.u(value, 20) if kind == "u" else getattr(writer, kind)(value)
    writer.trailing()
    reader = BitReader(bytes(writer))
    assert [(kind, reader.u(20) if kind == "u" else getattr(reader, kind)()) for kind, _ in fields] == fields
    bits, length = reader.rest()
    assert 1 <= length <= 8
    assert bits == 1 << (length - 1)
    reader.u(length)
    with pytest.raises(EOFError):
        reader.u(1)


@pytest.mark.parametrize(("value", "code"), [(0, "1"), (1, "010"), (2, "011"), (3, "00100"), (7, "0001000")])
def test_codes_are_those_of_table_9_2(value: int, code: str) -> None:
    writer = BitWriter()
    writer.ue(value)
    writer.align(0)
    assert "".join(f"{byte:08b}" for byte in bytes(writer)) == code.ljust(8, "0")


def test_a_value_that_is_too_large_and_an_incomplete_byte_are_refused() -> None:
    writer = BitWriter()
    with pytest.raises(ValueError, match="does not fit"):
        writer.u(4, 2)
    writer.u(3, 2)
    with pytest.raises(ValueError, match="incomplete"):
        bytes(writer)


@given(st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 255])).map(bytes), st.sampled_from([b"\x80", b"\x80\0\0"]))
def test_nothing_in_a_unit_looks_like_a_start_code(payload: bytes, end: bytes) -> None:
    unit = escape(payload + end)
    assert not any(unit[at : at + 2] == b"\0\0" and unit[at + 2] < 3 for at in range(len(unit) - 2))
    assert unit[-1] != 0
    assert unescape(unit) == payload + end


def encoder(width: int = 96, height: int = 64, **options: str) -> VideoCodecContext:
    context = VideoCodecContext.create("libx264", "w")
    context.options = {"threads": "1", **options}
    context.pix_fmt, context.width, context.height = "yuv420p", width, height
    context.framerate, context.time_base = Fraction(30), Fraction(1, 30)
    context.flags |= Flags.global_header
    context.open()
    return context


def encoded(context: VideoCodecContext, numbers: list[int]) -> list[av.Packet]:
    packets = []
    for shown, number in enumerate(numbers):
        frame = av.VideoFrame.from_ndarray(picture(number, context.width, context.height), format="rgba")
        frame.pts, frame.time_base = shown, Fraction(1, 30)
        if 0 < shown >= len(numbers) - 2:
            frame.pict_type = PictureType.P  # the last one is then decoded last
        packets += context.encode(frame)
    return packets + context.encode(None)


def planes(extradata: bytes, packets: list[bytes]) -> list[np.ndarray]:
    """Decode packets, with an error for whatever FFmpeg finds wrong."""
    decoder = VideoCodecContext.create("h264", "r")
    decoder.extradata = extradata
    decoder.options = {"err_detect": "explode+crccheck+bitstream+buffer", "threads": "1"}
    frames = []
    for data in packets:
        frames += decoder.decode(av.Packet(data))
    return [frame.to_ndarray() for frame in frames + decoder.decode(None)]


@pytest.mark.parametrize("frames", [1, 15, 16, 17, 300])
@pytest.mark.parametrize(
    "options",
    [
        {"preset": "ultrafast"},
        {"preset": "ultrafast", "x264-params": "cabac=1"},
        {"preset": "ultrafast", "x264-params": "bframes=2"},
        {"preset": "superfast", "x264-params": "bframes=0"},
        {"preset": "superfast", "crf": "10"},
        {"preset": "medium"},
        {"preset": "slow", "crf": "40"},
        X264_DEFAULTS,
    ],
    ids=lambda options: " ".join(options.values()),
)
@pytest.mark.parametrize("size", [(96, 64), (34, 18), (640, 362)])
def test_held_pictures_equal_the_last_one(options: dict[str, str], frames: int, size: tuple[int, int]) -> None:
    """Also beyond the numbers after which frame numbers and picture order counts begin again."""
    context = encoder(*size, **options)
    packets = [bytes(packet) for packet in encoded(context, [0, 1, 2])]
    extradata = bytes(context.extradata or b"")
    sequence, parameters = h264.parameter_sets(extradata)
    assert sequence.macroblocks == -(-size[0] // 16) * -(-size[1] // 16)
    last = [unit for unit in h264.units(packets[-1]) if h264.unit_type(unit) in {h264.SLICE, h264.IDR_SLICE}]
    head = h264.parse_head(last[0], sequence, parameters)
    held = [b"\0\0\0\1" + unit for unit in h264.hold(head, frames, sequence, parameters)]
    assert sum(len(unit) for unit in held) < frames * 80
    out = planes(extradata, packets + held)
    assert len(out) == 3 + frames
    assert not np.array_equal(out[1], out[2])
    assert all(np.array_equal(plane, out[2]) for plane in out[3:])


def test_kinds_of_streams_meant_above_are_those() -> None:
    def kind(**options: str) -> tuple[int, bool, bool]:
        sequence, parameters = h264.parameter_sets(bytes(encoder(**options).extradata or b""))
        return sequence.order_type, parameters.arithmetic, parameters.weighted

    assert kind(preset="ultrafast") == (2, False, False)
    assert kind(preset="ultrafast", **{"x264-params": "cabac=1"}) == (2, True, False)
    assert kind(preset="ultrafast", **{"x264-params": "bframes=2"})[:2] == (0, False)
    assert kind(preset="medium") == (0, True, True)


def test_nothing_is_held_after_a_picture_that_nothing_may_refer_to() -> None:
    sequence, parameters = h264.parameter_sets(bytes(encoder(preset="medium").extradata or b""))
    for head in (h264.Head(0, False, 0, 1, 2), h264.Head(2, False, 1, 1, 2)):
        with pytest.raises(h264.UnsupportedStreamError):
            next(h264.hold(head, 1, sequence, parameters))


def test_interlaced_coding_is_refused() -> None:
    context = encoder(96, 64, preset="medium", flags="+ildct+ilme+global_header")
    with pytest.raises(h264.UnsupportedStreamError, match="interlaced"):
        h264.parameter_sets(bytes(context.extradata or b""))


def test_several_sets_of_parameters_are_refused() -> None:
    extradata = bytes(encoder(preset="medium").extradata or b"")
    with pytest.raises(h264.UnsupportedStreamError, match="one set"):
        h264.parameter_sets(extradata * 2)


def test_parameters_cut_short_are_refused() -> None:
    extradata = bytes(encoder(preset="medium").extradata or b"")
    with pytest.raises((h264.UnsupportedStreamError, EOFError)):
        h264.parameter_sets(extradata[:8])


@pytest.mark.parametrize("preset", ["ultrafast", "superfast", "medium"])
def test_another_identifier_leaves_the_picture(preset: str) -> None:
    context = encoder(preset=preset)
    (packet,) = encoded(context, [5])
    extradata = bytes(context.extradata or b"")
    found = h264.parameter_sets(extradata)
    (unit,) = [unit for unit in h264.units(bytes(packet)) if h264.unit_type(unit) == h264.IDR_SLICE]
    for identifier in (0, 1, 2, 300):
        changed = h264.with_identifier(unit, identifier, *found)
        assert h264.identifier(changed, *found) == identifier
        out = planes(extradata, [b"\0\0\0\1" + unit, b"\0\0\0\1" + changed])
        assert len(out) == 2
        assert np.array_equal(*out)


def test_a_skipped_slice_grows_slowly() -> None:
    assert len(all_skipped(8160)) < 50
