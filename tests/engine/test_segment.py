"""Segments: the frames and times of Manim's own encoder, and stills that cost next to nothing."""

from __future__ import annotations

import gc
import itertools
import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from manim._config.video_encoder import VideoEncoderSpec
from manim.scene.video_segment_encoder import VideoSegmentEncoder

from manimcast.engine import h264, segment_file
from manimcast.engine.configure import X264_DEFAULTS
from manimcast.engine.segment import SegmentEncoder
from manimcast.engine.segment_file import LONGEST_GROUP, SHORTEST_HOLD, settling
from tests.engine.in_child import in_child
from tests.engine.pictures import decoded, picture, spec, times

Plan = list[tuple[int, int]]
"""Which picture, and for how many frames."""


def write(target: Path, how: VideoEncoderSpec, plan: Plan) -> None:
    encoder = SegmentEncoder(target, how)
    for number, repeat in plan:
        encoder.write(picture(number, how.width, how.height), repeat=repeat)
    encoder.finish()


def write_as_manim(target: Path, how: VideoEncoderSpec, plan: Plan) -> None:
    one_thread = () if how.codec == "qtrle" else (("threads", "1"),)
    encoder = VideoSegmentEncoder(
        target=target,
        spec=VideoEncoderSpec(
            how.container_format,
            how.codec,
            how.pixel_format,
            how.width,
            how.height,
            how.frame_rate,
            how.options + one_thread,
        ),
    )
    for number, repeat in plan:
        encoder.write_frame(picture(number, how.width, how.height), repeat=repeat)
    encoder.finish()


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def packets(path: Path) -> list[av.Packet]:
    with av.open(path) as container:
        return [packet for packet in container.demux(video=0) if packet.pts is not None]


# x264 itself does not encode pictures as small as these the same way each time when it looks ahead for its tree of
# macroblocks, so it does without.
SAME = {"x264_params": "mbtree=0"}
KINDS = [
    spec(preset="ultrafast"),
    spec(preset="superfast"),
    spec(preset="medium", rate=15, **SAME),
    spec("mov", preset="veryfast", **SAME),
    spec("mov", transparent=True),
    spec("webm", size=(64, 48)),
    spec("webm", size=(64, 48), transparent=True),
]


@pytest.mark.parametrize("how", KINDS, ids=lambda how: f"{how.container_format} {how.pixel_format} {how.options}")
def test_moving_pictures_are_those_of_manim(tmp_path: Path, how: VideoEncoderSpec) -> None:
    ours, theirs = tmp_path / f"ours.{how.container_format}", tmp_path / f"theirs.{how.container_format}"
    plan = [(0, 1), (1, 3), (2, 1), (3, 2), (4, 1)]
    write(ours, how, plan)
    write_as_manim(theirs, how, plan)
    found, wanted = decoded(ours), decoded(theirs)
    assert [time for time, _ in found] == [time for time, _ in wanted]
    assert len(found) == 8
    assert all(np.array_equal(one, other) for (_, one), (_, other) in zip(found, wanted, strict=True))


@pytest.mark.parametrize("rate", [15, 30, 60, Fraction(30000, 1001), Fraction(73, 10)])
@pytest.mark.parametrize("preset", ["ultrafast", "superfast", "medium"])
def test_every_packet_has_its_time(tmp_path: Path, rate: Fraction | int, preset: str) -> None:
    path = tmp_path / "it.mp4"
    write(path, spec(preset=preset, rate=rate), [(0, 1), (1, 1), (2, 1), (3, 300), (4, 1), (5, 1)])
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert stream.start_time == 0
        assert stream.frames == 305
        assert stream.average_rate == Fraction(rate)
        assert stream.duration * stream.time_base == 305 / Fraction(rate)
        unit = 1 / (Fraction(rate) * stream.time_base)
    assert unit.denominator == 1
    found = packets(path)
    assert sorted(packet.pts for packet in found) == [number * unit for number in range(305)]
    steps = {later.dts - earlier.dts for earlier, later in itertools.pairwise(found)}
    assert steps == {unit}
    assert {packet.duration for packet in found} == {unit}
    assert all(packet.dts <= packet.pts for packet in found)


