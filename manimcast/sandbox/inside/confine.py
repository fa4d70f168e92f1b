"""How a child of the warm process is forked off and shut in, layer by layer.

With namespaces the child is the first process of its own, with a file system of its own, and the kernel ends
everything with it. On hosts that refuse them a keeper process does that (:mod:`manimcast.sandbox.inside.keeper`).
Which layers there are was found out by trying (:mod:`manimcast.sandbox.inside.probe`); one that cannot be applied
ends the child before it has read its job.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from manimcast.sandbox.inside import keeper, kernel, landlock, tree
from manimcast.sandbox.inside.kernel import HARMLESS, Mount, Namespace
from manimcast.sandbox.inside.landlock import Rule
from manimcast.sandbox.layers import Layer
from manimcast.sandbox.orders import (
    SCRATCH,
    SETUP_FAILED,
    SHARED,
    SHARED_MEMORY,
    TEMPORARY,
    WORK,
    Bounds,
    Orders,
)

MIB = 1024 * 1024

_FLAGS = {
    Layer.user_namespace: Namespace.USER,
    Layer.mount_namespace: Namespace.MOUNT,
    Layer.pid_namespace: Namespace.PID,
    Layer.net_namespace: Namespace.NET,
    Layer.ipc_namespace: Namespace.IPC,
    Layer.uts_namespace: Namespace.UTS,
    Layer.cgroup_namespace: Namespace.CGROUP,
}

_DEVICES = ("/dev/null", "/dev/full", "/dev/random", "/dev/urandom")


def namespaces(orders: Orders) -> Namespace:
    """Return the kinds of namespaces that a child gets."""
    kinds = Namespace(0)
    for layer, kind in _FLAGS.items():
        if orders.has(layer):
            kinds |= kind
    return kinds


def fork(orders: Orders, run: Callable[[], None]) -> int:
    """Fork a child that calls ``run``, which must not return. Return the id of the process to kill and to wait for."""
    kinds = namespaces(orders)
    uid, gid = os.getuid(), os.getgid()
    pid = kernel.clone(kinds) if kinds else os.fork()
    if pid:
        return pid
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        kernel.die_with_parent(signal.SIGKILL if kinds else signal.SIGTERM)
        kernel.keep_memory_private(private=False)  # else the kernel refuses what follows; nothing can look in
        os.setsid()
        if Namespace.USER in kinds:
            kernel.map_identity(uid, gid)
        _mount(orders)
        if orders.has(Layer.keeper):
            keeper.keep()
        run()
    except BaseException as error:  # noqa: BLE001  a forked child must never return into the zygote's loop
        os.write(2, f"the child could not be set up: {error}\n".encode())
    os._exit(SETUP_FAILED)


def _mount(orders: Orders) -> None:
    """Give this child its own file system, of limited size, and its own view of processes."""
    if not orders.has(Layer.mount_namespace):
        return
    if not orders.has(Layer.bubblewrap):  # which has done so already
        kernel.mount("none", "/", None, Mount.RECURSIVE | Mount.PRIVATE)
    if orders.has(Layer.own_files):
        size = f"size={orders.bounds.files_bytes},nr_inodes={orders.bounds.files},mode=700"
        kernel.mount("render", orders.files_at, "tmpfs", HARMLESS, size)
        for name in (WORK, SCRATCH, SHARED):
            Path(orders.files_at, name).mkdir(mode=0o700)
        for name, place in ((SHARED, SHARED_MEMORY), (SCRATCH, TEMPORARY)):
            if _is_apart(place, orders):
                kernel.mount(f"{orders.files_at}/{name}", place, None, Mount.BIND)
    if orders.has(Layer.own_proc):
        kernel.mount("proc", "/proc", "proc", HARMLESS)


def _is_apart(place: str, orders: Orders) -> bool:
    """Whether ``place``, where programs expect to write, is a folder other than the one that is the child's."""
    return Path(place).is_dir() and not Path(place).is_symlink() and place != orders.files_at


