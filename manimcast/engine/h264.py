"""H.264 syntax that holding a picture needs: parameter sets, the head of a slice, and a slice that skips everything.

A P slice in which every macroblock is skipped is an exact copy of the first picture of its reference list, which is
the reference picture decoded last: motion is predicted as zero along the edges and therefore everywhere, there is no
residual, and no edge is filtered. Writing such slices after one encoded picture holds it for as long as wanted, for
some twenty bytes a frame and no encoding at all.

Derived from ITU-T H.264, clauses 7.3.2.1 (SPS), 7.3.2.2 (PPS), 7.3.3 (slice header), 7.3.4 (slice data), 8.2.1
(picture order count), 8.2.4 (reference lists), 8.4.1.1 (P_Skip). What is not handled is refused with
:class:`UnsupportedStreamError`: interlaced coding, slice groups, picture order count type 1, separate colour planes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from manimcast.engine.bits import BitReader, BitWriter, escape, unescape
from manimcast.engine.cabac import SKIPPED_QP, all_skipped

SLICE, IDR_SLICE, SPS, PPS = 1, 5, 7, 8
"""Types of NAL units."""

_WITH_CHROMA_FORMAT = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
_P, _I = 0, 2
_START = re.compile(b"\0\0\1")


class UnsupportedStreamError(Exception):
    """The stream uses syntax that is not handled here."""


@dataclass(frozen=True)
class Sequence:
    """What of a sequence parameter set the slices depend on."""

    frame_num_bits: int
    order_type: int
    order_bits: int
    references: int
    macroblocks: int
    chroma: bool
    usual: bool
    """Whether it is 4:2:0 with 8 bits."""


@dataclass(frozen=True)
class Picture:
    """What of a picture parameter set the slices depend on."""

    identifier: int
    arithmetic: bool
    bottom_order: bool
    weighted: bool
    initial_qp: int
    filter_control: bool
    redundant: bool
    transform8: bool
    scaled: bool
    chroma_offsets: tuple[int, int]


@dataclass(frozen=True)
class Head:
    """The head of a slice. ``order`` is ``pic_order_cnt_lsb``, 0 where the stream has none."""

    reference: int
    idr: bool
    kind: int
    frame_num: int
    order: int

    @property
    def predicts_backwards(self) -> bool:
        """Whether it is neither an I nor a P slice."""
        return self.kind not in {_P, _I}


def units(stream: bytes) -> Iterator[bytes]:
    """Yield the NAL units of a byte stream with start codes (Annex B)."""
    starts = [match.start() for match in _START.finditer(stream)]
    for start, end in zip(starts, [*starts[1:], len(stream)], strict=True):
        yield stream[start + 3 : end].rstrip(b"\0")


def unit_type(unit: bytes) -> int:
    """Return the type of a NAL unit."""
    return unit[0] & 31


def parse_sequence(unit: bytes) -> Sequence:
    """Read a sequence parameter set.

    Raises :class:`UnsupportedStreamError` for what is not handled and :class:`EOFError` when it is cut short.
    """
    reader = BitReader(unescape(unit[1:]))
    profile = reader.u(8)
    reader.u(16)  # constraints, level
    reader.ue()  # identifier
    chroma_format, depths = 1, 0
    if profile in _WITH_CHROMA_FORMAT:
        chroma_format = reader.ue()
        if chroma_format == 3 and reader.flag():
            raise UnsupportedStreamError("separate colour planes")
        depths = reader.ue() + reader.ue()
        reader.u(1)
        if reader.flag():
            raise UnsupportedStreamError("scaling matrices")
    frame_num_bits = reader.ue() + 4
    order_type = reader.ue()
    if order_type == 1:
        raise UnsupportedStreamError("picture order count type 1")
    order_bits = reader.ue() + 4 if order_type == 0 else 0
    references = reader.ue()
    reader.u(1)
    width, height = reader.ue() + 1, reader.ue() + 1
    if not reader.flag():
        raise UnsupportedStreamError("interlaced coding")
    usual = chroma_format == 1 and depths == 0
    return Sequence(frame_num_bits, order_type, order_bits, references, width * height, chroma_format != 0, usual)


def parse_picture(unit: bytes) -> Picture:
    """Read a picture parameter set. Raises as :func:`parse_sequence` does."""
    reader = BitReader(unescape(unit[1:]))
    identifier = reader.ue()
    reader.ue()
    arithmetic, bottom_order = reader.flag(), reader.flag()
    if reader.ue():
        raise UnsupportedStreamError("slice groups")
    reader.ue()  # reference indices
    reader.ue()
    weighted = reader.flag()
    reader.u(2)
    initial_qp = reader.se() + 26
    reader.se()
    offset = second_offset = reader.se()
    filter_control = reader.flag()
    reader.u(1)
    redundant = reader.flag()
    transform8 = scaled = False
    bits, length = reader.rest()
    if bits != 1 << (length - 1):
        transform8, scaled = reader.flag(), reader.flag()
        second_offset = offset if scaled else reader.se()
    return Picture(
        identifier,
        arithmetic,
        bottom_order,
        weighted,
        initial_qp,
        filter_control,
        redundant,
        transform8,
        scaled,
        (offset, second_offset),
    )


def parameter_sets(extradata: bytes) -> tuple[Sequence, Picture]:
    """Read the parameter sets that an encoder or a file hands out, with start codes or as ``avcC`` (ISO 14496-15).

    Raises :class:`UnsupportedStreamError` when there is not exactly one of each, or when one is not handled.
    """
    found = list(units(extradata)) if extradata[:1] != b"\1" else list(_configured(extradata))
    sequences = [unit for unit in found if unit_type(unit) == SPS]
    pictures = [unit for unit in found if unit_type(unit) == PPS]
    if len(sequences) != 1 or len(pictures) != 1:
        raise UnsupportedStreamError("more or fewer than one set of parameters")
    return parse_sequence(sequences[0]), parse_picture(pictures[0])


def _configured(record: bytes) -> Iterator[bytes]:
    at = 5
    for mask in (31, 255):
        count = record[at] & mask
        at += 1
        for _ in range(count):
            end = at + 2 + int.from_bytes(record[at : at + 2], "big")
            yield record[at + 2 : end]
            at = end


def parse_head(unit: bytes, sequence: Sequence, picture: Picture) -> Head:
    """Read the head of a slice as far as its picture order count."""
    return _read_head(unit, sequence, picture)[0]


def identifier(unit: bytes, sequence: Sequence, picture: Picture) -> int:
    """Return the ``idr_pic_id`` of an IDR slice."""
    return _read_head(unit, sequence, picture)[1]


def _read_head(unit: bytes, sequence: Sequence, picture: Picture) -> tuple[Head, int]:
    reader = BitReader(unescape(unit[:64]))  # it is far shorter
    reader.u(1)
    reference, kind = reader.u(2), reader.u(5)
    reader.ue()  # first macroblock
    slice_kind = reader.ue() % 5
    if reader.ue() != picture.identifier:
        raise UnsupportedStreamError("another set of parameters")
    frame_num = reader.u(sequence.frame_num_bits)
    idr_identifier = reader.ue() if kind == IDR_SLICE else 0
    order = reader.u(sequence.order_bits)
    if sequence.order_type == 0 and picture.bottom_order:
        reader.se()
    return Head(reference, kind == IDR_SLICE, slice_kind, frame_num, order), idr_identifier


def hold(after: Head, frames: int, sequence: Sequence, picture: Picture) -> Iterator[bytes]:
    """Yield ``frames`` NAL units, each of them a picture equal to the one that ``after`` is the head of.

    ``after`` must be the picture decoded last, shown last, and one that others may refer to; else
    :class:`UnsupportedStreamError` is raised. What follows the last of them must be an IDR picture.
    """
    if not after.reference or after.predicts_backwards:
        raise UnsupportedStreamError("a picture that nothing may refer to")
    for _ in range(frames):
        after = following(after, sequence)
        yield skipped(sequence, picture, after)


def following(head: Head, sequence: Sequence) -> Head:
    """Return the head of the P picture that is decoded and shown after the one with ``head``; both are referred to."""
    frame_num = (head.frame_num + 1) % (1 << sequence.frame_num_bits)
    order = (head.order + 2) % (1 << sequence.order_bits)
    return Head(head.reference, False, _P, frame_num, order)


@lru_cache(maxsize=1024)
def skipped(sequence: Sequence, picture: Picture, head: Head) -> bytes:
    """Return the NAL unit of a P picture with ``head`` that is equal to the reference picture decoded last."""
    writer = predicted_head(sequence, picture, head, SKIPPED_QP)
    if picture.arithmetic:
        writer.align(1)
        return escape(bytes(writer) + all_skipped(sequence.macroblocks))
    writer.ue(sequence.macroblocks)
    writer.trailing()
    return escape(bytes(writer))


def predicted_head(sequence: Sequence, picture: Picture, head: Head, qp: int, references: int = 1) -> BitWriter:
    """Return the NAL unit's first byte and the head of a P slice without deblocking.

    It may refer to so many pictures before it.

    With CABAC ones follow up to the byte's end, then the data of the slice. The whole is to be escaped.
    """
    writer = BitWriter()
    writer.u(head.reference << 5 | SLICE, 8)
    writer.ue(0)  # first macroblock
    writer.ue(_P + 5)  # every slice of the picture is of this type
    writer.ue(picture.identifier)
    writer.u(head.frame_num, sequence.frame_num_bits)
    if sequence.order_type == 0:
        writer.u(head.order, sequence.order_bits)
        if picture.bottom_order:
            writer.se(0)
    if picture.redundant:
        writer.ue(0)
    writer.flag(True)  # so many reference pictures, whatever the parameter set says
    writer.ue(references - 1)
    writer.flag(False)  # in its own order
    if picture.weighted:
        writer.ue(0)
        if sequence.chroma:
            writer.ue(0)
        for _ in range(references):
            writer.flag(False)  # no weight
            if sequence.chroma:
                writer.flag(False)
    writer.flag(False)  # the oldest reference picture makes room
    if picture.arithmetic:
        writer.ue(0)
    writer.se(qp - picture.initial_qp)
    if picture.filter_control:
        writer.ue(1)  # no deblocking
    return writer


def with_identifier(unit: bytes, identifier: int, sequence: Sequence, picture: Picture) -> bytes:
    """Return an IDR slice with another ``idr_pic_id``: two IDR pictures in a row must differ in it (7.4.3)."""
    payload = unescape(unit)
    reader, writer = BitReader(payload), BitWriter()
    writer.u(reader.u(8), 8)
    for _ in range(3):
        writer.ue(reader.ue())
    writer.u(reader.u(sequence.frame_num_bits), sequence.frame_num_bits)
    reader.ue()
    writer.ue(identifier)
    if not picture.arithmetic:
        bits, length = reader.rest()
        padding = (bits & -bits).bit_length() - 1
        writer.u(bits >> padding, length - padding)
        writer.align(0)
        return escape(bytes(writer))
    writer.u(reader.u(sequence.order_bits), sequence.order_bits)
    if sequence.order_type == 0 and picture.bottom_order:
        writer.se(reader.se())
    if picture.redundant:
        writer.ue(reader.ue())
    writer.u(reader.u(2), 2)
    writer.se(reader.se())
    if picture.filter_control:
        disabled = reader.ue()
        writer.ue(disabled)
        if disabled != 1:
            writer.se(reader.se())
            writer.se(reader.se())
    while reader.position % 8:
        reader.u(1)
    writer.align(1)
    return escape(bytes(writer) + payload[reader.position // 8 :])
