"""Pictures coded by what changes: FFmpeg decodes them strictly, to the very planes that the coder goes on from."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from manim._config.video_encoder import VideoEncoderSpec

from manimcast.engine import changes, h264
from manimcast.engine.changes import LITTLE, Balance, ChangeCoder, coder_for, quantiser
from manimcast.engine.configure import X264_DEFAULTS
from manimcast.engine.native import library
from manimcast.engine.segment import SegmentEncoder
from manimcast.engine.segment_file import LONGEST_GROUP
from tests.engine.pictures import decoded, spec, times
from tests.engine.test_h264 import encoder, planes

pytestmark = pytest.mark.skipif(library is None, reason="the native part is not compiled")

Planes = npt.NDArray[np.uint8]
"""Y, and below it U and V, as PyAV arranges yuv420p."""


def ramp(width: int, height: int) -> Planes:
    """Return a picture that is nowhere the same."""
    y, x = np.mgrid[0 : height * 3 // 2, 0:width]
    return ((x // 3 + y // 2) % 200 + 20).astype(np.uint8)


def noise(first: Planes, number: int) -> Planes:
    rng = np.random.default_rng(number)
    picture = first.copy()
    y, x = rng.integers(0, picture.shape[0] - 8), rng.integers(0, picture.shape[1] - 8)
    picture[y : y + 30, x : x + 30] = rng.integers(0, 256, picture[y : y + 30, x : x + 30].shape)
    return picture


def noise_everywhere(first: Planes, number: int) -> Planes:
    return np.random.default_rng(number).integers(0, 256, first.shape, dtype=np.uint8)


def rectangle(first: Planes, number: int) -> Planes:
    picture = first.copy()
    height = len(first) * 2 // 3
    picture[number % 9 : height - 9, 3 * number % 20 : 3 * number % 20 + 12] = 230
    picture[height + number : height + number + 6, 5:20] = 60
    return picture


def out_of_the_picture(first: Planes, number: int) -> Planes:
    """Everything moves across all edges, farther than the margin in a few pictures."""
    return np.roll(first, (-5 * number, 7 * number), (0, 1))


def disc(first: Planes, number: int) -> Planes:
    """A soft disc that moves by fractions of a sample."""
    y, x = np.mgrid[0 : first.shape[0], 0 : first.shape[1]]
    distance = np.hypot(x - 12 - 0.37 * number, y - 9 - 0.61 * number)
    cover = np.clip(9 - distance, 0, 1)
    return (first * (1 - cover) + 235 * cover).astype(np.uint8)


def fade(first: Planes, number: int) -> Planes:
    return (first * max(0.0, 1 - number / 12)).astype(np.uint8)


def nothing(first: Planes, number: int) -> Planes:
    return first


def corners(first: Planes, number: int) -> Planes:
    picture = first.copy()
    for y, x in itertools.product((slice(0, 3), slice(-3, None)), (slice(0, 3), slice(-3, None))):
        picture[y, x] = 17 * number % 256
    return picture


def rings(first: Planes, number: int) -> Planes:
    """Sharp slanted lines that turn: all kinds of intra prediction and of motion by parts."""
    y, x = np.mgrid[0 : first.shape[0], 0 : first.shape[1]]
    angle = 0.05 * number
    along = x * np.cos(angle) + y * np.sin(angle)
    return np.where((along.astype(int) // 4) % 3 == 0, 220, 30).astype(np.uint8)


KINDS = [nothing, rectangle, disc, fade, corners, noise, rings, out_of_the_picture, noise_everywhere]
SIZES = [(96, 64), (34, 18), (16, 16), (854, 480)]


def frame_of(picture: Planes) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(picture, format="yuv420p")


class Stream:
    """A key picture by x264 and others by a :class:`ChangeCoder`, and what the coder takes a decoder's planes for."""

    def __init__(self, first: Planes) -> None:
        height, width = len(first) * 2 // 3, first.shape[1]
        context = encoder(width, height, **X264_DEFAULTS)
        self.extradata = bytes(context.extradata or b"")
        self.coder = ChangeCoder(library, width, height)
        self.coder.look(frame_of(first))
        frame = frame_of(first)
        frame.pts = 0
        (key,) = [*context.encode(frame), *context.encode(None)]
        self.coder.begin(bytes(key), self.extradata)
        self.packets, self.own = [bytes(key)], [self.coder.reconstructed()]

    def add(self, picture: Planes, rows: tuple[int, int] | None = None) -> float:
        share = self.coder.look(frame_of(picture), rows)
        self.packets.append(self.coder.code())
        self.own.append(self.coder.reconstructed())
        return share

    def check(self) -> None:
        found = planes(self.extradata, self.packets)
        assert len(found) == len(self.own)
        for number, (one, other) in enumerate(zip(found, self.own, strict=True)):
            assert one.tobytes() == other, number


