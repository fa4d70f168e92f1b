"""Which system calls a render may make, and why; those that it may not are in ``syscalls_refused``.

Data only: ``seccomp`` makes the filter of it, and docs/internals/system-calls.md is written from it. Numbers are those
of the kernel's own tables; None stands for a call that a machine does not have. The two tables hold every call of Linux
6.19. A call that is in neither is newer, and answers as if the kernel did not know it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Answer(Enum):
    """What a refused call returns; ``DONE`` that it has done what it was asked for, though it has not."""

    DONE = 0
    EPERM = 1
    ENOTTY = 25
    ENOSYS = 38
    EOPNOTSUPP = 95


@dataclass(frozen=True)
class OneOf:
    """The low 32 bits of the argument, without the bits of ``ignoring``, must be one of ``values``.

    For arguments of which the kernel reads no more than 32 bits.
    """

    argument: int
    values: Mapping[str, int]
    ignoring: int = 0


@dataclass(frozen=True)
class Without:
    """The argument must have none of the bits of ``mask``, which are up to 64.

    With ``when`` that holds only if another argument, given first, has any of the bits of a mask of 32.
    """

    argument: int
    mask: int
    when: tuple[int, int] | None = None


Test = OneOf | Without


@dataclass(frozen=True)
class Call:
    """A system call and its numbers.

    ``use`` says what makes it, where the group's reason does not say enough, or what of it is permitted. Its arguments
    must fulfil all of ``tests``, or it returns ``answer``.
    """

    name: str
    x86_64: int | None
    aarch64: int | None
    use: str = ""
    tests: tuple[Test, ...] = ()
    answer: Answer = Answer.EPERM

    def number(self, machine: str) -> int | None:
        """Return the number on ``machine``, ``x86_64`` or ``aarch64``."""
        return {"x86_64": self.x86_64, "aarch64": self.aarch64}[machine]


@dataclass(frozen=True)
class Group:
    """Permitted calls of one kind, and what they are for."""

    title: str
    reason: str
    calls: tuple[Call, ...]


_FCNTL = {
    "F_DUPFD": 0,
    "F_GETFD": 1,
    "F_SETFD": 2,
    "F_GETFL": 3,
    "F_SETFL": 4,
    "F_GETLK": 5,
    "F_SETLK": 6,
    "F_SETLKW": 7,
    "F_OFD_GETLK": 36,
    "F_OFD_SETLK": 37,
    "F_OFD_SETLKW": 38,
    "F_DUPFD_CLOEXEC": 1030,
    "F_SETPIPE_SZ": 1031,
    "F_GETPIPE_SZ": 1032,
}
_MAP_SHARED, _MAP_ANONYMOUS = 0x01, 0x20
_ALL_BITS = 0xFFFF_FFFF_FFFF_FFFF
_HIGH_WORD = 0xFFFF_FFFF_0000_0000

_SET_ID_BITS = 0o6000
"""Setuid and setgid in a file's mode."""

_CREATES = 0o100 | 0o20000000  # O_CREAT, and the bit that makes O_TMPFILE more than O_DIRECTORY

_NAMESPACE_FLAGS = (
    0x0002_0000  # CLONE_NEWNS
    | 0x0200_0000  # CLONE_NEWCGROUP
    | 0x0400_0000  # CLONE_NEWUTS
    | 0x0800_0000  # CLONE_NEWIPC
    | 0x1000_0000  # CLONE_NEWUSER
    | 0x2000_0000  # CLONE_NEWPID
    | 0x4000_0000  # CLONE_NEWNET
    | 0x0000_0080  # CLONE_NEWTIME
)

_MESSAGE_FLAGS = (
    0x0002  # MSG_PEEK
    | 0x0020  # MSG_TRUNC
    | 0x0040  # MSG_DONTWAIT
    | 0x0100  # MSG_WAITALL
    | 0x4000  # MSG_NOSIGNAL
)
_OTHER_MESSAGE_FLAGS = 0xFFFF_FFFF & ~_MESSAGE_FLAGS

