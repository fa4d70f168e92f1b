"""A handful of attacks, tried in a real confined child before the first scene is: none of them may come through.

Each takes something that the service planted, or something that any process has by itself. What layers there are was
found out by trying them one by one; this tries them as they stand, all together, in the place where scenes will run.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from manimcast import wire
from manimcast.sandbox.inside import kernel
from manimcast.sandbox.inside.kernel import HARMLESS, Namespace

_PTRACE = {"x86_64": 101, "aarch64": 117}
_PTRACE_SEIZE = 0x4206


def attempt(job: wire.CanaryJob) -> wire.CanaryDone:
    """Try everything, and tell what was held back and what was not."""
    attacks: dict[str, Callable[[], object]] = {
        "read a file of the host": lambda: Path(job.secret).read_bytes(),
        "list the host's folder": lambda: list(Path(job.secret).parent.iterdir()),
        "read the service's environment": lambda: Path(f"/proc/{job.pid}/environ").read_bytes() and _is_service(job),
        "signal the service": lambda: _is_service(job) and _returns(os.kill, job.pid, 0),
        "see other processes": lambda: [
            entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and entry.name != "1"
        ],
        "connect to the host": lambda: socket.create_connection(("127.0.0.1", job.port), 1),
        "open a network socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "write to the system": _write_to_the_system,
        "run a program of its own": _run_a_program_of_its_own,
        "make a user namespace": lambda: kernel.libc.unshare(ctypes.c_int(Namespace.USER)) == 0,
        "mount a file system": lambda: _returns(kernel.mount, "none", "/dev/shm", "tmpfs", HARMLESS),  # noqa: S108
        "trace a process": _trace,
        "open more descriptors than its own": _inherited,
        "be root": lambda: os.getuid() == 0,
    }
    held, escaped = [], []
    for name, attack in attacks.items():
        evidence: object = None
        with suppress(OSError, subprocess.SubprocessError):
            evidence = attack()
        if evidence:
            escaped.append(name)
        else:
            held.append(name)
    return wire.CanaryDone(held=tuple(held), escaped=tuple(escaped))


def _returns(call: Callable[..., object], *arguments: object) -> bool:
    """Whether ``call`` does what is asked of it, rather than raising."""
    call(*arguments)
    return True


def _is_service(job: wire.CanaryJob) -> bool:
    """Whether the number means the same process here as for the service, and not one of this child's own."""
    return job.pid not in {1, os.getpid(), os.getppid()} and Path(f"/proc/{job.pid}").exists()


def _write_to_the_system() -> list[str]:
    written = []
    for folder in ("/", "/dev", "/etc", "/usr/lib", "/usr/share/fonts", "/var/cache", str(Path(wire.__file__).parent)):
        with suppress(OSError), tempfile.TemporaryFile(dir=folder):
            written.append(folder)
    return written


def _run_a_program_of_its_own() -> bool:
    program = Path(tempfile.gettempdir(), "true")
    shutil.copy("/bin/true", program)
    program.chmod(0o700)
    return subprocess.run([program], check=False).returncode == 0


def _trace() -> bool:
    """Attach to a process of its own, which it could do to any that it sees."""
    read, write = os.pipe()
    other = 0
    try:
        other = os.fork()
        if other == 0:
            os.close(write)
            os.read(read, 1)  # one that has ended cannot be attached to, so it lives until the pipe is closed
            os._exit(0)
        number = ctypes.c_long(_PTRACE.get(os.uname().machine, -1))
        return bool(kernel.libc.syscall(number, ctypes.c_long(_PTRACE_SEIZE), ctypes.c_long(other), None, None) == 0)
    finally:
        os.close(read)
        os.close(write)
        if other:
            os.waitpid(other, 0)


def _inherited() -> list[int]:
    """Return the descriptors beyond input, output, errors and the wire."""
    found = []
    for number in range(512):
        with suppress(OSError):
            os.fstat(number)
            found.append(number)
    return found[4:]
