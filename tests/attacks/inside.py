"""What is posted below an attack's own text: tools, and a scene that says what came of the attack.

This runs in the render, not in the tests, which append two lines: they give the scene its ``target``, made of the facts
about the host that an attack may know, and its ``attack``.
"""

import contextlib
import ctypes
import errno
import json
import mmap
import os
import platform
import signal
import stat
import struct
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from manim import Scene

REFUSALS = frozenset(
    {
        "EACCES",
        "EADDRNOTAVAIL",
        "EAFNOSUPPORT",
        "EAGAIN",
        "ECONNREFUSED",
        "EDQUOT",
        "EFBIG",
        "EHOSTUNREACH",
        "ELOOP",
        "EMFILE",
        "ENETDOWN",
        "ENETUNREACH",
        "ENFILE",
        "ENODEV",
        "ENOENT",
        "ENOMEM",
        "ENOSPC",
        "ENOSYS",
        "ENOTDIR",
        "ENXIO",
        "EPERM",
        "EPROTONOSUPPORT",
        "EROFS",
        "ESOCKTNOSUPPORT",
        "ESRCH",
        "EUSERS",
        "EXDEV",
    }
)
"""What the kernel says when it refuses. Anything else (EINVAL, EFAULT, EBADF) means that the attack is clumsy."""

SYSCALLS = {
    "x86_64": {
        "add_key": 248,
        "bpf": 321,
        "chroot": 161,
        "clone3": 435,
        "execveat": 322,
        "fanotify_init": 300,
        "fchmodat2": 452,
        "finit_module": 313,
        "fsopen": 430,
        "init_module": 175,
        "inotify_add_watch": 254,
        "inotify_init1": 294,
        "io_setup": 206,
        "io_uring_setup": 425,
        "keyctl": 250,
        "memfd_create": 319,
        "memfd_secret": 447,
        "mount": 165,
        "mq_open": 240,
        "mq_unlink": 241,
        "msgget": 68,
        "name_to_handle_at": 303,
        "open_by_handle_at": 304,
        "open_tree": 428,
        "perf_event_open": 298,
        "personality": 135,
        "pidfd_getfd": 438,
        "pidfd_open": 434,
        "pidfd_send_signal": 424,
        "process_madvise": 440,
        "process_vm_readv": 310,
        "process_vm_writev": 311,
        "ptrace": 101,
        "reboot": 169,
        "request_key": 249,
        "seccomp": 317,
        "setns": 308,
        "shmat": 30,
        "shmdt": 67,
        "shmget": 29,
        "syslog": 103,
        "umount2": 166,
        "unshare": 272,
        "userfaultfd": 323,
    },
    "aarch64": {
        "add_key": 217,
        "bpf": 280,
        "chroot": 51,
        "clone3": 435,
        "execveat": 281,
        "fanotify_init": 262,
        "fchmodat2": 452,
        "finit_module": 273,
        "fsopen": 430,
        "init_module": 105,
        "inotify_add_watch": 27,
        "inotify_init1": 26,
        "io_setup": 0,
        "io_uring_setup": 425,
        "keyctl": 219,
        "memfd_create": 279,
        "memfd_secret": 447,
        "mount": 40,
        "mq_open": 180,
        "mq_unlink": 181,
        "msgget": 186,
        "name_to_handle_at": 264,
        "open_by_handle_at": 265,
        "open_tree": 428,
        "perf_event_open": 241,
        "personality": 92,
        "pidfd_getfd": 438,
        "pidfd_open": 434,
        "pidfd_send_signal": 424,
        "process_madvise": 440,
        "process_vm_readv": 270,
        "process_vm_writev": 271,
        "ptrace": 117,
        "reboot": 142,
        "request_key": 218,
        "seccomp": 277,
        "setns": 268,
        "shmat": 196,
        "shmdt": 197,
        "shmget": 194,
        "syslog": 116,
        "umount2": 39,
        "unshare": 97,
        "userfaultfd": 282,
    },
}


class Verdict(Exception):  # noqa: N818  these are answers rather than errors
    """What came of an attack; the HTTP answer shows the name of the class and the message."""


class Escaped(Verdict):
    """It got through."""


class Stopped(Verdict):
    """It was stopped."""


class Broken(Verdict):
    """It failed by a mistake of its own, and so proves nothing."""


def judge(attack: Callable[[], object]) -> Verdict:
    """Run ``attack`` and return what came of it.

    What says more as it is, passes: MemoryError, what ends the process, and TeX's errors.
    """
    try:
        evidence = attack()
    except Verdict as verdict:
        return verdict
    except MemoryError:
        raise
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "")
        return (Stopped if name in REFUSALS else Broken)(f"{name} {error}"[:300])
    except Exception as error:
        if type(error).__name__ == "LatexError":
            raise
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "scene.py"]
        return Broken(f"{type(error).__name__} in line {lines[-1]}: {error}"[:300])
    return Escaped(f"{evidence}"[:300]) if evidence else Stopped("nothing came of it")