@pytest.mark.parametrize(
    "how",
    [*(spec(preset=preset) for preset in ("ultrafast", "superfast", "veryfast", "medium")), spec(**X264_DEFAULTS)],
)
@pytest.mark.parametrize(
    "plan",
    [
        [(0, 200)],
        [(0, 200), (1, 1), (2, 1)],
        [(1, 1), (0, 200)],
        [(1, 1), (2, 1), (3, 1), (4, 1), (0, 200), (5, 1), (6, 1), (7, 1)],
        [(0, 700), (1, 600)],
    ],
    ids=["alone", "at the start", "at the end", "in the middle", "twice"],
)
def test_a_still_is_one_picture_for_all_its_frames(tmp_path: Path, how: VideoEncoderSpec, plan: Plan) -> None:
    path = tmp_path / "it.mp4"
    write(path, how, plan)
    found = decoded(path)
    assert [time for time, _ in found] == times(sum(repeat for _, repeat in plan), 30)
    begin = 0
    for number, repeat in plan:
        frames = [plane for _, plane in found[begin : begin + repeat]]
        begin += repeat
        original = av.VideoFrame.from_ndarray(picture(number), format="rgba").reformat(format="yuv420p").to_ndarray()
        assert all(np.abs(frame.astype(int) - original).mean() < 3 for frame in frames)
        if repeat > 100:
            held = frames[settling(how) :]
            lengths = [length for _, length in runs_of_equal(held)]
            assert max(lengths) >= min(repeat, LONGEST_GROUP) // 2 - settling(how)


def runs_of_equal(frames: list[np.ndarray]) -> list[tuple[np.ndarray, int]]:
    runs: list[tuple[np.ndarray, int]] = []
    for frame in frames:
        if runs and np.array_equal(runs[-1][0], frame):
            runs[-1] = frame, runs[-1][1] + 1
        else:
            runs.append((frame, 1))
    return runs


def test_a_long_still_has_key_pictures_that_one_can_seek_to(tmp_path: Path) -> None:
    path = tmp_path / "it.mp4"
    write(path, spec(preset="superfast"), [(0, 3000)])
    keys = [number for number, packet in enumerate(packets(path)) if packet.is_keyframe]
    assert keys[0] == 0
    assert max(later - earlier for earlier, later in itertools.pairwise([*keys, 3000])) <= LONGEST_GROUP
    with av.open(path) as container:
        stream = container.streams.video[0]
        container.seek(round(95 / stream.time_base), stream=stream)
        first = next(container.decode(stream))
    assert 95 - LONGEST_GROUP / 30 < first.time <= 95


def test_a_still_is_encoded_a_few_times_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = []
    original = segment_file.SegmentFile._encode

    def counted(self: segment_file.SegmentFile, *arguments: object) -> list[av.Packet]:
        encoded.append(1)
        return original(self, *arguments)

    monkeypatch.setattr(segment_file.SegmentFile, "_encode", counted)
    how = spec(preset="superfast")
    write(tmp_path / "it.mp4", how, [(0, 5000)])
    assert len(encoded) == settling(how)
    assert (tmp_path / "it.mp4").stat().st_size < 5000 * 60
    encoded.clear()
    write(tmp_path / "it.mp4", how, [(0, settling(how) + SHORTEST_HOLD - 1)])
    assert len(encoded) == settling(how) + SHORTEST_HOLD - 1


def test_an_encoder_of_several_threads_leaves_none_of_them_and_holds_stills(tmp_path: Path) -> None:
    """A forked process would wait for them for ever: they must be gone when the file is, whatever collects garbage."""
    how = spec(preset="veryfast", size=(1280, 720))
    before = threads()
    gc.disable()
    try:
        encoder = SegmentEncoder(tmp_path / "it.mp4", how)
        for number in range(4):
            encoder.write(picture(number, how.width, how.height))
        meanwhile = threads()
        encoder.write(picture(0, how.width, how.height), repeat=200)
        encoder.finish()
        del encoder
        assert meanwhile > before
        assert threads() == before
    finally:
        gc.enable()
    assert len(decoded(tmp_path / "it.mp4")) == 204
    sizes = [packet.size for packet in packets(tmp_path / "it.mp4")]
    assert sum(size < 100 for size in sizes) > 200 - settling(how) - 5


