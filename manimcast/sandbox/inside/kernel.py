"""The few system calls that Python has no words for."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from enum import IntFlag

_libc = ctypes.CDLL(None, use_errno=True)
# A second handle that keeps the interpreter's lock: nothing may run between a clone and what follows it.
_libc_locked = ctypes.PyDLL(None, use_errno=True)

_SYS_CLONE = {"x86_64": 56, "aarch64": 220}
_SIGCHLD = 17
_CLONE_CHILD_CLEARTID = 0x00200000
_CLONE_CHILD_SETTID = 0x01000000
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_GET_TID_ADDRESS = 40
_CAPABILITY_VERSION_3 = 0x20080522
_MS_NOSUID_NODEV_NOEXEC = 2 | 4 | 8
_MS_REC_PRIVATE = 16384 | (1 << 18)


class Namespace(IntFlag):
    """Kinds of namespaces, by the flags of clone(2)."""

    MOUNT = 0x00020000
    UTS = 0x04000000
    IPC = 0x08000000
    USER = 0x10000000
    PID = 0x20000000
    NET = 0x40000000


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def prctl(option: int, argument: int = 0) -> None:
    """Call prctl(2), or raise :class:`OSError`."""
    zero = ctypes.c_ulong(0)
    _check(_libc.prctl(option, ctypes.c_ulong(argument), zero, zero, zero), f"prctl {option}")


def die_with_parent(signal: int) -> None:
    """Have the kernel send ``signal`` to this process when its parent is gone."""
    prctl(_PR_SET_PDEATHSIG, signal)


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own."""
    prctl(_PR_SET_CHILD_SUBREAPER, 1)


def no_new_privileges() -> None:
    """Give up, for good, what setuid files and file capabilities could grant."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> None:
    """Give up every capability of this process."""
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, b"\0" * 24), "capset")


def clone(namespaces: Namespace) -> int:
    """Fork into fresh ``namespaces``; return the child's process id, and 0 in the child.

    Only for a process with one thread. The thread's own id, which the C library keeps, is set by the kernel as in
    a fork: otherwise locks would take the child for its parent.
    """
    number = _SYS_CLONE.get(platform.machine())
    if number is None:
        raise OSError(f"clone is not known for {platform.machine()}")
    address = ctypes.c_void_p()
    zero = ctypes.c_ulong(0)
    _check(
        _libc.prctl(_PR_GET_TID_ADDRESS, ctypes.byref(address), zero, zero, zero),
        "prctl PR_GET_TID_ADDRESS",
    )
    flags = ctypes.c_ulong(int(namespaces) | _SIGCHLD | _CLONE_CHILD_SETTID | _CLONE_CHILD_CLEARTID)
    # The order of the last two arguments differs between machines; both get the address, of which only the
    # child's thread id is used.
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = _libc_locked.syscall(ctypes.c_long(number), flags, zero, zero, address, address)
    error = ctypes.get_errno()
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(error, f"clone: {os.strerror(error)}")
    return int(pid)


def map_identity(uid: int, gid: int) -> None:
    """Make ``uid`` and ``gid`` of the parent's user namespace the same numbers in this process's own."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def mount_own_proc() -> None:
    """Put a /proc that shows only this pid namespace over the host's. Needs an own mount namespace."""
    null = ctypes.c_char_p()
    _check(_libc.mount(b"none", b"/", null, ctypes.c_ulong(_MS_REC_PRIVATE), null), "mount private")
    _check(_libc.mount(b"proc", b"/proc", b"proc", ctypes.c_ulong(_MS_NOSUID_NODEV_NOEXEC), null), "mount /proc")
