"""How one render is forked off and what it is bound to.

In order of preference: fresh namespaces, where the render is the first process and the kernel ends everything with
it; or, on hosts that refuse namespaces, a keeper process that adopts whatever the render leaves behind and ends it.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from manimcast.sandbox.control import SETUP_FAILED
from manimcast.sandbox.inside import kernel, tree
from manimcast.sandbox.inside.kernel import Namespace

MIB = 1024 * 1024

_ISOLATED = Namespace.MOUNT | Namespace.UTS | Namespace.IPC | Namespace.PID | Namespace.NET


@dataclass(frozen=True)
class Bounds:
    """What a render may have.

    ``memory``, in bytes, and ``processes``, counted in threads, bound all its processes together; the length of a
    file in bytes and the CPU time in seconds bound each.
    """

    memory: int
    file_bytes: int
    cpu_seconds: int
    processes: int


@dataclass(frozen=True)
class Confinement:
    """What this host allows."""

    namespaces: Namespace
    own_proc: bool

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of what is in force, for health and reports."""
        names = [f"{kind.name.lower()}_namespace" for kind in Namespace if kind & self.namespaces and kind.name]
        if self.own_proc:
            names.append("own_proc")
        if not self.namespaces:
            names.append("keeper")
        return (*sorted(names), "no_capabilities", "no_new_privileges", "rlimits")


def probe() -> Confinement:
    """Find out, by doing it, what this host allows."""
    for namespaces in (_ISOLATED | Namespace.USER, _ISOLATED):
        for own_proc in (True, False):
            confinement = Confinement(namespaces, own_proc)
            if _works(confinement):
                return confinement
    return Confinement(Namespace(0), own_proc=False)


def _works(confinement: Confinement) -> bool:
    try:
        pid = fork(confinement, lambda: os._exit(0))
    except OSError:
        return False
    _, status = os.waitpid(pid, 0)
    return status == 0


def fork(confinement: Confinement, run: Callable[[], None]) -> int:
    """Fork a render that calls ``run``, which must not return. Return the id of the process to kill and to wait for."""
    uid, gid = os.getuid(), os.getgid()
    pid = kernel.clone(confinement.namespaces) if confinement.namespaces else os.fork()
    if pid:
        return pid
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        kernel.die_with_parent(signal.SIGKILL if confinement.namespaces else signal.SIGTERM)
        os.setsid()
        if Namespace.USER in confinement.namespaces:
            kernel.map_identity(uid, gid)
        if confinement.own_proc:
            kernel.mount_own_proc()
        if not confinement.namespaces:
            _keep()
        run()
    except BaseException as error:  # noqa: BLE001  a forked child must never return into the zygote's loop
        os.write(2, f"the render could not be set up: {error}\n".encode())
    os._exit(SETUP_FAILED)


def _keep() -> None:
    """Split into a keeper, which ends with the render and takes everything with it, and the render, which returns."""
    kernel.adopt_orphans()

    def stopped(_number: int, _frame: object) -> None:
        tree.end_descendants()
        _end_as(-signal.SIGKILL)

    signal.signal(signal.SIGTERM, stopped)
    render = os.fork()
    if render == 0:
        kernel.die_with_parent(signal.SIGKILL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        return
    _close_all_but(set())
    pid, status = 0, 0
    while pid != render:
        pid, status = os.waitpid(-1, 0)
    tree.end_descendants()
    _end_as(os.waitstatus_to_exitcode(status))


def _end_as(code: int) -> NoReturn:
    """End this process with the exit status ``code``, or by the signal ``-code``."""
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 98)


def settle(wire: int, directory: int, log: int, bounds: Bounds) -> Path:
    """Make this fresh child a render: its descriptors, directory, environment and limits. Return the directory.

    Afterwards standard output and error go to ``log``, standard input is empty, and only ``wire`` is open besides.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.fchdir(directory)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    _close_all_but({wire})
    here = Path.cwd()
    temporary = here / "tmp"
    temporary.mkdir()
    tempfile.tempdir = None
    path = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")
    os.environ.clear()
    os.environ.update(
        {
            "HOME": str(here),
            "LANG": "C.UTF-8",
            "MPLCONFIGDIR": str(temporary),
            "OPENBLAS_NUM_THREADS": "1",
            "PATH": path,
            "PYTHONHASHSEED": "0",
            "TEXMFOUTPUT": str(here),  # the one place where absolute names may be read and written
            "TEXMFVAR": str(temporary / "texmf"),
            "TMPDIR": str(temporary),
            "XDG_CACHE_HOME": str(temporary / "cache"),
            # TeX: no reading or writing outside its directories, no commands.
            "openin_any": "p",
            "openout_any": "p",
            "shell_escape": "f",
        }
    )
    sys.argv = ["manimcast"]
    _limit(bounds)
    kernel.drop_capabilities()
    kernel.no_new_privileges()
    return here


def lift_soft_memory_limit() -> None:
    """Give a render that ran out of memory a little more, to say so with."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _limit(bounds: Bounds) -> None:
    # A single process meets this before the watch on all of them, and can then say where it was.
    mapped, resident = tree.own_size()
    space = mapped + max(bounds.memory - resident, bounds.memory // 2)
    for kind, soft, hard in (
        (resource.RLIMIT_AS, space, space + 128 * MIB),
        (resource.RLIMIT_FSIZE, bounds.file_bytes, bounds.file_bytes),
        (resource.RLIMIT_CPU, bounds.cpu_seconds, bounds.cpu_seconds),
        (resource.RLIMIT_NPROC, bounds.processes, bounds.processes),
        (resource.RLIMIT_NOFILE, 512, 512),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        ceiling = resource.getrlimit(kind)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)  # noqa: PLW2901  an operator's own limit stays
        resource.setrlimit(kind, (soft, hard))


def _close_all_but(keep: set[int]) -> None:
    start = 3
    for descriptor in sorted(keep):
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, max(start, resource.getrlimit(resource.RLIMIT_NOFILE)[0]))
