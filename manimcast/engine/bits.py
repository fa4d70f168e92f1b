"""Reading and writing the bits of H.264 syntax: fixed-length fields, Exp-Golomb codes, emulation prevention.

From ITU-T H.264, clauses 7.2 (functions), 7.3.1 and 7.4.1 (NAL units), 9.1 (Exp-Golomb codes).
"""

from __future__ import annotations


class BitReader:
    """Reads a raw byte sequence payload (RBSP) from its first bit on.

    Reading beyond the end raises :class:`EOFError`.
    """

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._length = len(data) * 8
        self.position = 0

    def u(self, bits: int) -> int:
        """Read ``bits`` bits as an unsigned number, most significant first."""
        if self.position + bits > self._length:
            raise EOFError("the bits end before the syntax does")
        self.position += bits
        return (self._value >> (self._length - self.position)) & ((1 << bits) - 1)

    def flag(self) -> bool:
        """Read one bit."""
        return self.u(1) == 1

    def ue(self) -> int:
        """Read an unsigned Exp-Golomb code."""
        zeros = 0
        while not self.u(1):
            zeros += 1
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """Read a signed Exp-Golomb code."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)

    def rest(self) -> tuple[int, int]:
        """Return what was not read yet: the bits as a number, and how many they are. Reads nothing."""
        left = self._length - self.position
        return self._value & ((1 << left) - 1), left


class BitWriter:
    """Collects bits from the first to the last."""

    def __init__(self) -> None:
        self._value = 0
        self._length = 0

    def u(self, value: int, bits: int) -> None:
        """Append ``value`` in ``bits`` bits. Raises :class:`ValueError` when it does not fit."""
        if not 0 <= value < 1 << bits:
            raise ValueError(f"{value} does not fit into {bits} bits")
        self._value = self._value << bits | value
        self._length += bits

    def flag(self, value: bool) -> None:
        """Append one bit."""
        self.u(int(value), 1)

    def ue(self, value: int) -> None:
        """Append an unsigned Exp-Golomb code."""
        code = value + 1
        self.u(code, 2 * code.bit_length() - 1)

    def se(self, value: int) -> None:
        """Append a signed Exp-Golomb code."""
        self.ue(2 * value - 1 if value > 0 else -2 * value)

    def align(self, bit: int) -> None:
        """Append as many bits of value ``bit`` as the next byte boundary is away."""
        while self._length % 8:
            self.u(bit, 1)

    def trailing(self) -> None:
        """Append ``rbsp_trailing_bits``: a one, then zeros up to the byte's end."""
        self.u(1, 1)
        self.align(0)

    def __bytes__(self) -> bytes:
        """Return the bytes. Raises :class:`ValueError` when the last one is incomplete."""
        if self._length % 8:
            raise ValueError("the last byte is incomplete")
        return self._value.to_bytes(self._length // 8, "big")


def escape(payload: bytes) -> bytes:
    """Insert emulation prevention bytes, so that no start code appears within a NAL unit."""
    out = bytearray()
    zeros = 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    if out and out[-1] == 0:
        out.append(3)  # cabac_zero_words at the end of a NAL unit
    return bytes(out)


def unescape(unit: bytes) -> bytes:
    """Remove the emulation prevention bytes of a NAL unit."""
    parts = []
    begin = 0
    while (found := unit.find(b"\0\0\3", begin)) >= 0:
        parts.append(unit[begin : found + 2])
        begin = found + 3
    return b"".join([*parts, unit[begin:]])
