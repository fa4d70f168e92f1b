"""An interpreter of classic BPF as seccomp(2) runs it, to ask a filter what it would say."""

from __future__ import annotations

import struct
from collections.abc import Sequence

ALLOW = 0x7FFF_0000
KILL = 0x8000_0000
ARCHITECTURES = {"x86_64": 0xC000_003E, "i386": 0x4000_0003, "aarch64": 0xC000_00B7, "arm": 0x4000_0028}

LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
JUMP = 0x05  # BPF_JMP | BPF_JA
JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
JUMP_NOT_LESS = 0x35  # BPF_JMP | BPF_JGE | BPF_K
JUMP_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
RETURN = 0x06  # BPF_RET | BPF_K

Instruction = tuple[int, int, int, int]


def errno(number: int) -> int:
    """Return the verdict that answers with an error number."""
    return 0x0005_0000 | number


def decode(program: bytes) -> list[Instruction]:
    """Return the instructions of an array of ``struct sock_filter``."""
    return list(struct.iter_unpack("=HBBI", program))


def evaluate(program: bytes, architecture: int, number: int, arguments: Sequence[int] = ()) -> int:
    """Return the verdict of ``program`` on a call. Arguments are taken modulo 2**64; those left out are zero."""
    values = [value % (1 << 64) for value in (*arguments, 0, 0, 0, 0, 0, 0)][:6]
    data = struct.pack("<IIQ6Q", number % (1 << 32), architecture, 0x7F00_1234_5678, *values)
    code = decode(program)
    accumulator = at = 0
    while True:
        operation, if_true, if_false, constant = code[at]
        at += 1
        if operation == LOAD:
            if constant % 4 or constant > len(data) - 4:
                raise ValueError(f"load from {constant}")
            (accumulator,) = struct.unpack_from("<I", data, constant)
        elif operation == AND:
            accumulator &= constant
        elif operation == JUMP:
            at += constant
        elif operation == JUMP_EQUAL:
            at += if_true if accumulator == constant else if_false
        elif operation == JUMP_NOT_LESS:
            at += if_true if accumulator >= constant else if_false
        elif operation == JUMP_ANY_BIT:
            at += if_true if accumulator & constant else if_false
        elif operation == RETURN:
            return constant
        else:
            raise ValueError(f"operation {operation:#x}")