@pytest.mark.parametrize("options", [{"x264_params": "slices=2"}, {"flags": "+ildct+ilme"}, {"g": "2"}])
def test_a_stream_that_is_not_as_expected_is_encoded_as_ever(tmp_path: Path, options: dict[str, str]) -> None:
    how = spec(preset="superfast", **options)
    how = VideoEncoderSpec(
        **{name: getattr(how, name) for name in how.__slots__ if name != "options"},
        options=tuple((name.replace("x264-params", "x264-params"), value) for name, value in how.options),
    )
    plan = [(1, 1), (0, 100), (2, 1)]
    write(tmp_path / "ours.mp4", how, plan)
    found = decoded(tmp_path / "ours.mp4")
    assert [time for time, _ in found] == times(102, 30)
    original = av.VideoFrame.from_ndarray(picture(0), format="rgba").reformat(format="yuv420p").to_ndarray()
    assert all(np.abs(frame.astype(int) - original).mean() < 3 for _, frame in found[1:101])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 9), st.one_of(st.integers(1, 4), st.integers(1, 600))), min_size=1, max_size=5),
    st.sampled_from(["ultrafast", "superfast", "medium"]),
)
def test_any_plan_has_its_frames(tmp_path: Path, plan: Plan, preset: str) -> None:
    path = tmp_path / "it.mp4"
    how = spec(preset=preset, size=(32, 32))
    write(path, how, plan)
    found = decoded(path)
    assert [time for time, _ in found] == times(sum(repeat for _, repeat in plan), 30)
    shown = itertools.chain.from_iterable([number] * repeat for number, repeat in plan)
    for number, (_, frame) in zip(shown, found, strict=True):
        original = av.VideoFrame.from_ndarray(picture(number, 32, 32), format="rgba").reformat(format="yuv420p")
        assert np.abs(frame.astype(int) - original.to_ndarray()).mean() < 6


def test_the_same_picture_again_lasts_longer(tmp_path: Path) -> None:
    """Frames without changed rows join the picture before, and are held like one that lasts."""
    for name, singly in (("singly", True), ("at once", False)):
        encoder = SegmentEncoder(tmp_path / f"{name}.mp4", spec(preset="superfast"))
        encoder.write(picture(0))
        for _ in range(99 if singly else 0):
            encoder.write(picture(0), rows=(0, 0))
        encoder.write(picture(1), rows=(0, 64)) if singly else None
        if not singly:
            encoder.abort()
            encoder = SegmentEncoder(tmp_path / f"{name}.mp4", spec(preset="superfast"))
            encoder.write(picture(0), repeat=100)
            encoder.write(picture(1))
        encoder.finish()
    assert (tmp_path / "singly.mp4").read_bytes() == (tmp_path / "at once.mp4").read_bytes()


def test_pixels_may_be_drawn_over_after_writing(tmp_path: Path) -> None:
    pixels = picture(0)
    encoder = SegmentEncoder(tmp_path / "ours.mp4", spec(preset="superfast"))
    for number in range(6):
        pixels[:] = picture(number)
        encoder.write(pixels)
    pixels[:] = 0
    encoder.finish()
    write(tmp_path / "theirs.mp4", spec(preset="superfast"), [(number, 1) for number in range(6)])
    assert (tmp_path / "ours.mp4").read_bytes() == (tmp_path / "theirs.mp4").read_bytes()


