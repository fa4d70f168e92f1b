"""The few system calls that Python has no words for."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from enum import IntFlag

libc = ctypes.CDLL(None, use_errno=True)
# A second handle that keeps the interpreter's lock: nothing may run between a clone and what follows it.
_libc_locked = ctypes.PyDLL(None, use_errno=True)

_SYS_CLONE = {"x86_64": 56, "aarch64": 220}
_SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SECCOMP_SET_MODE_FILTER = 1
_SIGCHLD = 17
_CLONE_CHILD_CLEARTID = 0x00200000
_CLONE_CHILD_SETTID = 0x01000000
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_GET_TID_ADDRESS = 40
_CAPABILITY_VERSION_3 = 0x20080522


class Namespace(IntFlag):
    """Kinds of namespaces, by the flags of clone(2)."""

    MOUNT = 0x00020000
    CGROUP = 0x02000000
    UTS = 0x04000000
    IPC = 0x08000000
    USER = 0x10000000
    PID = 0x20000000
    NET = 0x40000000


class Mount(IntFlag):
    """Flags of mount(2)."""

    RDONLY = 1
    NOSUID = 2
    NODEV = 4
    NOEXEC = 8
    BIND = 4096
    RECURSIVE = 16384
    PRIVATE = 1 << 18


HARMLESS = Mount.NOSUID | Mount.NODEV | Mount.NOEXEC


def check(result: int, what: str) -> int:
    """Return the result of a system call, or raise :class:`OSError` when it failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def prctl(option: int, argument: int = 0) -> None:
    """Call prctl(2), or raise :class:`OSError`."""
    zero = ctypes.c_ulong(0)
    check(libc.prctl(option, ctypes.c_ulong(argument), zero, zero, zero), f"prctl {option}")


def die_with_parent(signal: int) -> None:
    """Have the kernel send ``signal`` to this process when its parent is gone."""
    prctl(_PR_SET_PDEATHSIG, signal)


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own."""
    prctl(_PR_SET_CHILD_SUBREAPER, 1)


def no_new_privileges() -> None:
    """Give up, for good, what setuid files and file capabilities could grant."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def keep_memory_private(*, private: bool) -> None:
    """Whether other processes of the same user are kept from this one's memory, environment and descriptors."""
    prctl(_PR_SET_DUMPABLE, 0 if private else 1)


def drop_capabilities() -> None:
    """Give up every capability of this process."""
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    check(libc.capset(header, b"\0" * 24), "capset")


def restrict_system_calls(program: bytes) -> None:
    """Put the filter ``program``, an array of ``struct sock_filter``, before every system call from now on."""
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(instructions))
    number = ctypes.c_long(_number(_SYS_SECCOMP))
    check(libc.syscall(number, ctypes.c_uint(_SECCOMP_SET_MODE_FILTER), ctypes.c_uint(0), header), "seccomp")


def clone(namespaces: Namespace) -> int:
    """Fork into fresh ``namespaces``; return the child's process id, and 0 in the child.

    Only for a process with one thread. The thread's own id, which the C library keeps, is set by the kernel as in
    a fork: otherwise locks would take the child for its parent.
    """
    number = _number(_SYS_CLONE)
    address = ctypes.c_void_p()
    zero = ctypes.c_ulong(0)
    check(
        libc.prctl(_PR_GET_TID_ADDRESS, ctypes.byref(address), zero, zero, zero),
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


def leave_cgroup_namespace() -> None:
    """Make the control groups that this process is in the only ones that it knows of. Needs the right to do so."""
    check(libc.unshare(ctypes.c_int(Namespace.CGROUP)), "unshare")


def map_identity(uid: int, gid: int) -> None:
    """Make ``uid`` and ``gid`` of the parent's user namespace the same numbers in this process's own."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def mount(source: str, target: str, kind: str | None, flags: Mount, options: str | None = None) -> None:
    """Call mount(2), or raise :class:`OSError`. Needs a mount namespace of this process's own."""
    check(
        libc.mount(source.encode(), target.encode(), _text(kind), ctypes.c_ulong(int(flags)), _text(options)),
        f"mount {target}",
    )


def _text(value: str | None) -> ctypes.c_char_p:
    return ctypes.c_char_p(value.encode() if value is not None else None)


def _number(by_machine: dict[str, int]) -> int:
    machine = platform.machine()
    if machine not in by_machine:
        raise OSError(f"the system calls of {machine} are not known here")
    return by_machine[machine]