_FUTEX_FLAGS = 128 | 256  # FUTEX_PRIVATE_FLAG, FUTEX_CLOCK_REALTIME

_FUTEX_OPERATIONS = {
    "FUTEX_WAKE": 1,
    "FUTEX_WAIT": 0,
    "FUTEX_WAIT_BITSET": 9,
    "FUTEX_WAKE_BITSET": 10,
    "FUTEX_REQUEUE": 3,
    "FUTEX_CMP_REQUEUE": 4,
    "FUTEX_WAKE_OP": 5,
}

_SOCKET_OPTIONS = {
    "SO_TYPE": 3,
    "SO_ERROR": 4,
    "SO_SNDBUF": 7,
    "SO_RCVBUF": 8,
    "SO_ACCEPTCONN": 30,
    "SO_PROTOCOL": 38,
    "SO_DOMAIN": 39,
}

_IOCTL_REQUESTS = {
    "TCGETS": 0x5401,  # is it a terminal?
    "TCGETS2": 0x802C_542A,  # the same, from glibc 2.42 on
    "TIOCGPGRP": 0x540F,
    "TIOCGWINSZ": 0x5413,
    "FIONREAD": 0x541B,
    "FIONBIO": 0x5421,
    "FIOCLEX": 0x5451,
    "FIONCLEX": 0x5450,
    "FICLONE": 0x4004_9409,  # a copy that shares its blocks, which cp and Python 3.14 try first
}

_PRCTL_OPTIONS = {
    "PR_SET_PDEATHSIG": 1,
    "PR_GET_PDEATHSIG": 2,
    "PR_SET_NAME": 15,
    "PR_GET_NAME": 16,
    "PR_CAPBSET_READ": 23,  # libcap, when it is loaded
    "PR_SVE_GET_VL": 51,  # the length of aarch64's vectors
}

_ARCH_PRCTL_OPTIONS = {
    "ARCH_SET_FS": 0x1002,  # each program's own storage
    "ARCH_GET_XCOMP_SUPP": 0x1021,  # matrix registers, for which OpenBLAS looks
    "ARCH_GET_XCOMP_PERM": 0x1022,
    "ARCH_REQ_XCOMP_PERM": 0x1023,
    "ARCH_CET_STATUS": 0x3001,  # shadow stacks: Ubuntu 22.04's glibc
    "ARCH_SHSTK_ENABLE": 0x5001,  # shadow stacks: newer glibc
    "ARCH_SHSTK_DISABLE": 0x5002,
    "ARCH_SHSTK_LOCK": 0x5003,
    "ARCH_SHSTK_STATUS": 0x5005,
}

_NO_NEW_SET_ID_FILE_BY_OPEN = Without(2, _SET_ID_BITS, when=(1, _CREATES))
_NO_NEW_SET_ID_FILE_BY_OPENAT = Without(3, _SET_ID_BITS, when=(2, _CREATES))

