"""What the trusted side tells the warm process when it starts it: the layers to apply, and the bounds of a child.

It travels as one argument of the command line, and holds nothing of a job.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from dataclasses import dataclass, field

from manimcast.sandbox.layers import Layer

TEMPORARY = "/tmp"  # noqa: S108  never used on the host itself
SHARED_MEMORY = "/dev/shm"  # noqa: S108
"""Where programs expect to be able to write."""
WORK, SCRATCH, SHARED = "work", "tmp", "shm"
"""Folders in a child's own file system: its working directory, and what stands in for those two places."""

SETUP_FAILED = 97
"""Exit status of a child that could not be confined. A scene may end with the same."""


@dataclass(frozen=True)
class Bounds:
    """What a child may have.

    ``memory``, in bytes, and ``processes``, counted in threads, bound all its processes together; the length of a
    file in bytes and the CPU time in seconds bound each. ``files_bytes`` and ``files`` bound its own file system, by
    size and by number, where it has one.
    """

    memory: int
    file_bytes: int
    cpu_seconds: int
    processes: int
    files_bytes: int = 1 << 30
    files: int = 20_000


@dataclass(frozen=True)
class Orders:
    """How to confine children.

    Attributes
    ----------
    layers
        What was found to work on this host, and is to be applied to each child. A child to which one of them cannot
        be applied does not run.
    bounds
        What a child may have.
    readable
        Folders and files that children may read, and run programs from, besides their own files.
    landlock_abi
        Version of Landlock to apply; 0 for none.
    files_at
        The folder in whose place each child gets a file system of its own.
    seccomp
        The filter of system calls, an array of ``struct sock_filter``; empty for none.
    """

    layers: frozenset[Layer]
    bounds: Bounds
    readable: tuple[str, ...] = ()
    landlock_abi: int = 0
    files_at: str = TEMPORARY
    seccomp: bytes = field(default=b"", repr=False)

    def has(self, *layers: Layer) -> bool:
        """Whether all of ``layers`` are in force."""
        return self.layers.issuperset(layers)

    def dumps(self) -> str:
        """Return the orders as one line of text."""
        plain = dataclasses.asdict(self)
        plain["layers"] = sorted(self.layers)
        plain["seccomp"] = base64.b64encode(self.seccomp).decode("ascii")
        return json.dumps(plain)

    @classmethod
    def loads(cls, text: str) -> Orders:
        """Return the orders in ``text``."""
        plain = json.loads(text)
        return cls(
            layers=frozenset(map(Layer, plain["layers"])),
            bounds=Bounds(**plain["bounds"]),
            readable=tuple(plain["readable"]),
            landlock_abi=plain["landlock_abi"],
            files_at=plain["files_at"],
            seccomp=base64.b64decode(plain["seccomp"]),
        )
