"""The filter that decides, in the kernel, about every system call of a render.

``program`` writes it from the tables in ``syscalls`` and ``syscalls_refused``, as the instructions of classic BPF that
seccomp(2) takes. A call is found by halving the range of numbers, so that it passes about a dozen instructions; for a
call that is permitted whatever its arguments, kernels from 5.11 on do not run the program at all.

The parts of a program are lists of instructions that jump only within themselves and end by returning. Putting two
after each other therefore needs no labels.
"""

from __future__ import annotations

import platform
import struct
from collections.abc import Iterable, Sequence

from manimcast.sandbox.host.syscalls import PERMITTED, Answer, Call, OneOf, Test, Without
from manimcast.sandbox.host.syscalls_refused import REFUSED

Code = list[tuple[int, int, int, int]]
"""Instructions: operation, how many to skip if true, how many if false, constant."""

# Operations of classic BPF (linux/bpf_common.h), all on one accumulator.
_LOAD = 0x20  # the 32-bit word of struct seccomp_data at a constant offset
_AND = 0x54
_JUMP = 0x05
_JUMP_EQUAL = 0x15
_JUMP_NOT_LESS = 0x35
_JUMP_ANY_BIT = 0x45
_RETURN = 0x06

# Verdicts (linux/seccomp.h).
_KILL_PROCESS = 0x8000_0000
_ERRNO = 0x0005_0000
_ALLOW = 0x7FFF_0000

# struct seccomp_data: the number, the architecture, the instruction pointer, six arguments of 64 bits. Both machines
# are little-endian, so the low word of an argument comes first.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_MACHINES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}  # AUDIT_ARCH_* (linux/audit.h)
_X32 = 0x4000_0000
_FARTHEST = 255


class UnsupportedMachineError(Exception):
    """There is no filter for this kind of processor."""


def program(machine: str = platform.machine()) -> bytes:
    """Return the filter for ``machine`` as an array of ``struct sock_filter``, 8 bytes each.

    Raises :class:`UnsupportedMachineError` unless it is ``x86_64`` or ``aarch64``.
    """
    if machine not in _MACHINES:
        known = " and ".join(sorted(_MACHINES))
        raise UnsupportedMachineError(f"there are system call filters for {known}, not for {machine or 'this machine'}")
    code: Code = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, _MACHINES[machine]),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        code += [(_JUMP_ANY_BIT, 0, 1, _X32), (_RETURN, 0, 0, _KILL_PROCESS)]
    code += _search(_stretches(machine))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _stretches(machine: str) -> list[tuple[int, Code]]:
    """Return the numbers at which the decision changes, in order from 0, each with the code that decides from there."""
    decisions: dict[int, Code] = {}
    for call, code in _decisions():
        number = call.number(machine)
        if number is not None:
            decisions[number] = code
    unknown = _refuse(Answer.ENOSYS)
    found: list[tuple[int, Code]] = [(0, decisions.get(0, unknown))]
    for number in range(1, max(decisions) + 2):
        code = decisions.get(number, unknown)
        if code != found[-1][1]:
            found.append((number, code))
    return found


def _decisions() -> Iterable[tuple[Call, Code]]:
    for group in PERMITTED:
        for call in group.calls:
            yield call, [*_all(call.tests, call.answer), (_RETURN, 0, 0, _ALLOW)]
    for refusal in REFUSED:
        for call in refusal.calls:
            yield call, _refuse(refusal.answer)


def _search(stretches: Sequence[tuple[int, Code]]) -> Code:
    """Return code that looks up the accumulator among ``stretches`` by halving."""
    if len(stretches) == 1:
        return stretches[0][1]
    middle = len(stretches) // 2
    below, above = _search(stretches[:middle]), _search(stretches[middle:])
    number = stretches[middle][0]
    if len(below) <= _FARTHEST:
        return [(_JUMP_NOT_LESS, len(below), 0, number), *below, *above]
    return [(_JUMP_NOT_LESS, 0, 1, number), (_JUMP, 0, 0, len(below)), *below, *above]


def _all(tests: Sequence[Test], answer: Answer) -> Code:
    """Return code that goes on behind its end when all ``tests`` hold, and otherwise returns ``answer``."""
    code: Code = []
    for test in tests:
        code += _one_of(test, answer) if isinstance(test, OneOf) else _without(test, answer)
    return code


def _one_of(test: OneOf, answer: Answer) -> Code:
    count = len(test.values)
    return [
        _load_argument(test.argument),
        *([(_AND, 0, 0, 0xFFFF_FFFF & ~test.ignoring)] if test.ignoring else []),
        *((_JUMP_EQUAL, count - index, 0, value) for index, value in enumerate(test.values.values())),
        *_refuse(answer),
    ]


def _without(test: Without, answer: Answer) -> Code:
    code: Code = []
    for high in (False, True):
        mask = test.mask >> 32 if high else test.mask & 0xFFFF_FFFF
        if mask:
            code += [_load_argument(test.argument, high=high), (_JUMP_ANY_BIT, 0, 1, mask), *_refuse(answer)]
    if test.when is not None:
        argument, mask = test.when
        code = [_load_argument(argument), (_JUMP_ANY_BIT, 0, len(code), mask), *code]
    return code


def _load_argument(argument: int, *, high: bool = False) -> tuple[int, int, int, int]:
    return _LOAD, 0, 0, _ARGUMENTS + 8 * argument + 4 * high


def _refuse(answer: Answer) -> Code:
    return [(_RETURN, 0, 0, _ERRNO | answer.value)]
