"""Whole videos in one file: the same pictures, each video a chapter, sound in step."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from manim._config.video_encoder import VideoEncoderSpec

from manimcast.engine.concatenate import Part, concatenate
from manimcast.engine.join import JoinError, join
from manimcast.engine.segment import SegmentEncoder
from tests.engine.pictures import decoded, picture, spec, times
from tests.engine.test_join import boxes

HOW = spec(preset="superfast")
KINDS = [
    HOW,
    spec("mov", preset="superfast"),
    spec(preset="medium", rate=Fraction(30000, 1001)),
    spec("mov", transparent=True),
    spec("webm", size=(64, 48)),
    spec("webm", size=(64, 48), transparent=True),
]
RATE = 48_000


def video(path: Path, how: VideoEncoderSpec, pictures: Sequence[int], *, hz: float = 0, layout: str = "stereo") -> Path:
    """Write a video of these pictures, with a tone if ``hz`` is not 0, as Manim would: sound beside the pictures."""
    silent = path.with_name(f"silent-{path.name}") if hz else path
    encoder = SegmentEncoder(part := path.with_name(f"part-{path.name}"), how)
    for number in pictures:
        encoder.write(picture(number, how.width, how.height))
    encoder.finish()
    join([part], silent, how)
    if not hz:
        return path
    samples = round(len(pictures) / how.frame_rate * RATE)
    with av.open(silent) as reader, av.open(path, "w") as writer:
        source = reader.streams.video[0]
        stream = writer.add_stream_from_template(source)
        sound = writer.add_stream("aac", RATE, layout=layout)
        tone = np.sin(2 * np.pi * hz * np.arange(samples) / RATE, dtype=np.float64).astype(np.float32) / 2
        channels = sound.layout.nb_channels
        for first in range(0, samples, 1024):
            some = tone[first : first + 1024]
            frame = AudioFrame.from_ndarray(np.tile(some, (channels, 1)), "fltp", layout)
            frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
            writer.mux(sound.encode(frame))
        writer.mux(sound.encode(None))
        for packet in reader.demux(source):
            if packet.dts is not None:
                packet.stream = stream
                writer.mux(packet)
    return path


def parts(*videos: tuple[Path, int]) -> list[Part]:
    return [Part(path, frames, f"Title {number}", f"video {number}") for number, (path, frames) in enumerate(videos)]


def heard(path: Path) -> np.ndarray:
    """Return the sound of a file, one channel, placed by its times."""
    with av.open(path) as container:
        pieces: list[np.ndarray] = []
        for frame in container.decode(audio=0):
            assert frame.pts == sum(len(piece) for piece in pieces), "there is a gap"
            pieces.append(frame.to_ndarray()[0])
    return np.concatenate(pieces)


def loud(sound: np.ndarray, start: float, end: float) -> float:
    return float(np.sqrt(np.mean(sound[round(start * RATE) : round(end * RATE)] ** 2)))


@pytest.mark.parametrize("how", KINDS, ids=lambda how: f"{how.container_format} {how.pixel_format} {how.frame_rate}")
def test_pictures_are_those_of_the_videos(tmp_path: Path, how: VideoEncoderSpec) -> None:
    kind = how.container_format
    paths = [
        video(tmp_path / f"{number}.{kind}", how, shown) for number, shown in enumerate([[1, 2, 3], [1], range(7)])
    ]
    target = tmp_path / f"all.{kind}"
    concatenate(parts(*zip(paths, [3, 1, 7], strict=True)), target, how)
    found = decoded(target)
    assert all(
        abs(time - wanted) <= Fraction(1, 1000)
        for (time, _), wanted in zip(found, times(11, how.frame_rate), strict=True)
    )
    wanted = [plane for path in paths for _, plane in decoded(path)]
    assert all(np.array_equal(one, other) for (_, one), other in zip(found, wanted, strict=True))
    with av.open(target) as container:
        chapters = container.chapters()
    ends = [round(1000 * frames / how.frame_rate) for frames in (0, 3, 4, 11)]
    starts = [round(1000 * chapter["start"] * (chapter["time_base"] or 0)) for chapter in chapters]
    assert [chapter["metadata"]["title"] for chapter in chapters] == ["Title 0", "Title 1", "Title 2"]
    assert starts == ends[:-1]
    if kind != "webm":
        assert boxes(target.read_bytes())[:2] == ["ftyp", "moov"]


@pytest.mark.parametrize("kind", ["mp4", "mov"])
def test_sound_is_in_step_and_where_there_is_none_is_silence(tmp_path: Path, kind: str) -> None:
    how = spec(kind, preset="superfast")
    lengths = [31, 20, 47, 30]
    paths = [
        video(tmp_path / f"{number}.{kind}", how, range(length), hz=440 if number in {1, 2} else 0)
        for number, length in enumerate(lengths)
    ]
    target = tmp_path / f"all.{kind}"
    concatenate(parts(*zip(paths, lengths, strict=True)), target, how)
    assert len(decoded(target)) == sum(lengths)
    sound = heard(target)
    begins = [sum(lengths[:number]) / 30 for number in range(5)]
    assert abs(len(sound) / RATE - begins[4]) < 2 * 1024 / RATE
    step = 2 * 1024 / RATE
    assert loud(sound, step, begins[1] - step) < 1e-3
    assert loud(sound, begins[1] + step, begins[2] - step) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    assert loud(sound, begins[2] + step, begins[3] - step) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    assert loud(sound, begins[3] + step, begins[4] - step) < 1e-3


def test_packets_of_sound_are_not_encoded_again(tmp_path: Path) -> None:
    paths = [video(tmp_path / f"{number}.mp4", HOW, range(30), hz=440) for number in range(2)]
    concatenate(parts(*((path, 30) for path in paths)), tmp_path / "all.mp4", HOW)

    def packets(path: Path) -> list[bytes]:
        with av.open(path) as container:
            return [bytes(packet) for packet in container.demux(audio=0) if packet.pts is not None]

    one, both = set(packets(paths[0])), packets(tmp_path / "all.mp4")
    assert len([data for data in both if data in one]) >= len(both) - 2


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    good = video(tmp_path / "good.mp4", HOW, range(3))
    other = video(tmp_path / "other.mp4", spec(preset="ultrafast"), range(3))
    larger = video(tmp_path / "larger.mp4", spec(preset="superfast", size=(128, 64)), range(3))
    stereo = video(tmp_path / "stereo.mp4", HOW, range(9), hz=440)
    mono = video(tmp_path / "mono.mp4", HOW, range(9), hz=440, layout="mono")
    target = tmp_path / "all.mp4"
    for second, reason in ((other, "other settings"), (larger, "not the video")):
        with pytest.raises(JoinError, match=f"video 1 .*{reason}"):
            concatenate(parts((good, 3), (second, 3)), target, HOW)
        assert not target.exists()
    with pytest.raises(JoinError, match=r"video 2 has sound with other settings"):
        concatenate(parts((good, 3), (stereo, 9), (mono, 9)), target, HOW)
    assert not target.exists()


@pytest.mark.parametrize("harm", ["empty", "noise", "half", "no index", "another format", "unknown codec", "flipped"])
def test_a_file_that_is_no_whole_video_is_refused(tmp_path: Path, harm: str) -> None:
    good = video(tmp_path / "good.mp4", HOW, range(30))
    data = good.read_bytes()
    hostile = {
        "empty": b"",
        "noise": np.random.default_rng(7).bytes(5000),
        "half": data[: len(data) // 2],
        "no index": data.replace(b"moov", b"none"),
        "another format": b"\x89PNG\r\n\x1a\n" + bytes(200),
        "unknown codec": data.replace(b"avc1", b"none"),
        "flipped": bytes(byte ^ 0xFF if 40 < at < 900 and at % 7 == 0 else byte for at, byte in enumerate(data)),
    }[harm]
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(hostile)
    target = tmp_path / "all.mp4"
    with pytest.raises(JoinError, match="video 1"):
        concatenate(parts((good, 30), (bad, 30)), target, HOW)
    assert not target.exists()


def test_sound_that_no_decoder_is_known_for_is_refused(tmp_path: Path) -> None:
    good = video(tmp_path / "good.mp4", HOW, range(9), hz=440)
    bad = tmp_path / "bad.mp4"
    data = bytearray(good.read_bytes().replace(b"mp4a", b"ac-4"))
    data[data.index(b"\x40\x15", data.index(b"esds"))] = 0  # what the sound is, said once more
    bad.write_bytes(data)
    target = tmp_path / "all.mp4"
    with pytest.raises(JoinError, match="video 1 has sound"):
        concatenate(parts((good, 9), (bad, 9)), target, HOW)
    assert not target.exists()


def test_a_picture_that_asks_for_other_parameters_is_refused(tmp_path: Path) -> None:
    good = video(tmp_path / "good.mp4", HOW, range(3))
    data = bytearray(good.read_bytes())
    head = data.index(b"\x65\x88")  # a key picture's slice; the next bit, 1, is for the only set that there is
    data[head + 2] &= 0x7F
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(data)
    target = tmp_path / "all.mp4"
    with pytest.raises(JoinError, match="another set of parameters"):
        concatenate(parts((good, 3), (bad, 3)), target, HOW)
    assert not target.exists()
