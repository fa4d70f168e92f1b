"""The bubblewrap command around the warm process: a system that is read-only and holds only what rendering needs.

Inside there is no home directory, no checkout, no data of the service, no device but the harmless ones, no network,
and no process of the host. What children may write is theirs alone, and is mounted for each of them.

Always an ordinary user starts it, in a user namespace of its own. When the service is root, a first bubblewrap, run
by root, only lays the same folders out where that user can read them (a checkout in /root can otherwise be entered by
nobody else), and ``setpriv`` then becomes that user.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import manimcast
from manimcast.sandbox.host import environment
from manimcast.sandbox.orders import SCRATCH, SHARED_MEMORY, TEMPORARY

COPY = Path("/usr/local/lib/manimcast/bwrap")
"""A copy of the program that `./dev setup sandbox` makes where AppArmor restricts the one on the PATH."""
FILES = "/render"
"""Where the files of a child lie: a folder that no host has, so that nothing of it is hidden."""

_SYSTEM = (
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/share",
    "/usr/local/share/fonts",
    "/usr/local/lib/python{version}",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/glvnd",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/texmf",
    "/etc/paperspecs",
    "/etc/papersize",
    "/var/cache/fontconfig",
    "/var/lib/texmf",
)
"""What of the system there is inside, where the host has it: programs, libraries, fonts, TeX, and no settings."""

_MERGED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
_DEVICES = ("null", "full", "random", "urandom")
"""Not /dev/zero: mapped and shared, it is memory that counts for nobody."""
_RIGHTS = tuple(part for name in ("SETUID", "SETGID", "SETPCAP") for part in ("--cap-add", f"CAP_{name}"))
"""What becoming another user takes."""


def readable(further: Iterable[Path] = ()) -> tuple[str, ...]:
    """Return the host's folders and files that are visible inside: the system's, Python's, and ``further`` ones."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = [path.format(version=version) for path in _SYSTEM]
    wanted += [path for path in _MERGED if not Path(path).is_symlink()]
    wanted += [*_python(), str(COPY)]
    wanted += [str(path.absolute()) for path in further]
    found = sorted({path.rstrip("/") for path in wanted if Path(path).exists()})
    # What lies beneath another one is there already.
    return tuple(path for path in found if not any(path.startswith(f"{other}/") for other in found))


def _python() -> list[str]:
    """Return where this Python, its packages and this package lie."""
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix} - {"/usr", "/"}
    if "/usr/local" in prefixes:  # a Python image's; not everything else that is put there
        prefixes = prefixes - {"/usr/local"} | {"/usr/local/bin", "/usr/local/lib"}
    real = Path(sys.executable).resolve().parent  # what the links in a virtual environment lead to
    return [*prefixes, str(real), str(Path(manimcast.__file__).parent)]


def command(
    inner: Sequence[str],
    *,
    paths: Sequence[str],
    become: tuple[int, int] | None,
) -> list[str]:
    """Return the command that runs ``inner`` inside.

    It must be started with nothing in the environment that ``inner`` may not know: what bubblewrap was started with
    can be read inside, in its own entry in /proc, whatever it passes on.

    Parameters
    ----------
    inner
        The program and its arguments.
    paths
        What is visible, as :func:`readable` returns it.
    become
        User and group to run as, when the service is root.
    """
    confined = [
        *(program() or "bwrap", "--die-with-parent", "--new-session", "--hostname", "render"),
        *(f"--unshare-{kind}" for kind in ("user", "ipc", "pid", "net", "uts", "cgroup")),
    ]
    confined += [*_layout(paths), "--proc", "/proc"]
    for name in _DEVICES:
        confined += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    confined += ["--dir", SHARED_MEMORY, "--symlink", "/proc/self/fd", "/dev/fd"]
    confined += ["--perms", "0700", "--tmpfs", FILES, "--dir", f"{FILES}/{SCRATCH}"]
    if not any(path.startswith(f"{TEMPORARY}/") for path in paths):
        confined += ["--symlink", f"{FILES}/{SCRATCH}", TEMPORARY]
    confined += ["--remount-ro", "/", "--chdir", "/", "--", *inner]
    if become is None:
        return confined
    return [
        # Its own pid namespace, since the kernel would not pass its end on to another user's process.
        *(program() or "bwrap", "--die-with-parent", "--unshare-pid", *_layout(paths)),
        *("--dev-bind", "/dev", "/dev", "--bind", "/proc", "/proc"),
        # Where the second one builds its own system.
        *("--perms", "0755", "--dir", TEMPORARY, "--chdir", "/"),
        *("--cap-drop", "ALL", *_RIGHTS, "--"),
        *environment.become(become),
        *confined,
    ]


def _layout(paths: Sequence[str]) -> list[str]:
    """Return the options that make the visible folders, each where it is on the host."""
    made = ["--perms", "0755", "--tmpfs", "/"]
    parents = sorted({str(parent) for path in paths for parent in Path(path).parents} - {"/"})
    for parent in parents:
        made += ["--perms", "0755", "--dir", parent]
    for path in paths:
        made += ["--ro-bind", path, path]
    for name in _MERGED:
        if Path(name).is_symlink():
            made += ["--symlink", os.readlink(name), name]  # noqa: PTH115  the text of the link, as it is
    return made


def program() -> str | None:
    """Return where bubblewrap is, or None when it is not installed."""
    return str(COPY) if COPY.exists() else shutil.which("bwrap")
