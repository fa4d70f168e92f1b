"""The packets of a segment's file, read from its tables.

A library that opens a video decodes its first picture, to learn what the tables do not say: 4 ms at 1080p, for each
play of a scene. Nothing of that is needed to count frames or to copy packets. Only files as our own segments are: MP4
or QuickTime, with one track of H.264 video. Whatever looks otherwise is left to the library.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

MAX_FILE = 64 << 20
"""Bytes; larger files are not read whole."""

_HEAD = struct.Struct(">I4s")
_SAMPLE_ENTRY = 86
"""Bytes of an ``avc1`` entry before the boxes in it."""


@dataclass(frozen=True)
class Coded:
    """A packet: its bytes, the time at which it is shown, in seconds, and whether it is a key picture."""

    data: bytes
    shown: Fraction
    is_key: bool


@dataclass(frozen=True)
class Track:
    """The packets of a video, in order of decoding, and its parameter sets as MP4 files have them."""

    extradata: bytes
    packets: list[Coded]


def read(path: Path) -> Track | None:
    """Return the video in ``path``, or None when it is not one of those that are read here."""
    try:
        if path.stat().st_size > MAX_FILE:
            return None
        content = path.read_bytes()
        return _track(content)
    except (OSError, struct.error, LookupError, ValueError):
        return None


def _track(content: bytes) -> Track:
    """Raises :class:`struct.error`, :class:`LookupError` or :class:`ValueError` for other files."""
    track = _only(_boxes(_only(_boxes(content))[b"moov"]))[b"trak"]
    parts = _only(_boxes(track))
    media = _only(_boxes(parts[b"mdia"]))
    tables = _only(_boxes(_only(_boxes(media[b"minf"]))[b"stbl"]))
    (ticks,) = struct.unpack_from(">I", media[b"mdhd"], 20 if media[b"mdhd"][0] else 12)
    if not ticks:
        raise ValueError("a clock that stands")
    sizes = _sizes(tables[b"stsz"], len(content))
    begin = _begin(_only(_boxes(parts[b"edts"]))[b"elst"]) if b"edts" in parts else 0
    decoded = itertools.accumulate(_runs(tables[b"stts"], "I", len(sizes)), initial=0)
    later = _runs(tables[b"ctts"], "i", len(sizes)) if b"ctts" in tables else [0] * len(sizes)
    keys = set(_words(tables[b"stss"], 4)) if b"stss" in tables else set(range(1, len(sizes) + 1))
    packets = []
    for number, (at, size, when, delay) in enumerate(
        zip(_places(tables, sizes), sizes, decoded, later, strict=False), 1
    ):
        if at + size > len(content):
            raise ValueError("a packet behind the end")
        packets.append(Coded(content[at : at + size], Fraction(when + delay - begin, ticks), number in keys))
    if len(packets) != len(sizes):
        raise ValueError("packets without a place")
    return Track(_parameters(tables[b"stsd"]), packets)


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of each box in ``content``."""
    at = 0
    while at < len(content):
        size, kind = _HEAD.unpack_from(content, at)
        if size < _HEAD.size or at + size > len(content):  # 0 and 1 are for boxes beyond 4 GiB
            raise ValueError("a box that is not whole")
        yield kind, content[at + _HEAD.size : at + size]
        at += size


def _only(boxes: Iterator[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return boxes by their types; none of those that are wanted here may be there twice."""
    found: dict[bytes, bytes] = {}
    for kind, content in boxes:
        if kind in found and kind not in {b"free", b"mdat"}:
            raise ValueError("a box that is there twice")
        found[kind] = content
    return found


def _words(table: bytes, at: int, kind: str = "I") -> tuple[int, ...]:
    """Return the entries of a table, whose number stands at ``at``, and before them: words of four bytes."""
    (number,) = struct.unpack_from(">I", table, at)
    if number > len(table):
        raise ValueError("a table longer than its box")
    return struct.unpack_from(f">{number}{kind}", table, at + 4)


def _runs(table: bytes, kind: str, length: int) -> list[int]:
    """Return the values of a table that has each with how often it comes; ``length`` of them."""
    (number,) = struct.unpack_from(">I", table, 4)
    if number > len(table):
        raise ValueError("a table longer than its box")
    values: list[int] = []
    for times, value in struct.iter_unpack(f">I{kind}", table[8 : 8 + 8 * number]):
        if len(values) + times > length:
            raise ValueError("more times than packets")
        values += [value] * times
    if len(values) != length:
        raise ValueError("fewer times than packets")
    return values


def _sizes(table: bytes, most: int) -> tuple[int, ...]:
    """Return the size of each packet, of files of at most so many bytes."""
    same, number = struct.unpack_from(">2I", table, 4)
    if not same:
        return _words(table, 8)
    if number * same > most:
        raise ValueError("more packets than the file has room for")
    return (int(same),) * int(number)


def _begin(table: bytes) -> int:
    """Return what the track's clock says where the video begins: decoding begins before that."""
    version, (number,) = table[0], struct.unpack_from(">I", table, 4)
    if version > 1 or number != 1:
        raise ValueError("a video in pieces")
    (begin,) = struct.unpack_from(">q" if version else ">i", table, 16 if version else 12)
    if begin < 0:
        raise ValueError("a video that begins later")
    return int(begin)


def _places(tables: dict[bytes, bytes], sizes: tuple[int, ...]) -> Iterator[int]:
    """Yield where each packet begins in the file."""
    chunks = _words(tables[b"stco"], 4)
    (number,) = struct.unpack_from(">I", tables[b"stsc"], 4)
    runs = list(struct.iter_unpack(">3I", tables[b"stsc"][8 : 8 + 12 * number]))
    ends = [first for first, _, _ in runs[1:]] + [len(chunks) + 1]
    packet = 0
    for (first, together, _), end in zip(runs, ends, strict=True):
        for chunk in chunks[first - 1 : end - 1]:
            at = chunk
            for size in sizes[packet : packet + together]:
                yield at
                at += size
            packet += together


def _parameters(table: bytes) -> bytes:
    (number,) = struct.unpack_from(">I", table, 4)
    (kind, entry), *_ = _boxes(table[8:])
    if number != 1 or kind != b"avc1":
        raise ValueError("another codec")
    found = _only(_boxes(entry[_SAMPLE_ENTRY - _HEAD.size :]))[b"avcC"]
    if not found:
        raise ValueError("no parameter sets")
    return found
