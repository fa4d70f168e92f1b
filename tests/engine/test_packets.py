"""The packets of a segment are those that a library finds in it; what is no such segment is not read."""

from __future__ import annotations

import random
from pathlib import Path

import av
import pytest
from manim._config.video_encoder import VideoEncoderSpec

from manimcast.engine import packets
from manimcast.engine.join import frames_in
from tests.engine.test_join import KINDS, NAMES, SHORT, SMALL, segments


@pytest.mark.parametrize("how", KINDS, ids=NAMES)
def test_packets_are_those_of_the_library(tmp_path: Path, how: VideoEncoderSpec) -> None:
    for path in segments(tmp_path, how):
        track = packets.read(path)
        assert track is not None
        with av.open(path) as container:
            stream = container.streams.video[0]
            assert track.extradata == stream.codec_context.extradata
            found = [packet for packet in container.demux(stream) if packet.pts is not None]
            assert [coded.data for coded in track.packets] == [bytes(packet) for packet in found]
            assert [coded.shown for coded in track.packets] == [packet.pts * packet.time_base for packet in found]
            assert [coded.is_key for coded in track.packets] == [packet.is_keyframe for packet in found]
        assert frames_in(path) == len(found)


@pytest.mark.parametrize("how", SMALL, ids=lambda how: f"{how.container_format} {how.pixel_format}")
def test_other_codecs_are_left_to_the_library(tmp_path: Path, how: VideoEncoderSpec) -> None:
    for path in segments(tmp_path, how, SHORT):
        assert packets.read(path) is None
        assert frames_in(path) is not None


def test_what_is_cut_off_is_not_read(tmp_path: Path) -> None:
    path = segments(tmp_path, KINDS[1], [[(n, 1) for n in range(5)]])[0]
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert packets.read(path) is None
    path.unlink()
    assert packets.read(path) is None


@pytest.mark.parametrize("name", ["elst", "mdhd", "stsd", "avcC", "stts", "ctts", "stss", "stsc", "stsz", "stco"])
def test_a_table_that_is_empty_is_no_segments(tmp_path: Path, name: str) -> None:
    path = segments(tmp_path, KINDS[1], [[(n, 1) for n in range(5)]])[0]
    content = bytearray(path.read_bytes())
    at = content.index(name.encode()) - 4
    size = int.from_bytes(content[at : at + 4])
    # The box as before, with nothing in it, and what it had in one that is passed over.
    content[at : at + 16] = (8).to_bytes(4) + name.encode() + (size - 8).to_bytes(4) + b"free"
    path.write_bytes(content)
    assert packets.read(path) is None


def test_whatever_the_tables_say_is_bounded_by_the_file(tmp_path: Path) -> None:
    path = segments(tmp_path, KINDS[1], [[(n, 1) for n in range(5)]])[0]
    whole = path.read_bytes()
    begin = whole.index(b"moov")
    chance = random.Random(1)
    for _ in range(3000):
        changed = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            changed[chance.randrange(begin, len(changed))] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
        path.write_bytes(changed)
        track = packets.read(path)
        if track is not None:
            assert len(track.packets) <= len(whole)
            assert all(len(coded.data) <= len(whole) for coded in track.packets)
