"""Find out, by doing it, which layers this host allows; what is found is printed as one JSON object.

Run as ``python -m manimcast.sandbox.inside.probe ORDERS``, in the place where the warm process would run: within
bubblewrap, where there is one. Each layer is tried in a child that is thrown away. Imports nothing heavy, so that a
service knows within a tenth of a second whether it can confine.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from manimcast.sandbox.inside import confine, kernel, landlock
from manimcast.sandbox.inside.landlock import Rule
from manimcast.sandbox.layers import NAMESPACES, Layer
from manimcast.sandbox.orders import SHARED_MEMORY, TEMPORARY, Orders

Findings = dict[str, str | None]
"""By layer: None when it works, else why not."""


def examine(orders: Orders) -> tuple[Findings, int]:
    """Try every layer. Return what was found, and the version of Landlock, 0 when there is none.

    Of ``orders`` the bounds and the filter are tried, and whether bubblewrap is in force is believed.
    """
    given = orders.layers & {Layer.bubblewrap}
    found: Findings = _namespaces(orders, given)
    own = frozenset(Layer(name) for name in NAMESPACES if found[name] is None)
    for layer, attempt in ((Layer.own_proc, _has_own_proc), (Layer.own_files, lambda: _has_own_files(orders))):
        if Layer.mount_namespace not in own or (layer is Layer.own_proc and Layer.pid_namespace not in own):
            found[layer] = "it takes a mount namespace and a pid namespace"
        else:
            found[layer] = _tried(dataclasses.replace(orders, layers=given | own | {layer}), attempt)
    plain = dataclasses.replace(orders, layers=frozenset())
    version = 0
    try:
        version = landlock.abi()
        found[Layer.landlock] = _tried(plain, lambda: _landlock_holds(version))
    except OSError as error:
        found[Layer.landlock] = str(error)
    found[Layer.seccomp] = _tried(plain, lambda: _filter_holds(orders.seccomp)) if orders.seccomp else "no filter"
    found[Layer.no_capabilities] = _tried(plain, _loses_capabilities)
    found[Layer.no_new_privileges] = _tried(plain, kernel.no_new_privileges)
    found[Layer.not_root] = None if os.getuid() != 0 else "the warm process runs as root"
    found[Layer.rlimits] = None
    return found, version if found[Layer.landlock] is None else 0


def _namespaces(orders: Orders, given: frozenset[Layer]) -> Findings:
    """All of them together if they can be had, else those that work one by one, with the user's or without."""
    for kinds in (frozenset(NAMESPACES), frozenset(NAMESPACES) - {Layer.user_namespace}):
        reason = _tried(dataclasses.replace(orders, layers=given | kinds), _nothing)
        if reason is None:
            return {name: None if name in kinds else "not permitted here" for name in NAMESPACES}
    first = _tried(dataclasses.replace(orders, layers=given | {Layer.user_namespace}), _nothing)
    return dict.fromkeys(NAMESPACES, first or reason)


def _tried(orders: Orders, attempt: Callable[[], None]) -> str | None:
    """Do ``attempt`` in a child with the layers of ``orders``; return None when it succeeds, else why it did not."""
    reader, writer = os.pipe()

    def run() -> None:
        try:
            attempt()
        except BaseException as error:  # noqa: BLE001  whatever it is, it is the answer
            os.write(writer, str(error).encode()[:500] or b"no reason given")
            os._exit(1)
        os._exit(0)

    kept = os.dup(2)
    os.dup2(writer, 2)  # what the fork itself has to say
    try:
        pid = confine.fork(orders, run)
    except OSError as error:
        return str(error)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(writer)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(reader, "rb") as answer:
        said = answer.read(500).decode(errors="replace").strip()
    return None if status == 0 else said or f"the attempt ended with status {status}"


def _nothing() -> None:
    """Forking is the attempt."""


def _has_own_proc() -> None:
    seen = [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    if seen != ["1"]:
        raise OSError(f"/proc shows {len(seen)} processes")


def _has_own_files(orders: Orders) -> None:
    if any(path.startswith(f"{orders.files_at}/") for path in orders.readable):
        raise OSError(f"it would hide what lies in {orders.files_at}, which is needed")
    for place in (orders.files_at, TEMPORARY, SHARED_MEMORY):
        if place is not TEMPORARY or Path(place).is_symlink():
            Path(place, "probe").write_bytes(b"\0" * 4096)
    size = os.statvfs(orders.files_at)
    if size.f_blocks * size.f_frsize > 1 << 40:
        raise OSError("the file system's size is not limited")


def _landlock_holds(version: int) -> None:
    landlock.restrict(version, [Rule("/proc", landlock.READ)])
    try:
        next(Path("/").iterdir())
    except PermissionError:
        return
    raise OSError("a restricted process could still read /")


def _filter_holds(program: bytes) -> None:
    kernel.no_new_privileges()
    kernel.restrict_system_calls(program)
    try:
        socket.socket(socket.AF_INET).close()
    except PermissionError:
        return
    except OSError as error:
        raise OSError(f"a refused system call said {errno.errorcode.get(error.errno or 0)}") from None
    raise OSError("a filtered process could still open a socket")


def _loses_capabilities() -> None:
    kernel.drop_capabilities()
    status = Path("/proc/self/status").read_text()
    if not all(
        line.split()[1].strip("0") == "" for line in status.splitlines() if line.startswith(("CapEff", "CapPrm"))
    ):
        raise OSError("capabilities are left")


if __name__ == "__main__":
    findings, abi = examine(Orders.loads(sys.argv[1]))
    sys.stdout.write(json.dumps({"layers": findings, "landlock_abi": abi}))