@pytest.mark.parametrize("qp", [0, 11, 24, 30, 37, 51])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_decoder_has_what_the_coder_has(
    kind: Callable[[Planes, int], Planes], size: tuple[int, int], qp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "quantiser", lambda share, macroblocks, detail: qp)
    monkeypatch.setattr(changes, "FINEST_QP", 0)
    first = ramp(*size)
    stream = Stream(first)
    for number in [*range(1, 7), 6, 6, 6, 7]:
        stream.add(kind(first, number))
    stream.check()


def test_large_pictures_are_decoded_as_well() -> None:
    first = ramp(1920, 1080)
    stream = Stream(first)
    for number in range(1, 5):
        stream.add(rectangle(first, number))
        stream.add(disc(first, number))
    stream.check()


def test_long_runs_are_decoded_over_all_wraps() -> None:
    first = ramp(48, 32)
    stream = Stream(first)
    for number in range(1, 300):
        stream.add(disc(first, number % 40) if number % 3 else rectangle(first, number))
    stream.check()


def test_what_is_the_same_costs_next_to_nothing_and_what_stopped_is_refined() -> None:
    first = np.full((540, 640), 40, np.uint8)
    stream = Stream(first)
    assert stream.add(disc(first, 5)) < LITTLE
    wanted = np.frombuffer(disc(first, 5).tobytes(), np.uint8)[: 640 * 360].astype(int)
    errors = []
    for _ in range(6):
        errors.append(np.abs(np.frombuffer(stream.own[-1], np.uint8)[: 640 * 360] - wanted).sum())
        assert stream.add(disc(first, 5)) == 0
    stream.check()
    assert errors[-1] < errors[0]
    assert len(stream.packets[-1]) < 40
    assert len(stream.packets[1]) < 400


def test_a_repeated_picture_is_the_same_one() -> None:
    first = ramp(96, 64)
    stream = Stream(first)
    stream.add(noise(first, 1))
    for _ in range(40):
        stream.packets.append(stream.coder.repeat())
        stream.own.append(stream.own[-1])
    stream.add(noise(first, 2))
    stream.check()


def digit(first: Planes, number: int) -> Planes:
    picture = first.copy()
    picture[20:50, 20:50] = np.random.default_rng(number).integers(0, 256, (30, 30))
    return picture


def test_what_comes_again_is_taken_from_the_picture_that_had_it() -> None:
    first = ramp(96, 64)
    stream = Stream(first)
    for number in range(24):
        stream.add(digit(first, number % 4))
    stream.check()
    sizes = [len(packet) for packet in stream.packets[1:]]
    assert max(sizes[8:]) < min(sizes[:4]) / 3
    for number in range(24, 48):
        stream.add(digit(first, number % 5))  # one more than there are pictures to refer to
    stream.check()
    sizes = [len(packet) for packet in stream.packets[1:]]
    assert min(sizes[40:]) > max(sizes[8:24])


def test_what_looks_as_it_did_a_few_pictures_ago_is_counted() -> None:
    assert library is not None
    first = ramp(96, 64)
    coder = library.h264_coder(96, 64)
    seen = []
    # 1 is back after three others. 2 and 4 are back later, when no picture that may be kept has them any more.
    for number in [1, 2, 1, 1, 3, 3, 3, 1, 2, 4, 5, 6, 7, 8, 4]:
        picture = frame_of(digit(first, number))
        planes = itertools.chain.from_iterable((plane, plane.line_size) for plane in picture.planes)
        seen.append(library.h264_changes(coder, *planes, 0, 64))
    changed = seen[1][0]
    assert changed > 0
    assert seen[0] == (6 * 4, 0)
    assert [again for _, again in seen] == [0, 0, changed, 0, 0, 0, 0, changed, *[0] * 7]


def test_repeated_pictures_are_among_those_referred_to() -> None:
    first = ramp(96, 64)
    stream = Stream(first)
    for number in range(30):
        stream.add(digit(first, number % 3))
        for _ in range(number % 4):
            stream.packets.append(stream.coder.repeat())
            stream.own.append(stream.own[-1])
    stream.check()