PERMITTED: tuple[Group, ...] = (
    Group(
        "Reading and writing",
        "Code, fonts, pictures and sound are read; frames, videos and what a scene prints are written.",
        (
            Call("read", 0, 63),
            Call("write", 1, 64),
            Call("readv", 19, 65),
            Call("writev", 20, 66, "dvisvgm; programs that print"),
            Call("pread64", 17, 67, "the dynamic linker, fonts, SQLite"),
            Call("pwrite64", 18, 68, "SQLite, the linker of video files"),
            Call("preadv", 295, 69, "Python: os.preadv"),
            Call("pwritev", 296, 70, "Python: os.pwritev"),
            Call("preadv2", 327, 286, "Python: os.preadv with flags; without them", tests=(Without(5, _ALL_BITS),)),
            Call("pwritev2", 328, 287, "Python: os.pwritev with flags; without them", tests=(Without(5, _ALL_BITS),)),
            Call("lseek", 8, 62),
            Call("open", 2, None, "programs that are linked statically", tests=(_NO_NEW_SET_ID_FILE_BY_OPEN,)),
            Call("openat", 257, 56, "every file that is opened", tests=(_NO_NEW_SET_ID_FILE_BY_OPENAT,)),
            Call("creat", 85, None, "tar", tests=(Without(1, _SET_ID_BITS),)),
            Call("close", 3, 57),
            Call("close_range", 436, 436, "Python: subprocess; newer shells"),
            Call("sendfile", 40, 71, "Python: shutil"),
            Call("copy_file_range", 326, 285, "cp, Python: shutil from 3.14 on"),
            Call(
                "fcntl",
                72,
                25,
                "Python, SQLite: flags and locks of files, duplicates of descriptors; not signals and leases",
                tests=(OneOf(1, _FCNTL),),
            ),
            Call("fsync", 74, 82),
            Call("fdatasync", 75, 83, "SQLite"),
            Call("fallocate", 285, 47, "Python: os.posix_fallocate, FFmpeg"),
            Call("truncate", 76, 45),
            Call("ftruncate", 77, 46, "memory that processes share, SQLite"),
            Call("umask", 95, 166),
            Call(
                "ioctl",
                16,
                29,
                "is it a terminal?, non-blocking, close on exec, copies that share blocks; nothing else",
                tests=(OneOf(1, _IOCTL_REQUESTS),),
                answer=Answer.ENOTTY,
            ),
        ),
    ),
    Group(
        "Names of files",
        "Python, fontconfig and TeX look for files in many places; Manim and TeX make folders and move "
        "what they have finished into place.",
        (
            Call("stat", 4, None, "programs with a C library other than glibc"),
            Call("lstat", 6, None, "programs with a C library other than glibc"),
            Call("fstat", 5, 80),
            Call("newfstatat", 262, 79, "every look at a file"),
            Call("statx", 332, 291, "Rust (Typst's compiler), newer coreutils, glibc on newer machines"),
            Call("access", 21, None),
            Call("faccessat", 269, 48, "glibc on aarch64"),
            Call("faccessat2", 439, 439, "newer glibc"),
            Call("statfs", 137, 43, "df, ls, cp"),
            Call("fstatfs", 138, 44, "fontconfig: is the cache on a network?"),
            Call("readlink", 89, None),
            Call("readlinkat", 267, 78),
            Call("getdents64", 217, 61, "listing of folders"),
            Call("getcwd", 79, 17),
            Call("chdir", 80, 49),
            Call("fchdir", 81, 50, "find"),
            Call("getxattr", 191, 8, "cp, ls; Python: shutil.copy2"),
            Call("lgetxattr", 192, 9),
            Call("fgetxattr", 193, 10),
            Call("listxattr", 194, 11),
            Call("llistxattr", 195, 12),
            Call("flistxattr", 196, 13),
            Call("mkdir", 83, None),
            Call("mkdirat", 258, 34),
            Call("rmdir", 84, None),
            Call("unlink", 87, None),
            Call("unlinkat", 263, 35),
            Call("rename", 82, None),
            Call("renameat", 264, 38),
            Call("renameat2", 316, 276, "mv; no whiteouts, which are devices", tests=(Without(4, 0xFFFF_FFFC),)),
            Call("link", 86, None, "Python's locks between processes"),
            Call("linkat", 265, 37),
            Call("symlink", 88, None),
            Call("symlinkat", 266, 36),
            Call("utimensat", 280, 88),
            Call("chmod", 90, None, "never with the setuid or setgid bit", tests=(Without(1, _SET_ID_BITS),)),
            Call("fchmod", 91, 52, "never with the setuid or setgid bit", tests=(Without(1, _SET_ID_BITS),)),
            Call("fchmodat", 268, 53, "never with the setuid or setgid bit", tests=(Without(2, _SET_ID_BITS),)),
        ),
    ),
    Group(
        "Memory",
        "Every allocation. libffi and Mesa write code at run time, so executable pages are not refused.",
        (
            Call(
                "mmap",
                9,
                222,
                "not memory that is shared and has no file: given back by parts, it would count for nobody",
                tests=(Without(3, _MAP_SHARED, when=(3, _MAP_ANONYMOUS)),),
            ),
            Call("munmap", 11, 215),
            Call("mprotect", 10, 226),
            Call("mremap", 25, 216),
            Call("madvise", 28, 233, "the allocator gives memory back"),
            Call("msync", 26, 227, "files that are mapped"),
            Call("brk", 12, 214),
            Call("mseal", 462, 462, "newer dynamic linkers"),
            Call("map_shadow_stack", 453, 453, "newer glibc, on processors that have shadow stacks"),
        ),
    ),
    Group(
        "Processes and threads",
        "The render's own drawing processes, the threads of the encoder, of numpy and of Mesa, and "
        "programs such as LaTeX.",
        (
            Call(
                "clone",
                56,
                220,
                "fork and threads, but no new namespace",
                tests=(Without(0, _NAMESPACE_FLAGS | _HIGH_WORD),),
            ),
            Call("fork", 57, None, "programs with a C library other than glibc"),
            Call("vfork", 58, None, "Python: subprocess"),
            Call("execve", 59, 221),
            Call("exit", 60, 93),
            Call("exit_group", 231, 94),
            Call("wait4", 61, 260),
            Call("waitid", 247, 95, "Python: asyncio from 3.12 on"),
            Call("pidfd_open", 434, 434, "Python: asyncio from 3.12 on; the engine, which waits for TeX"),
            Call("set_tid_address", 218, 96, "the start of every program"),
            Call("set_robust_list", 273, 99, "the start of every thread"),
            Call("rseq", 334, 293, "the start of every thread"),
            Call(
                "futex",
                202,
                98,
                "every lock",
                tests=(OneOf(1, _FUTEX_OPERATIONS, ignoring=_FUTEX_FLAGS),),
                answer=Answer.ENOSYS,
            ),
            Call("gettid", 186, 178),
            Call("getpid", 39, 172),
            Call("getppid", 110, 173),
            Call("getpgid", 121, 155),
            Call("getpgrp", 111, None),
            Call("setpgid", 109, 154, "shells"),
            Call("getsid", 124, 156),
            Call("arch_prctl", 158, None, "the start of every program", tests=(OneOf(0, _ARCH_PRCTL_OPTIONS),)),
            Call("prctl", 157, 167, "threads name themselves; a few questions", tests=(OneOf(0, _PRCTL_OPTIONS),)),
            Call("personality", 135, 92, "only the question", tests=(OneOf(0, {"0xffffffff": 0xFFFF_FFFF}),)),
        ),
    ),
    Group(
        "Processors, priorities and limits",
        "Libraries ask how much of the machine they may use, and lower their own priority.",
        (
            Call("sched_yield", 24, 124, "OpenBLAS"),
            Call("sched_getaffinity", 204, 123, "Python, numpy, FFmpeg, Mesa, sort"),
            Call("sched_setaffinity", 203, 122, "Mesa"),
            Call("sched_getparam", 143, 121, "glibc, to start a thread as its parent is"),
            Call("sched_getscheduler", 145, 120, "glibc, to start a thread as its parent is"),
            Call(
                "sched_setscheduler",
                144,
                119,
                "Mesa, for threads of low priority; only normal, batch and idle",
                tests=(OneOf(1, {"SCHED_OTHER": 0, "SCHED_BATCH": 3, "SCHED_IDLE": 5}),),
            ),
            Call("sched_get_priority_max", 146, 125),
            Call("sched_get_priority_min", 147, 126),
            Call("getcpu", 309, 168),
            Call("getpriority", 140, 141, "nice"),
            Call(
                "setpriority",
                141,
                140,
                "nice: only of the thread that calls",
                tests=(OneOf(0, {"PRIO_PROCESS": 0}), OneOf(1, {"itself": 0})),
            ),
            Call("getrlimit", 97, 163),
            Call("setrlimit", 160, 164, "limits can only go down"),
            Call("prlimit64", 302, 261, "the same, only of the process that calls", tests=(OneOf(0, {"itself": 0}),)),
            Call("getrusage", 98, 165),
            Call("sysinfo", 99, 179, "dvisvgm, sort, bash: how much memory there is"),
            Call("times", 100, 153),
        ),
    ),
    Group(
        "Signals",
        "Ends of children, timers, faults. In its own pid namespace a render reaches no process but its own.",
        (
            Call("rt_sigaction", 13, 134),
            Call("rt_sigprocmask", 14, 135),
            Call("rt_sigreturn", 15, 139),
            Call("rt_sigpending", 127, 136),
            Call("rt_sigsuspend", 130, 133, "shells"),
            Call("rt_sigtimedwait", 128, 137, "Python: signal.sigwait"),
            Call("sigaltstack", 131, 132, "Python: faulthandler"),
            Call("restart_syscall", 219, 128, "the kernel, when a sleep was interrupted"),
            Call("pause", 34, None),
            Call("kill", 62, 129),
            Call("tkill", 200, 130),
            Call("tgkill", 234, 131, "abort"),
        ),
    ),
    Group(
        "Time",
        "Clocks, sleep, alarms.",
        (
            Call("clock_gettime", 228, 113),
            Call("clock_getres", 229, 114),
            Call("clock_nanosleep", 230, 115),
            Call("nanosleep", 35, 101),
            Call("gettimeofday", 96, 169),
            Call("time", 201, None),
            Call("alarm", 37, None),
            Call("getitimer", 36, 102),
            Call("setitimer", 38, 103),
        ),
    ),
    Group(
        "Pipes and waiting",
        "How Python talks to its children and threads: subprocess, multiprocessing, asyncio.",
        (
            Call("pipe", 22, None),
            Call("pipe2", 293, 59),
            Call("dup", 32, 23),
            Call("dup2", 33, None),
            Call("dup3", 292, 24),
            Call("poll", 7, None),
            Call("ppoll", 271, 73),
            Call("select", 23, None),
            Call("pselect6", 270, 72),
            Call("epoll_create", 213, None),
            Call("epoll_create1", 291, 20),
            Call("epoll_ctl", 233, 21),
            Call("epoll_wait", 232, None),
            Call("epoll_pwait", 281, 22),
            Call("epoll_pwait2", 441, 441),
            Call("eventfd2", 290, 19, "event loops other than Python's own"),
        ),
    ),
    Group(
        "Connected sockets",
        "The wire to the service is one; asyncio and multiprocessing make pairs. None of this reaches a "
        "socket that the render does not hold.",
        (
            Call("socketpair", 53, 199, "Unix sockets only", tests=(OneOf(0, {"AF_UNIX": 1}),)),
            Call(
                "sendto",
                44,
                206,
                "send(2): without an address, so that it goes to the other end only; no out-of-band data",
                tests=(Without(4, _ALL_BITS), Without(3, _OTHER_MESSAGE_FLAGS)),
            ),
            Call("recvfrom", 45, 207, "recv(2); no out-of-band data", tests=(Without(3, _OTHER_MESSAGE_FLAGS),)),
            Call("shutdown", 48, 210),
            Call("getsockname", 51, 204, "Python, when it wraps a descriptor"),
            Call("getpeername", 52, 205),
            Call(
                "getsockopt",
                55,
                209,
                "Python, when it wraps a descriptor",
                tests=(OneOf(1, {"SOL_SOCKET": 1}), OneOf(2, _SOCKET_OPTIONS)),
            ),
        ),
    ),
    Group(
        "Who and where one is",
        "Asked by the C library and by programs when they start.",
        (
            Call("getuid", 102, 174),
            Call("geteuid", 107, 175),
            Call("getgid", 104, 176),
            Call("getegid", 108, 177),
            Call("getresuid", 118, 148),
            Call("getresgid", 120, 150),
            Call("getgroups", 115, 158),
            Call("uname", 63, 160),
            Call("getrandom", 318, 278, "hashing, random numbers, names of temporary files"),
        ),
    ),
)
