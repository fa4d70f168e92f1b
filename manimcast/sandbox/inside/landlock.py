"""Landlock: which files a process may still read, write or run, decided by the kernel at every opening.

What a kernel can restrict grows with its version (its ABI). Whatever it knows is taken from the render and given back
only for the paths that it needs, so a newer kernel restricts more without a change here. Namespaces already leave
nothing else in sight; this holds if something of them should give way.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntFlag

from manimcast.sandbox.inside import kernel

# The same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

_NET_BIND_AND_CONNECT = 3
_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 3


class Right(IntFlag):
    """Rights on files, by the bits of ``struct landlock_ruleset_attr``."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


_ON_FILES = Right.EXECUTE | Right.WRITE_FILE | Right.READ_FILE | Right.TRUNCATE | Right.IOCTL_DEV
_SINCE = {1: Right((1 << 13) - 1), 2: Right.REFER, 3: Right.TRUNCATE, 5: Right.IOCTL_DEV}

READ_AND_RUN = Right.EXECUTE | Right.READ_FILE | Right.READ_DIR
READ = Right.READ_FILE | Right.READ_DIR
READ_AND_WRITE_FILE = Right.READ_FILE | Right.WRITE_FILE
WORK = (
    READ
    | Right.WRITE_FILE
    | Right.REMOVE_DIR
    | Right.REMOVE_FILE
    | Right.MAKE_DIR
    | Right.MAKE_REG
    | Right.MAKE_FIFO
    | Right.MAKE_SYM
    | Right.REFER
    | Right.TRUNCATE
)
"""Everything in a folder of one's own but running files, devices and sockets."""


@dataclass(frozen=True)
class Rule:
    """``path`` and, if it is a folder, all beneath it: what may be done there."""

    path: str
    rights: Right


def abi() -> int:
    """Return the kernel's version of Landlock, or raise :class:`OSError` when it has none."""
    return kernel.check(
        kernel.libc.syscall(ctypes.c_long(_CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION)),
        "landlock",
    )


def restrict(version: int, rules: Iterable[Rule]) -> None:
    """Allow this process and all that it starts nothing but ``rules``. Paths that are not there are passed over.

    ``version`` is what :func:`abi` returned. From version 4 on TCP is refused as well, from 6 on abstract sockets
    and signals that lead out.
    """
    handled = Right(0)
    for since, rights in _SINCE.items():
        if version >= since:
            handled |= rights
    ruleset = _create(version, handled)
    try:
        for rule in rules:
            with suppress(FileNotFoundError):
                _add(ruleset, rule, handled)
        kernel.no_new_privileges()
        kernel.check(
            kernel.libc.syscall(ctypes.c_long(_RESTRICT_SELF), ctypes.c_int(ruleset), ctypes.c_uint(0)),
            "landlock_restrict_self",
        )
    finally:
        os.close(ruleset)


def _create(version: int, handled: Right) -> int:
    attributes = struct.pack("Q", int(handled))
    if version >= 4:
        attributes += struct.pack("Q", _NET_BIND_AND_CONNECT)
    if version >= 6:
        attributes += struct.pack("Q", _SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS)
    return kernel.check(
        kernel.libc.syscall(
            ctypes.c_long(_CREATE_RULESET), attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0)
        ),
        "landlock_create_ruleset",
    )


def _add(ruleset: int, rule: Rule, handled: Right) -> None:
    parent = os.open(rule.path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = rule.rights & handled
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            rights &= _ON_FILES
        packed = struct.pack("=Qi", int(rights), parent)
        kernel.check(
            kernel.libc.syscall(
                ctypes.c_long(_ADD_RULE), ctypes.c_int(ruleset), ctypes.c_uint(_PATH_BENEATH), packed, ctypes.c_uint(0)
            ),
            f"landlock_add_rule {rule.path}",
        )
    finally:
        os.close(parent)