@pytest.mark.parametrize("preset", ["ultrafast", "superfast", "veryfast", "medium", "slow"])
def test_all_segments_of_a_spec_have_the_same_parameters(tmp_path: Path, preset: str) -> None:
    found = set()
    plans: list[Plan] = [[(0, 1)], [(0, 2)], [(n, 1) for n in range(40)], [(0, 400)], [(1, 1), (0, 90), (2, 1)]]
    for plan in plans:
        path = tmp_path / "it.mp4"
        write(path, spec(preset=preset), plan)
        with av.open(path) as container:
            found.add(bytes(container.streams.video[0].codec_context.extradata or b""))
        assert packets(path)[0].is_keyframe
    (extradata,) = found
    assert h264.parameter_sets(extradata)


@pytest.mark.parametrize(
    ("pixels", "repeat"),
    [
        (picture(0)[:, :, :3], 1),
        (picture(0)[:-1], 1),
        (picture(0).astype(np.uint16), 1),
        (np.asfortranarray(picture(0)), 1),
        (picture(0).tolist(), 1),
        (picture(0), 0),
        (picture(0), True),
        (picture(0), 1.0),
    ],
)
def test_what_cannot_be_encoded_is_refused_in_manims_words(tmp_path: Path, pixels: np.ndarray, repeat: int) -> None:
    theirs = VideoSegmentEncoder(target=tmp_path / "theirs.mp4", spec=spec())
    ours = SegmentEncoder(tmp_path / "ours.mp4", spec())
    with pytest.raises((TypeError, ValueError)) as wanted:
        theirs.write_frame(pixels, repeat=repeat)
    with pytest.raises(wanted.type, match=re.escape(str(wanted.value))):
        ours.write(pixels, repeat=repeat)
    theirs.abort()
    ours.abort()
    assert not list(tmp_path.iterdir())


def test_a_closed_encoder_takes_nothing(tmp_path: Path) -> None:
    encoder = SegmentEncoder(tmp_path / "it.mp4", spec())
    encoder.write(picture(0))
    encoder.finish()
    encoder.finish()
    with pytest.raises(RuntimeError, match=re.escape(f"Video segment encoder for {tmp_path / 'it.mp4'} is closed.")):
        encoder.write(picture(0))
    encoder.abort()
    assert not (tmp_path / "it.mp4").exists()


def test_settings_that_do_not_open_are_told_with_the_file(tmp_path: Path) -> None:
    how = spec(preset="superfast")
    how = VideoEncoderSpec("mp4", "no such encoder", how.pixel_format, 96, 64, how.frame_rate, ())
    path = tmp_path / "it.mp4"
    wanted = f"Failed to open video segment {path} (mp4/no such encoder/yuv420p, 96x64 at 30 fps): "
    with pytest.raises(RuntimeError, match=re.escape(wanted)):
        SegmentEncoder(path, how)
    assert not path.exists()


def test_an_encoder_that_refuses_is_told_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "it.mp4"
    encoder = SegmentEncoder(path, spec(preset="no such preset"))
    encoder.write(picture(0))
    with pytest.raises(RuntimeError, match=re.escape(f"Failed to finish video segment {path} (mp4/libx264/yuv420p,")):
        encoder.finish()
    encoder.abort()
    assert not path.exists()


def test_an_encoder_that_is_refused_memory_says_so(tmp_path: Path) -> None:
    code, message = in_child(
        tmp_path,
        """
import resource
from pathlib import Path
import numpy as np
from manimcast.engine.diagnose import diagnose
from manimcast.engine.segment import SegmentEncoder
from tests.engine.pictures import spec

encoder = SegmentEncoder(Path("it.mp4"), spec(preset="medium", size=(1920, 1080)))
pixels = np.zeros((1080, 1920, 4), np.uint8)
encoder.write(pixels)
mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (mapped + (160 << 20), resource.RLIM_INFINITY))
try:
    for number in range(200):
        pixels[:] = number
        encoder.write(pixels)
except RuntimeError as error:
    found = diagnose(error, animation_index=0)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
answer([found.code.value, found.message])
""",
    )
    assert code == "out_of_memory"
    assert "more memory than a render may have" in message
    assert "Cannot allocate memory" in message