class Target:
    """What an attack knows of the host, as attributes, and the tools that it has.

    Attributes
    ----------
    scene
        The scene that is being rendered.
    step
        Which of an attack's renders this is, where it has several.
    goes_on
        Set by an attack whose scene shall end as any other, with a video.
    """

    scene: Scene
    step: str
    goes_on = False

    def __init__(self, facts: dict[str, Any]) -> None:
        self.__dict__.update(facts)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"nobody planted {name!r}")

    # -- the kernel

    def syscall(self, name: str | int, *arguments: object) -> int:
        """Call the kernel past the C library. Raises OSError when it refuses."""
        if isinstance(name, str):
            name = SYSCALLS[platform.machine()][name]
        libc = ctypes.CDLL(None, use_errno=True)
        libc.syscall.restype = ctypes.c_long
        words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
        result = libc.syscall(ctypes.c_long(name), *words)
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return int(result)

    def machine_code(self, code: str) -> int:
        """Run ``code``, in hexadecimal, as a function without arguments, and return its result, an int."""
        everything = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
        kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        with mmap.mmap(-1, mmap.PAGESIZE, flags=kind, prot=everything) as page:
            page.write(bytes.fromhex(code))
            start = ctypes.c_char.from_buffer(page)
            result = int(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(start))())
            del start
        return result

    def in_child(
        self, attack: Callable[[], object], *, killed_by: tuple[int, ...] = (signal.SIGSYS, signal.SIGKILL)
    ) -> str:
        """Run ``attack`` in a process of its own and return its evidence; being killed for it is being stopped."""
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            verdict: BaseException
            try:
                verdict = judge(attack)
            except BaseException as error:  # noqa: BLE001  whatever it is, the other process is to hear of it
                verdict = Broken(repr(error))
            os.write(writer, json.dumps([type(verdict).__name__, str(verdict)]).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            said = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if -status in killed_by:
            raise Stopped(f"killed: {signal.strsignal(-status)}")
        if not said:
            raise Broken(f"the child said nothing and ended with {status}")
        kind, text = json.loads(said)
        if kind == "Escaped":
            return str(text)
        raise {"Stopped": Stopped}.get(kind, Broken)(text)

    def remembers(self, shifted: str) -> str:
        """Search all memory of this process for a text, and return where it is, or nothing.

        ``shifted`` is that text with each character replaced by the next, and is looked for in shifted copies of the
        memory: otherwise the search would find itself.
        """
        shift = bytes((value + 1) % 256 for value in range(256))
        libc = ctypes.CDLL(None, use_errno=True)
        reader, writer = os.pipe()
        for first, last in _mapped():
            place, rest = first, b""
            while place < last:
                # The kernel reads for us, and says EFAULT where there is nothing, instead of ending this process.
                count = libc.write(writer, ctypes.c_void_p(place), ctypes.c_size_t(min(65536, last - place)))
                if count <= 0:
                    place, rest = place + mmap.PAGESIZE, b""
                    continue
                piece = rest + os.read(reader, count)
                if shifted.encode() in piece.translate(shift):
                    return f"it is in memory near {place:#x}"
                place, rest = place + count, piece[-len(shifted) :]
        return ""

    # -- the protocol

    def wire(self) -> int:
        """Return the descriptor that the engine speaks to the service over."""
        for descriptor in range(3, 256):
            with contextlib.suppress(OSError):
                if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                    return descriptor
        raise Broken("this process has no socket")

    def say(self, *messages: object) -> None:
        """Send messages to the service in the engine's name: dictionaries, or the bytes of a frame's body."""
        for message in messages:
            body = message if isinstance(message, bytes) else json.dumps(message).encode()
            self.send(struct.pack(">I", len(body)) + body)

    def send(self, data: bytes) -> None:
        """Send ``data`` as it is."""
        wire = self.wire()
        while data:
            data = data[os.write(wire, data) :]

    def hear(self) -> bytes:
        """Return what the service says next; nothing once it has hung up."""
        return os.read(self.wire(), 1 << 16)

    def finished(self, *names: str, **report: object) -> dict[str, object]:
        """Return the message that a render ends with; its files are ``names``, the first one the video."""
        files = [
            {"role": "section" if number else "video", "name": name, "bytes": 1} for number, name in enumerate(names)
        ]
        honest = {
            "scene": "Attack",
            "format": "mp4",
            "media_type": "video/mp4",
            "width": 854,
            "height": 480,
            "frame_rate": 15,
            "frames": 15,
            "duration": 1,
            "animations": 1,
            "sections": [],
            "files": files,
            "seed": 0,
            "timings": {},
            "fingerprint": {},
        }
        return {"type": "finished", "report": honest | report}


def _mapped() -> list[tuple[int, int]]:
    """Return where this process may have memory; without /proc, the surroundings of what it knows."""
    try:
        areas = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    except OSError:
        near = [id(object()), ctypes.addressof(ctypes.create_string_buffer(1 << 24)), id(Scene)]
        return [(place - (128 << 20) & -mmap.PAGESIZE, place + (128 << 20)) for place in near]
    return [
        (int(area[0].partition("-")[0], 16), int(area[0].partition("-")[2], 16))
        for area in areas
        if area[1].startswith("rw")
    ]


class Attack(Scene):
    """Runs the attack and raises what came of it, so that it is in the answer."""

    target: Target
    attack: Callable[[Target], object]

    def construct(self) -> None:
        """Attack."""
        self.target.scene = self
        verdict = judge(lambda: self.attack(self.target))
        if not self.target.goes_on or not isinstance(verdict, Stopped):
            raise verdict from None