def settle(wire: int, place: int, log: int, orders: Orders) -> Path:
    """Make this fresh child a render: its descriptors, directory, environment, limits and restrictions.

    ``place`` is the working directory or, where the child has files of its own, a socket over which it hands that
    directory out. Afterwards standard output and error go to ``log``, standard input is empty, and only ``wire`` is
    open besides. Returns the directory.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if orders.has(Layer.own_files):
        os.chdir(Path(orders.files_at, WORK))
        _hand_out(place)
    else:
        os.fchdir(place)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    _close_all_but(wire)
    here = Path.cwd()
    temporary = here.with_name(SCRATCH) if orders.has(Layer.own_files) else here / SCRATCH
    temporary.mkdir(exist_ok=True)
    tempfile.tempdir = None
    _set_environment(here, temporary)
    sys.argv = ["manimcast"]
    _limit(orders.bounds, counted=orders.has(Layer.memory_cgroup))
    kernel.drop_capabilities()
    kernel.no_new_privileges()
    if orders.has(Layer.landlock):
        landlock.restrict(orders.landlock_abi, _rules(orders, here))
    if orders.has(Layer.seccomp):
        kernel.restrict_system_calls(orders.seccomp)
    return here


def _hand_out(descriptor: int) -> None:
    """Send a descriptor of the working directory to the trusted side, which takes the finished files through it."""
    directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    with socket.socket(fileno=descriptor) as channel:
        socket.send_fds(channel, [b"."], [directory])
    os.close(directory)


def _set_environment(here: Path, temporary: Path) -> None:
    path = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")
    os.environ.clear()
    os.environ.update(
        {
            "HOME": str(here),
            "LANG": "C.UTF-8",
            "MESA_SHADER_CACHE_DISABLE": "true",  # it would be gone with the render, and takes a lock
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


def _rules(orders: Orders, here: Path) -> list[Rule]:
    """Return what Landlock lets through: reading and running the system, and everything else only in ``here``."""
    rules = [Rule(path, landlock.READ_AND_RUN) for path in orders.readable]
    rules += [Rule(path, landlock.READ_AND_WRITE_FILE) for path in _DEVICES]
    rules.append(Rule("/proc", landlock.READ))
    if orders.has(Layer.own_files):
        # The other places are the same file system, but Landlock goes by where it is mounted.
        places = [place for place in (SHARED_MEMORY, TEMPORARY) if _is_apart(place, orders)]
        return [*rules, *(Rule(place, landlock.WORK) for place in (orders.files_at, *places))]
    return [*rules, Rule(str(here), landlock.WORK)]


def lift_soft_memory_limit() -> None:
    """Give a render that ran out of memory a little more, to say so with."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _limit(bounds: Bounds, *, counted: bool) -> None:
    # What waits in pipes and sockets is memory that only a control group counts.
    descriptors = 512 if counted else 128
    # A single process meets this before the watch on all of them, and can then say where it was.
    mapped, resident = tree.own_size()
    space = mapped + max(bounds.memory - resident, bounds.memory // 2)
    for kind, soft, hard in (
        (resource.RLIMIT_AS, space, space + 128 * MIB),
        (resource.RLIMIT_FSIZE, bounds.file_bytes, bounds.file_bytes),
        (resource.RLIMIT_CPU, bounds.cpu_seconds, bounds.cpu_seconds),
        (resource.RLIMIT_NPROC, bounds.processes, bounds.processes),
        (resource.RLIMIT_NOFILE, descriptors, descriptors),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
        (resource.RLIMIT_MSGQUEUE, 0, 0),
    ):
        ceiling = resource.getrlimit(kind)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)  # noqa: PLW2901  an operator's own limit stays
        resource.setrlimit(kind, (soft, hard))


def _close_all_but(keep: int) -> None:
    os.closerange(3, keep)
    os.closerange(keep + 1, max(keep + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0]))