def test_rows_make_no_difference() -> None:
    first = np.full((96, 96), 40, np.uint8)
    whole, by_rows = Stream(first), Stream(first)
    for number in range(1, 6):
        picture = first.copy()
        picture[20:25, 5 * number : 5 * number + 20] = 200
        picture[69:71, 3:30] = 90 + number  # rows of chroma that depend on them, two in one
        assert whole.add(picture) == by_rows.add(picture, (19, 27)) > 0
    assert by_rows.add(picture, (0, 0)) == 0
    whole.add(picture)
    assert whole.packets == by_rows.packets


def test_planes_that_are_too_small_are_refused() -> None:
    assert library is not None
    coder = library.h264_coder(64, 64)
    small = [np.zeros(n, np.uint8) for n in (64 * 64 - 1, 32 * 32, 32 * 32)]
    right = [np.zeros(n, np.uint8) for n in (64 * 64, 32 * 32, 32 * 32)]
    strides = (64, 32, 32)
    for arrays, first, end in ((small, 0, 64), (right, 0, 65), (right, -1, 3), (right, 9, 3)):
        with pytest.raises(ValueError, match="too small"):
            library.h264_changes(coder, *itertools.chain(*zip(arrays, strides, strict=True)), first, end)
    with pytest.raises(ValueError, match="too small"):
        library.h264_begin(coder, 0, 0, True, *itertools.chain(*zip(small, strides, strict=True)))
    with pytest.raises(ValueError, match="too large"):
        library.h264_begin(coder, 13, 0, True, *itertools.chain(*zip(right, strides, strict=True)))
    for width, height in ((0, 64), (64, -2), (63, 64), (64, 20000)):
        with pytest.raises(ValueError, match="size"):
            library.h264_coder(width, height)
    for pictures, keep in ((2, 1), (0, 1), (1, 0), (1, 5)):
        with pytest.raises(ValueError, match="not as many"):
            library.h264_code(coder, b"", pictures, keep, 20, 20, 1)
    for qp, refined, wait in ((52, 20, 1), (-1, 20, 1), (20, 52, 1), (20, 20, 256)):
        with pytest.raises(ValueError, match="quantiser"):
            library.h264_code(coder, b"", 1, 1, qp, refined, wait)
    with pytest.raises(ValueError, match="PyCapsule"):
        library.h264_reconstructed(None)


@pytest.mark.parametrize("options", [{"preset": "ultrafast"}, {"x264-params": "slices=2"}, {"flags": "+ildct+ilme"}])
def test_streams_that_are_not_as_expected_are_refused(options: dict[str, str]) -> None:
    context = encoder(96, 64, **options)
    frame = frame_of(ramp(96, 64))
    frame.pts = 0
    (key,) = [*context.encode(frame), *context.encode(None)]
    coder = ChangeCoder(library, 96, 64)
    with pytest.raises(h264.UnsupportedStreamError):
        coder.begin(bytes(key), bytes(context.extradata or b""))


def test_what_is_finer_costs_little() -> None:
    shares = [0, 0.0001, 0.001, 0.01, 0.03, 0.08, 1]
    found = [quantiser(share, 8160, 8) for share in shares]
    assert found == sorted(found)
    assert 20 <= found[0] < found[-1] < 51
    assert quantiser(0.01, 1620, 8) < quantiser(0.01, 8160, 8)
    assert quantiser(0.01, 8160, 0) < quantiser(0.01, 8160, 8) < quantiser(0.01, 8160, 1e9) < 51


def test_a_run_of_x264_begins_and_ends_when_that_is_worth_a_key_picture() -> None:
    balance = Balance(0.01)
    assert not balance.much
    assert not any(balance.add(share) for share in [0.3, 0.01, 0.01, 0.01, 0.3, *[0.0] * 10, *[LITTLE] * 1000])
    assert [balance.add(0.9) for _ in range(2)] == [True, False]
    assert balance.much
    assert not any(balance.add(share) for share in [0.0, 0.0, 0.9, 0.0, 0.0, 0.9, *[LITTLE] * 1000])
    assert any(balance.add(0.0) for _ in range(100))
    assert not balance.much


def ours(**more: str) -> VideoEncoderSpec:
    how = spec(size=(192, 128))
    options = tuple(sorted({**X264_DEFAULTS, "threads": "1", **more}.items()))
    return VideoEncoderSpec("mp4", how.codec, how.pixel_format, how.width, how.height, how.frame_rate, options)


