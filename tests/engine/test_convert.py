"""Conversion: the planes are PyAV's own for any size, picture and processor, and never written while they are read."""

from __future__ import annotations

import fractions
import io
import itertools
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manimcast.engine import convert
from manimcast.engine.convert import Converter, Pixels, changed_rows, native_rounding
from manimcast.engine.native import library
from manimcast.engine.yuv420 import Rounding, alpha_plane, rgba_to_yuv420p
from tests.patience import PATIENCE

needs_native = pytest.mark.skipif(library is None, reason="the extension is not compiled")
needs_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="about x86")

FORMATS = ("yuv420p", "yuva420p", "argb")
SIZES = st.tuples(st.integers(1, 120), st.integers(1, 40))
EVEN_SIZES = st.tuples(st.integers(1, 120).map(lambda n: 2 * n), st.integers(4, 30).map(lambda n: 2 * n))
CONTENTS = st.sampled_from(["noise", "extremes", "flat", "gradient", "drawing"])


def picture(width: int, height: int, content: str = "noise", seed: int = 0) -> Pixels:
    """Return pixels of one of some kinds."""
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (height, width, 4), np.uint8)
    if content == "extremes":
        pixels = (pixels >> 7) * np.uint8(255)
    elif content == "flat":
        pixels[:] = pixels[0, 0]
    elif content == "gradient":
        ramp = np.add.outer(np.arange(height) * int(pixels[0, 0, 0]), np.arange(width) * int(pixels[0, 0, 1])) // 16
        pixels[:] = (ramp[..., np.newaxis] * (1, 2, 3, 1)).astype(np.uint8)
    elif content == "drawing":
        pixels[:] = (0, 0, 0, 255)
        pixels[height // 3 : -height // 4, width // 3 :] = generator.integers(0, 256, 4)
    return pixels


def encode(
    frames: Iterable[av.VideoFrame], codec: str, pixel_format: str, size: tuple[int, int], **options: str
) -> bytes:
    """Encode as Manim does, and return the packets' bytes."""
    with av.open(io.BytesIO(), "w", format="mov" if codec == "qtrle" else "matroska") as container:
        stream = container.add_stream(codec, rate=30, options={"threads": "2"} | options)
        stream.pix_fmt, (stream.width, stream.height) = pixel_format, size
        packets: list[bytes] = []
        numbers = itertools.count()
        for frame in frames:  # enumerate() and zip() would hold a frame until they have the next one
            frame.pts, frame.time_base = next(numbers), fractions.Fraction(1, 30)
            packets += [bytes(packet) for packet in stream.encode(frame)]
            del frame
        packets += [bytes(packet) for packet in stream.encode()]
    return b"".join(packets)


def stock_planes(pixels: Pixels, pixel_format: str, threads: int = 2) -> bytes:
    """Return the planes that Manim's frame becomes on its way to an encoder: rawvideo writes them as they are."""
    height, width = pixels.shape[:2]
    frame = av.VideoFrame.from_ndarray(pixels, format="rgba")
    return encode([frame], "rawvideo", pixel_format, (width, height), threads=str(threads))


def planes(frame: av.VideoFrame) -> bytes:
    """Return the planes of a frame that is in the encoder's format already."""
    return encode([frame], "rawvideo", frame.format.name, (frame.width, frame.height))


@given(SIZES, CONTENTS, st.sampled_from([*FORMATS, "yuv444p"]), st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_any_size(size: tuple[int, int], content: str, pixel_format: str, seed: int) -> None:
    pixels = picture(*size, content, seed)
    assert planes(Converter(pixel_format, *size).convert(pixels)) == stock_planes(pixels, pixel_format)


@needs_native
@given(EVEN_SIZES, CONTENTS, st.sampled_from(FORMATS), st.integers(0, 99))
@settings(max_examples=300, deadline=None)
def test_even_sizes_are_converted_natively(size: tuple[int, int], content: str, pixel_format: str, seed: int) -> None:
    converter = Converter(pixel_format, *size)
    pixels = picture(*size, content, seed)
    assert converter.is_native
    assert planes(converter.convert(pixels)) == stock_planes(pixels, pixel_format)


@pytest.mark.parametrize("size", [(854, 480), (480, 854), (1280, 720), (1080, 1350), (1920, 1080), (3840, 2160)])
@pytest.mark.parametrize("content", ["noise", "extremes", "drawing"])
def test_sizes_of_videos(size: tuple[int, int], content: str) -> None:
    pixels = picture(*size, content)
    assert planes(Converter("yuv420p", *size).convert(pixels)) == stock_planes(pixels, "yuv420p")


@pytest.mark.parametrize("threads", [0, 1, 2, 3, 16])
def test_the_encoders_threads_make_no_difference(threads: int) -> None:
    pixels = picture(854, 482)
    assert planes(Converter("yuv420p", 854, 482).convert(pixels)) == stock_planes(pixels, "yuv420p", threads)


def test_every_alpha() -> None:
    pixels = picture(256, 16)
    pixels[..., 3] = np.arange(256)
    for pixel_format in FORMATS:
        frame = Converter(pixel_format, 256, 16).convert(pixels)
        assert planes(frame) == stock_planes(pixels, pixel_format)


@given(EVEN_SIZES, CONTENTS, st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_the_formula_is_what_swscale_computes(size: tuple[int, int], content: str, seed: int) -> None:
    rounding = native_rounding("yuv420p", *size)
    if rounding is None:
        rounding = Rounding.each if platform.machine() == "x86_64" else Rounding.once
    pixels = picture(*size, content, seed)
    expected = [*rgba_to_yuv420p(pixels, rounding), alpha_plane(pixels)]
    assert b"".join(plane.tobytes() for plane in expected) == stock_planes(pixels, "yuva420p")


@pytest.mark.parametrize("size", [(15, 16), (16, 15), (16, 6)])
def test_the_formula_says_what_it_does_not_hold_for(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="even"):
        rgba_to_yuv420p(picture(*size), Rounding.once)


@needs_native
@pytest.mark.parametrize("rounding", Rounding)
@given(size=EVEN_SIZES, content=CONTENTS, seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_native_code_computes_the_formula(rounding: Rounding, size: tuple[int, int], content: str, seed: int) -> None:
    pixels = picture(*size, content, seed)
    assert library is not None
    expected = rgba_to_yuv420p(pixels, rounding)
    assert all(map(np.array_equal, convert._natively(library, pixels, "yuv420p", rounding), expected))


# ------------------------------------------------------------------------------------------------------ parts of it


@given(
    EVEN_SIZES,
    st.sampled_from(FORMATS),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=6),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_changed_rows_alone(
    size: tuple[int, int], pixel_format: str, changes: list[tuple[int, int]], held: bool
) -> None:
    width, height = size
    converter = Converter(pixel_format, width, height)
    pixels = picture(width, height)
    frames = [converter.convert(pixels, rows=(height // 2, height // 2))]  # nothing is known yet, so this is all of it
    expected = [stock_planes(pixels, pixel_format)]
    for seed, (one, other) in enumerate(changes, 1):
        first, end = sorted((min(one, height), min(other, height)))
        pixels = pixels.copy()
        pixels[first:end] = picture(width, height, seed=seed)[first:end]
        if not held:
            frames.clear()
            expected.clear()
        frames.append(converter.convert(pixels, rows=(first, end)))
        expected.append(stock_planes(pixels, pixel_format))
        assert list(map(planes, frames)) == expected


@given(st.integers(1, 20), st.integers(1, 8), st.data())
def test_which_rows_differ(rows: int, width: int, data: st.DataObject) -> None:
    before = picture(width, rows)
    changed = data.draw(st.sets(st.integers(0, rows - 1)))
    after = before.copy()
    for row in changed:
        after[row, data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, 3))] ^= 1
    expected = (min(changed), max(changed) + 1) if changed else (0, 0)
    assert changed_rows(before, after) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convert, "library", None)
        assert changed_rows(before, after) == expected


def test_pictures_of_different_shapes_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="shapes"):
        changed_rows(picture(4, 8), picture(8, 4))


@pytest.mark.parametrize(
    ("pixels", "rows", "error"),
    [
        (picture(16, 8), None, ValueError),
        (picture(8, 16).astype(np.uint16), None, TypeError),
        (picture(16, 16)[:, ::2], None, ValueError),
        (picture(8, 16), (3, 17), ValueError),
        (picture(8, 16), (-1, 4), ValueError),
        (picture(8, 16), (5, 4), ValueError),
    ],
)
def test_what_is_no_picture_is_refused(pixels: Pixels, rows: tuple[int, int] | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        Converter("yuv420p", 8, 16).convert(pixels, rows)


# ------------------------------------------------------------------------------------------- planes that are reused


def moving(size: tuple[int, int], count: int = 40) -> Iterator[Pixels]:
    """Yield pictures of something that moves, with one that stands still for some time: what B-frames are made for."""
    width, height = size
    background = picture(width, height, "gradient", seed=3)
    for number in range(count):
        pixels = background.copy()
        left = 4 * min(number, 25)
        pixels[height // 4 : height // 2, left : left + 40] = (250, 120, number, 255)
        yield pixels


def through_manim(size: tuple[int, int]) -> Iterator[av.VideoFrame]:
    """Yield frames as Manim makes them."""
    return (av.VideoFrame.from_ndarray(pixels, format="rgba") for pixels in moving(size))


class Watched:
    """Frames of a converter, and where their planes lay."""

    def __init__(self, pixel_format: str, size: tuple[int, int]) -> None:
        self.converter = Converter(pixel_format, *size)
        self.places: set[int] = set()
        self.size = size

    def __iter__(self) -> Iterator[av.VideoFrame]:
        before: Pixels | None = None
        for pixels in moving(self.size):
            rows = None if before is None else changed_rows(before, pixels)
            before = pixels
            frame = self.converter.convert(pixels, rows)
            self.places.add(frame.planes[0].buffer_ptr)
            yield frame
            del frame


PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium")
# x264 itself does not always encode small pictures the same way when it looks ahead for its tree of macroblocks.
SAME = {"x264-params": "mbtree=0"}
X264 = [("libx264", "yuv420p", {"preset": preset, "crf": "23", **SAME}) for preset in PRESETS]
LOOKING_AHEAD = {"preset": "medium", "bf": "8", "rc-lookahead": "30", "b-pyramid": "normal", **SAME}
VP9 = {"crf": "23", "deadline": "realtime", "cpu-used": "8", "lag-in-frames": "12"}


@needs_native
@pytest.mark.parametrize(
    ("codec", "pixel_format", "options"),
    [
        *X264,
        ("libx264", "yuv420p", LOOKING_AHEAD),
        ("libx264", "yuv420p", {"preset": "fast", "threads": "1", **SAME}),
        ("libvpx-vp9", "yuv420p", VP9),
        ("libvpx-vp9", "yuva420p", VP9),
    ],
)
def test_encoders_copy_what_they_look_ahead_at(codec: str, pixel_format: str, options: dict[str, str]) -> None:
    size = (192, 96)
    frames = Watched(pixel_format, size)
    assert encode(frames, codec, pixel_format, size, **options) == encode(
        through_manim(size), codec, pixel_format, size, **options
    )
    assert len(frames.places) == 1


@needs_native
def test_planes_that_an_encoder_keeps_are_not_written() -> None:
    """QuickTime's animation codec compares with the frame before, and keeps that instead of copying it."""
    size = (192, 96)
    frames = Watched("argb", size)
    assert encode(frames, "qtrle", "argb", size) == encode(through_manim(size), "qtrle", "argb", size)
    assert len(frames.places) == 2


@needs_native
def test_planes_that_somebody_keeps_are_not_written() -> None:
    converter = Converter("yuv420p", 64, 48)
    pictures = [picture(64, 48, seed=seed) for seed in range(12)]
    frames = [converter.convert(pixels) for pixels in pictures]
    assert [planes(frame) for frame in frames] == [stock_planes(pixels, "yuv420p") for pixels in pictures]


def test_one_frame_can_be_encoded_again_and_again() -> None:
    size = (192, 96)
    pixels = picture(*size, "gradient")
    frame = Converter("yuv420p", *size).convert(pixels)
    stock = (av.VideoFrame.from_ndarray(pixels, format="rgba") for _ in range(30))
    options = {"preset": "medium", "crf": "23", **SAME}
    assert encode([frame] * 30, "libx264", "yuv420p", size, **options) == encode(
        stock, "libx264", "yuv420p", size, **options
    )


# --------------------------------------------------------------------------- processors, and where there is no way


@needs_native
@needs_x86
@pytest.mark.parametrize(
    ("flags", "rounding"),
    [(0, Rounding.once), (0x1B, Rounding.each), (0x83FB, Rounding.each)],
    ids=["C", "SSE2", "AVX2"],
)
def test_other_processors(flags: int, rounding: Rounding) -> None:
    """swscale is told that the processor knows fewer instructions; the comparison finds what it then computes."""
    libavutil = next(iter(Path(av.__file__).parent.with_name("av.libs").glob("libavutil*")), None)
    if libavutil is None:
        pytest.skip("PyAV brings no libraries of its own here")
    program = f"""
import ctypes, sys
import av
ctypes.CDLL({str(libavutil)!r}).av_force_cpu_flags({flags:#x})
from manimcast.engine.convert import native_rounding
from tests.engine.test_convert import Converter, picture, planes, stock_planes
for size in ((854, 480), (66, 34)):
    for pixel_format in ("yuv420p", "yuva420p"):
        assert native_rounding(pixel_format, *size).name == {rounding.name!r}
        pixels = picture(*size)
        assert planes(Converter(pixel_format, *size).convert(pixels)) == stock_planes(pixels, pixel_format)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr


class Wrong:
    """A native library with a fault in one pixel."""

    def __getattr__(self, name: str) -> object:
        return getattr(library, name)

    def rgba_to_yuv420(self, *arguments: object) -> None:
        assert library is not None
        library.rgba_to_yuv420(*arguments)
        luma = arguments[6]
        assert isinstance(luma, np.ndarray)
        luma[-1, int(str(arguments[1])) - 1] ^= 1


@pytest.fixture
def forgetful() -> Iterator[None]:
    """What is known of sizes is forgotten, before and afterwards."""
    native_rounding.cache_clear()
    yield
    native_rounding.cache_clear()


@needs_native
@pytest.mark.usefixtures("forgetful")
def test_native_code_that_differs_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(convert, "library", Wrong())
    pixels = picture(64, 48)
    for _ in range(2):
        converter = Converter("yuv420p", 64, 48)
        assert not converter.is_native
        assert planes(converter.convert(pixels)) == stock_planes(pixels, "yuv420p")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "64 x 48 in yuv420p are converted by PyAV" in caplog.text


@pytest.mark.usefixtures("forgetful")
def test_without_native_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "library", None)
    converter = Converter("yuv420p", 64, 48)
    one, other = picture(64, 48), picture(64, 48, seed=1)
    frames = [converter.convert(one), converter.convert(one, rows=(7, 7)), converter.convert(other, rows=(0, 48))]
    assert frames[0] is frames[1]
    assert [planes(frame) for frame in frames] == [stock_planes(pixels, "yuv420p") for pixels in (one, one, other)]


@needs_native
@pytest.mark.parametrize(
    "change",
    [
        {"width": 18},
        {"height": 14},
        {"end": 17},
        {"first": 16},
        {"first": -1},
        {"y": np.empty(16 * 15, np.uint8)},
        {"u": np.empty(8 * 7, np.uint8)},
        {"v": np.empty(8 * 7, np.uint8)},
        {"y_stride": 15},
        {"y_stride": 2**62},
        {"chroma_stride": -8},
    ],
)
def test_the_extension_stays_within_its_buffers(change: dict[str, object]) -> None:
    assert library is not None
    plane = np.empty(8 * 8, np.uint8)
    arguments: dict[str, object] = {"pixels": picture(16, 16), "width": 16, "height": 16, "first": 0, "end": 16}
    arguments |= {"once": True, "y": np.empty(16 * 16, np.uint8), "y_stride": 16, "u": plane, "v": plane.copy()}
    arguments |= {"chroma_stride": 8}
    library.rgba_to_yuv420(*arguments.values())
    with pytest.raises(ValueError, match=r"rows|planes|bytes"):
        library.rgba_to_yuv420(*(arguments | change).values())
    with pytest.raises(ValueError, match="plane is too small"):
        library.rgba_to_argb(picture(16, 16), 16, 16, 0, 16, np.empty(1000, np.uint8), 64)
    with pytest.raises(ValueError, match="one size"):
        library.changed_rows(bytes(16), bytes(20), 4)
