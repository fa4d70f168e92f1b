"""The arithmetic coder of H.264, as far as a slice of skipped macroblocks needs it.

From ITU-T H.264, clauses 7.3.4 (slice data), 9.3.1.1 (context variables) and 9.3.4.2 (encoding, for information).
"""

from __future__ import annotations

from functools import lru_cache

from manimcast.engine.bits import BitWriter

SKIPPED_QP = 51
"""The quantiser that the slice must have: with it the context begins in a state that is almost certain of skipping."""

_FIRST_STATE = ((23 * SKIPPED_QP) >> 4) + 33 - 64
"""From Table 9-13: the first context of ``mb_skip_flag`` in P slices with ``cabac_init_idc`` 0 begins in state 42."""

_LAST_STATE = 62
_LEAST_PROBABLE = (
    # Table 9-44 from state 42 on: the range of the less probable symbol, by quarter of the range.
    (16, 20, 23, 27),
    (15, 19, 22, 25),
    (14, 18, 21, 24),
    (14, 17, 20, 23),
    (13, 16, 19, 22),
    (12, 15, 18, 21),
    (12, 14, 17, 20),
    (11, 14, 16, 19),
    (11, 13, 15, 18),
    (10, 12, 15, 17),
    (10, 12, 14, 16),
    (9, 11, 13, 15),
    (9, 11, 12, 14),
    (8, 10, 12, 14),
    (8, 9, 11, 13),
    (7, 9, 11, 12),
    (7, 9, 10, 12),
    (7, 8, 10, 11),
    (6, 8, 9, 11),
    (6, 7, 9, 10),
    (6, 7, 8, 9),
)


class _Encoder:
    """Low end and range of the interval, and the bits that a carry may still change."""

    def __init__(self) -> None:
        self.low, self.range = 0, 510
        self.outstanding, self.first = 0, True
        self.writer = BitWriter()

    def renormalize(self) -> None:
        while self.range < 256:
            if self.low < 256:
                self.put(0)
            elif self.low >= 512:
                self.low -= 512
                self.put(1)
            else:
                self.low -= 256
                self.outstanding += 1
            self.range <<= 1
            self.low <<= 1

    def put(self, bit: int) -> None:
        if self.first:
            self.first = False
        else:
            self.writer.u(bit, 1)
        for _ in range(self.outstanding):
            self.writer.u(1 - bit, 1)
        self.outstanding = 0

    def finish(self) -> bytes:
        """Encode the end of the slice; the last bit written is the RBSP's stop bit."""
        self.low += self.range
        self.range = 2
        self.renormalize()
        self.put((self.low >> 9) & 1)
        self.writer.u((self.low >> 7) & 3 | 1, 2)
        self.writer.align(0)
        return bytes(self.writer)


@lru_cache(maxsize=8)
def all_skipped(macroblocks: int) -> bytes:
    """Return the data of a P slice, byte-aligned, in which ``macroblocks`` macroblocks are skipped.

    The head of the slice must give it the quantiser :data:`SKIPPED_QP` and ``cabac_init_idc`` 0.
    """
    state = _FIRST_STATE
    encoder = _Encoder()
    for left in range(macroblocks - 1, -1, -1):
        # Neighbours that are skipped, or not there, leave the first context: one state for the whole slice.
        encoder.range -= _LEAST_PROBABLE[state - _FIRST_STATE][encoder.range >> 6 & 3]
        state = min(state + 1, _LAST_STATE)
        encoder.renormalize()
        encoder.range -= 2
        if left:
            encoder.renormalize()
    return encoder.finish()
