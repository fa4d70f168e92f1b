"""A kernel that refuses namespaces, Landlock or filters, as a program sees it: a filter of system calls says no first.

Run as ``python -m tests.sandbox.refusing WHAT,WHAT COMMAND...``.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from manimcast.sandbox.inside import kernel

_NUMBERS = {
    "x86_64": {"unshare": (272,), "landlock": (444, 445, 446), "seccomp": (317,)},
    "aarch64": {"unshare": (97,), "landlock": (444, 445, 446), "seccomp": (277,)},
}
_CLONE = {"x86_64": 56, "aarch64": 220}
_NAMESPACES = 0x7E02_0000


def command(refused: Sequence[str], inner: Sequence[str]) -> list[str]:
    """Return the command that runs ``inner`` on such a kernel."""
    # From the package's own place, so that it runs wherever the probe does.
    return [inner[0], "-c", _SOURCE, ",".join(refused), *inner]


def _instruction(code: int, true: int, false: int, constant: int) -> bytes:
    return struct.pack("HBBI", code, true, false, constant)


def program(refused: Sequence[str], machine: str) -> bytes:
    """Return a filter that refuses ``refused`` with EPERM and permits everything else."""
    no = _instruction(0x06, 0, 0, 0x0005_0000 | errno.EPERM)
    code = _instruction(0x20, 0, 0, 0)
    for name in refused:
        if name == "clone_newuser":
            code += _instruction(0x15, 0, 4, _CLONE[machine])
            code += _instruction(0x20, 0, 0, 16)  # the flags
            code += _instruction(0x45, 0, 1, _NAMESPACES) + no
            code += _instruction(0x20, 0, 0, 0)
            continue
        for number in _NUMBERS[machine][name]:
            code += _instruction(0x15, 0, 1, number) + no
    return code + _instruction(0x06, 0, 0, 0x7FFF_0000)


_SOURCE = f"""
import os, sys
sys.path.insert(0, {str(Path.cwd())!r})
from tests.sandbox import refusing
refusing.main(sys.argv[1:])
"""


def main(arguments: Sequence[str]) -> None:
    """Put the filter before everything that follows, and become the command."""
    refused, inner = arguments[0].split(","), list(arguments[1:])
    kernel.no_new_privileges()
    kernel.restrict_system_calls(program(refused, os.uname().machine))
    os.execv(inner[0], inner)


if __name__ == "__main__":
    main(sys.argv[1:])
