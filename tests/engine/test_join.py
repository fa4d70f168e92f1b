"""Segments joined: every frame at its time, nothing encoded again, playable from the first byte on."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from manim import __version__
from manim._config.video_encoder import VideoEncoderSpec

from manimcast.engine import h264
from manimcast.engine.join import JoinError, join
from manimcast.engine.segment import SegmentEncoder
from tests.engine.pictures import decoded, picture, spec, times

PLANS = [[(0, 1)], [(1, 1)], [(n, 1) for n in range(20)], [(3, 300)], [(0, 1), (1, 40), (2, 1)], [(5, 2)], [(6, 1)]]
FRAMES = sum(repeat for plan in PLANS for _, repeat in plan)


def segments(folder: Path, how: VideoEncoderSpec, plans: list[list[tuple[int, int]]] = PLANS) -> list[Path]:
    paths = []
    for index, plan in enumerate(plans):
        paths.append(folder / f"{index:03}.{how.container_format}")
        encoder = SegmentEncoder(paths[-1], how)
        for number, repeat in plan:
            encoder.write(picture(number, how.width, how.height), repeat=repeat)
        encoder.finish()
    return paths


def joined(folder: Path, how: VideoEncoderSpec, plans: list[list[tuple[int, int]]] = PLANS) -> tuple[Path, list[Path]]:
    parts = segments(folder, how, plans)
    target = folder / f"joined.{how.container_format}"
    join(parts, target, how)
    return target, parts


KINDS = [spec(preset=preset) for preset in ("ultrafast", "superfast", "medium")] + [
    spec(preset="superfast", rate=60),
    spec(preset="superfast", rate=Fraction(30000, 1001)),
    spec("mov", preset="superfast"),
]
NAMES = [f"{how.container_format} {dict(how.options)['preset']} {how.frame_rate}" for how in KINDS]
SMALL = [spec("mov", transparent=True), spec("webm", size=(64, 48)), spec("webm", size=(64, 48), transparent=True)]
SHORT = [[(0, 1)], [(n, 1) for n in range(4)], [(3, 20)]]


@pytest.mark.parametrize("how", KINDS, ids=NAMES)
def test_every_packet_has_its_time(tmp_path: Path, how: VideoEncoderSpec) -> None:
    target, _ = joined(tmp_path, how)
    with av.open(target) as container:
        stream = container.streams.video[0]
        assert (stream.start_time, stream.frames, stream.average_rate) == (0, FRAMES, how.frame_rate)
        assert stream.duration * stream.time_base == FRAMES / how.frame_rate
        unit = 1 / (how.frame_rate * stream.time_base)
        found = [packet for packet in container.demux(stream) if packet.pts is not None]
    assert sorted(packet.pts for packet in found) == [number * unit for number in range(FRAMES)]
    assert {later.dts - earlier.dts for earlier, later in itertools.pairwise(found)} == {unit}
    assert {packet.duration for packet in found} == {unit}
    assert all(packet.dts <= packet.pts for packet in found)


@pytest.mark.parametrize("how", KINDS, ids=NAMES)
def test_pictures_are_those_of_the_segments(tmp_path: Path, how: VideoEncoderSpec) -> None:
    target, parts = joined(tmp_path, how)
    found = decoded(target)
    assert [time for time, _ in found] == times(FRAMES, how.frame_rate)
    wanted = [plane for part in parts for _, plane in decoded(part)]
    assert all(np.array_equal(one, other) for (_, one), other in zip(found, wanted, strict=True))


@pytest.mark.parametrize("how", SMALL, ids=lambda how: f"{how.container_format} {how.pixel_format}")
def test_other_codecs_are_joined_too(tmp_path: Path, how: VideoEncoderSpec) -> None:
    target, parts = joined(tmp_path, how, SHORT)
    found = decoded(target)
    assert [round(time * 30) for time, _ in found] == list(range(25))
    assert all(abs(time - number / Fraction(30)) <= Fraction(1, 1000) for number, (time, _) in enumerate(found))
    wanted = [plane for part in parts for _, plane in decoded(part)]
    assert all(np.array_equal(one, other) for (_, one), other in zip(found, wanted, strict=True))
    with av.open(target) as container:
        assert ("alpha_mode" in {name.lower() for name in container.streams.video[0].metadata}) == (
            how.pixel_format == "yuva420p"
        )


def boxes(data: bytes) -> list[str]:
    names, at = [], 0
    while at < len(data):
        names.append(data[at + 4 : at + 8].decode())
        at += int.from_bytes(data[at : at + 4], "big")
    return names


@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_the_index_is_first(tmp_path: Path, container: str) -> None:
    target, _ = joined(tmp_path, spec(container, preset="superfast"), SHORT)
    found = boxes(target.read_bytes())
    assert found[:2] == ["ftyp", "moov"]
    assert found.count("mdat") == 1


def test_the_index_of_webm_is_first(tmp_path: Path) -> None:
    data = joined(tmp_path, spec("webm", size=(64, 48)), SHORT)[0].read_bytes()
    assert 0 < data.find(bytes.fromhex("1C53BB6B")) < data.find(bytes.fromhex("1F43B675"))


def test_key_pictures_in_a_row_have_different_identifiers(tmp_path: Path) -> None:
    target, _ = joined(tmp_path, spec(preset="superfast"), [[(n, 1)] for n in range(5)])
    with av.open(target) as container:
        parameters = h264.parameter_sets(bytes(container.streams.video[0].codec_context.extradata or b""))
        identifiers = []
        for packet in container.demux(video=0):
            if packet.pts is None:
                continue
            data, at = bytes(packet), 0
            while at < len(data):
                size = int.from_bytes(data[at : at + 4], "big")
                unit = data[at + 4 : at + 4 + size]
                at += 4 + size
                if h264.unit_type(unit) == h264.IDR_SLICE:
                    identifiers.append(h264.identifier(unit, *parameters))
    assert len(identifiers) == 5
    assert all(one != other for one, other in itertools.pairwise(identifiers))


def test_manims_note_is_kept_or_another_written(tmp_path: Path) -> None:
    target, parts = joined(tmp_path, spec(preset="superfast"), SHORT)
    with av.open(target) as container:
        assert container.metadata["comment"] == f"Rendered with Manim Community v{__version__}"
    join(parts, target, spec(preset="superfast"), metadata={"title": "It"})
    with av.open(target) as container:
        assert container.metadata["title"] == "It"
        assert "comment" not in container.metadata


def test_other_settings_are_not_joined(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    parts = segments(tmp_path / "one", spec(preset="superfast"), SHORT[:1])
    parts += segments(tmp_path / "other", spec(preset="medium"), SHORT[:1])
    with pytest.raises(JoinError, match="other settings"):
        join(parts, tmp_path / "joined.mp4", spec(preset="superfast"))
    assert not (tmp_path / "joined.mp4").exists()


def test_nothing_and_what_is_no_video_are_not_joined(tmp_path: Path) -> None:
    with pytest.raises(JoinError, match="no segments"):
        join([], tmp_path / "joined.mp4", spec())
    (tmp_path / "it.mp4").write_bytes(b"\0" * 200)
    with pytest.raises(av.FFmpegError):
        join([tmp_path / "it.mp4"], tmp_path / "joined.mp4", spec())
    assert not (tmp_path / "joined.mp4").exists()
