"""A control group around each child, where the host lets the service make one.

The zygote counts each child's processes and memory and ends one that has too much, but that looks only ten times a
second. A control group cannot be outgrown between two looks, and it also counts what lies in the child's own file
system. Where none can be made (no rights, no controller), ``RLIMIT_NPROC``, ``RLIMIT_AS``, the size of that file
system and the zygote's watch hold.

Both versions of the kernel's interface: version 1 with a hierarchy for each controller, version 2 with one for all.
"""

from __future__ import annotations

import itertools
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from manimcast.sandbox.layers import Layer

_PREFIX = "manimcast-"
_SERVICE = f"{_PREFIX}service"
_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_LAYERS = {"memory": Layer.memory_cgroup, "pids": Layer.pids_cgroup}
_numbers = itertools.count(1)
_left: set[Path] = set()
"""Groups of this service that could not be removed yet."""
_LIMITS = {(1, "memory"): "memory.limit_in_bytes", (2, "memory"): "memory.max"}


@dataclass(frozen=True)
class _Place:
    """Where groups can be made: the version of the interface, the folder, and what is limited there."""

    version: int
    folder: Path
    controllers: tuple[str, ...]


@dataclass
class Group:
    """The control groups of one child.

    ``entrances`` are descriptors of the files that a process enters by writing ``0`` to them; they are this object's
    to close.
    """

    folders: tuple[Path, ...] = ()
    entrances: list[int] = field(default_factory=list)

    def close_entrances(self) -> None:
        """Close the descriptors; the child has its own."""
        while self.entrances:
            os.close(self.entrances.pop())

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel ended a process of the group because its memory was used up."""
        for folder in self.folders:
            for name in ("memory.events", "memory.oom_control"):
                with suppress(OSError, ValueError):
                    for line in (folder / name).read_text().splitlines():
                        if line.startswith("oom_kill ") and int(line.split()[1]):
                            return True
        return False

    def remove(self) -> None:
        """Remove the groups. A process that is still on its way out keeps one, until the next group is made."""
        self.close_entrances()
        for folder in self.folders:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                _left.add(folder)


class Groups:
    """Makes the groups of children, if this host allows it and they are ``wanted``.

    Attributes
    ----------
    layers
        Which limits hold.
    """

    def __init__(self, *, wanted: bool = True) -> None:
        self._places = [place for place in _places() if _usable(place)] if wanted else []

    @property
    def layers(self) -> frozenset[Layer]:
        """Return which limits hold."""
        return frozenset(_LAYERS[name] for place in self._places for name in place.controllers)

    def make(self, *, memory: int, processes: int) -> Group:
        """Return a group for one child: ``memory`` in bytes, ``processes`` counted in threads.

        Raises :class:`OSError` when it cannot be made: a child for which a limit was promised must not run without.
        """
        for folder in list(_left):
            with suppress(OSError):
                folder.rmdir()
                _left.discard(folder)
        name_of_group = _name()
        group = Group()
        limits = {"memory": memory, "pids": processes}
        try:
            for place in self._places:
                folder = place.folder / name_of_group
                folder.mkdir()
                group.folders = (*group.folders, folder)
                for name in place.controllers:
                    file = _LIMITS.get((place.version, name), f"{name}.max")
                    (folder / file).write_text(str(limits[name]))
                if place.version == 2 and "memory" in place.controllers:
                    for file, value in (("memory.oom.group", "1"), ("memory.swap.max", "0")):
                        with suppress(OSError):  # since Linux 4.19; where the host has swap
                            (folder / file).write_text(value)
                group.entrances.append(os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC))
        except OSError:
            group.remove()
            raise
        if self._places:
            # Not before: while it waits, nobody can make a group. A daemon, as nobody waits for it.
            threading.Thread(target=hurry, args=(self._places[0],), daemon=True).start()
        return group


def hurry(place: _Place) -> None:
    """Make the next move of a process a quick one, without moving any.

    Before it moves one, the kernel waits until each processor has come to a point of rest: 14 ms; but not if it has
    done so within the last 10 ms. So while a child is being forked, this process moves to the group in which it is.
    """
    with suppress(OSError):  # then the child waits
        for line in _OWN.read_text().splitlines():
            number, names, path = line.split(":", 2)
            is_its = number == "0" if place.version == 2 else place.controllers[0] in names.split(",")
            if is_its:
                folder = _ROOT / names / path.lstrip("/")  # version 2 has no names
                (folder / "cgroup.procs").write_text("0")


def _name() -> str:
    """Return a name that no other group has: several zygotes of one service make theirs in the same folder."""
    return f"{_PREFIX}{os.getpid()}-{next(_numbers)}"


def _maker_lives(name: str) -> bool:
    """Whether the service that made the group called ``name`` still runs, and may be about to use it."""
    try:
        os.kill(int(name.removeprefix(_PREFIX).partition("-")[0]), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:  # another user's
        return True
    return True


def _places() -> list[_Place]:
    found = []
    with suppress(OSError):
        for line in _OWN.read_text().splitlines():
            number, names, path = line.split(":", 2)
            if number != "0":
                found += [
                    _Place(1, _ROOT / name / path.lstrip("/"), (name,)) for name in names.split(",") if name in _LAYERS
                ]
            else:
                folder = _ROOT / path.removesuffix(f"/{_SERVICE}").lstrip("/")
                found.append(_Place(2, folder, _delegated(folder)))
    return [place for place in found if place.controllers]


def _delegated(folder: Path) -> tuple[str, ...]:
    """Return what groups beneath this process's own can limit, in version 2 of the interface.

    Processes and limits beneath exclude each other there, so the service first moves into a group of its own, which
    is what a host that delegated the folder (systemd's ``Delegate=yes``) expects.
    """
    try:
        there = (folder / "cgroup.controllers").read_text().split()
    except OSError:
        return ()
    wanted = tuple(name for name in _LAYERS if name in there)
    if not wanted or not os.access(folder / "cgroup.subtree_control", os.W_OK):
        return ()
    with suppress(OSError):
        if folder != _ROOT:
            own = folder / _SERVICE
            own.mkdir(exist_ok=True)
            (own / "cgroup.procs").write_text(str(os.getpid()))
        (folder / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in wanted))
    try:
        enabled = (folder / "cgroup.subtree_control").read_text().split()
    except OSError:
        return ()
    return tuple(name for name in wanted if name in enabled)


def _usable(place: _Place) -> bool:
    """Try it, and remove what services that were killed left behind."""
    if not os.access(place.folder, os.W_OK):
        return False
    for old in place.folder.glob(f"{_PREFIX}*-*"):
        if not _maker_lives(old.name):
            with suppress(OSError):
                old.rmdir()
    trial = place.folder / _name()
    try:
        trial.mkdir()
    except OSError:
        return False
    usable = os.access(trial / "cgroup.procs", os.W_OK)
    with suppress(OSError):
        trial.rmdir()
    return usable