def test_only_the_services_own_settings_are_coded_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert coder_for(ours()) is not None
    assert coder_for(spec(preset="medium")) is None
    assert coder_for(ours(crf="20")) is None
    assert coder_for(spec("webm", size=(64, 48))) is None
    assert coder_for(spec("mov", transparent=True)) is None
    monkeypatch.setattr(changes, "library", None)
    assert coder_for(ours()) is None


def dot(number: int, *, large: bool = False) -> npt.NDArray[np.uint8]:
    """Return RGBA with a dot, or with stripes everywhere, at a place of its own."""
    pixels = np.zeros((128, 192, 4), np.uint8)
    pixels[..., 3] = 255
    if large:
        pixels[:, (np.arange(192) + 5 * number) % 16 < 8, :3] = (200, 100, 30)
    else:
        pixels[60:70, 2 + number % 170 : 12 + number % 170, :3] = (90, 160, 250)
    return pixels


Shown = list[tuple[npt.NDArray[np.uint8], int]]


def plans() -> Iterator[tuple[str, Shown]]:
    yield "one picture", [(dot(0), 1)]
    yield "one that lasts", [(dot(0), 200)]
    yield "two pictures", [(dot(0), 1), (dot(1), 1)]
    yield "moving", [(dot(n), 1) for n in range(40)]
    yield "moving and lasting", [(dot(n), 3) for n in range(30)]
    yield "a hold after it", [*((dot(n), 1) for n in range(20)), (dot(20), 400), *((dot(n), 1) for n in range(9))]
    yield "a hold before it", [(dot(0), 400), *((dot(n), 1) for n in range(20))]
    yield "longer than a group", [(dot(n), 1) for n in range(LONGEST_GROUP + 30)]
    yield "much after it", [*((dot(n), 1) for n in range(20)), *((dot(n, large=True), 1) for n in range(20))]
    yield "much before it", [*((dot(n, large=True), 1) for n in range(9)), *((dot(n), 1) for n in range(40))]
    yield "to and fro", [(dot(n, large=n // 25 % 2 == 1), 1 + n % 2) for n in range(120)]


@pytest.mark.parametrize("shown", [shown for _, shown in plans()], ids=[name for name, _ in plans()])
def test_segments_have_their_pictures(tmp_path: Path, shown: Shown) -> None:
    path = tmp_path / "it.mp4"
    segment = SegmentEncoder(path, ours())
    for pixels, repeat in shown:
        segment.write(pixels, repeat=repeat)
    segment.finish()
    found = decoded(path)
    assert [time for time, _ in found] == times(sum(repeat for _, repeat in shown), 30)
    wanted = itertools.chain.from_iterable([pixels] * repeat for pixels, repeat in shown)
    for (_, one), pixels in zip(found, wanted, strict=True):
        original = av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format="yuv420p").to_ndarray()
        assert np.abs(one[:128].astype(int) - original[:128]).mean() < 2
    with av.open(path) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
        extradata = bytes(container.streams.video[0].codec_context.extradata or b"")
    keys = [number for number, packet in enumerate(packets) if packet.is_keyframe]
    assert keys[0] == 0
    assert max(later - earlier for earlier, later in itertools.pairwise([*keys, len(packets)])) <= LONGEST_GROUP
    assert len({tuple(packet.pts for packet in packets[:key]) for key in keys}) == len(keys)
    assert len(planes(extradata, [bytes(packet) for packet in packets])) == len(found)


def test_the_file_depends_on_the_pictures_alone(tmp_path: Path) -> None:
    for name, with_rows in (("whole", False), ("rows", True), ("again", False)):
        segment = SegmentEncoder(tmp_path / name, ours())
        for number in range(12):
            # The first picture's rows are those that differ from what was drawn before, for another file.
            segment.write(dot(number), rows=(59, 71) if with_rows else None)
        segment.write(dot(11), rows=(0, 0))
        segment.finish()
    assert len({(tmp_path / name).read_bytes() for name in ("whole", "rows", "again")}) == 1


def test_a_stream_that_is_not_as_expected_goes_on_with_x264(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(coder: ChangeCoder, key: bytes, extradata: bytes) -> None:
        raise h264.UnsupportedStreamError("of some other kind")

    monkeypatch.setattr(ChangeCoder, "begin", refused)
    segment = SegmentEncoder(tmp_path / "it.mp4", ours())
    for number in range(12):
        segment.write(dot(number))
    segment.finish()
    assert [time for time, _ in decoded(tmp_path / "it.mp4")] == times(12, 30)
    with av.open(tmp_path / "it.mp4") as container:
        assert [packet.is_keyframe for packet in container.demux(video=0) if packet.pts is not None].count(True) == 1
