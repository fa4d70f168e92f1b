"""What an operator can do about a layer that is missing: the exact command or setting for the host at hand."""

from __future__ import annotations

import os
from pathlib import Path

from manimcast.sandbox.host.bubblewrap import COPY, program
from manimcast.sandbox.layers import Layer

APPARMOR_PROFILE = Path("/etc/apparmor.d/manimcast-bwrap")
APPARMOR_TEXT = f"""\
# Lets a copy of bubblewrap that only manimcast uses, and what it starts, make user namespaces.
abi <abi/4.0>,
include <tunables/global>
profile manimcast-bwrap {COPY} flags=(unconfined) {{
  userns,
  include if exists <local/manimcast-bwrap>
}}
"""
"""What a system whose AppArmor restricts user namespaces (Ubuntu since 23.10) needs.

For a copy of the program: newer systems have a profile of their own for the one in /usr/bin, which takes the rights
away again that scenes are confined with, and two profiles for one program exclude each other.
"""

_APPARMOR_SWITCH = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_DEBIAN_SWITCH = Path("/proc/sys/kernel/unprivileged_userns_clone")
_COUNT = Path("/proc/sys/user/max_user_namespaces")
_CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"), Path("/run/secrets/kubernetes.io"))

HOW_TO = "docs/how-to/run-untrusted-scenes.md"
CONTAINER = (
    "this is a container, and its runtime keeps namespaces back: run the service in it as an ordinary user, and start "
    f"it with the options that {HOW_TO} lists"
)
APPARMOR = f"AppArmor restricts user namespaces: run `./dev setup sandbox`, which writes {APPARMOR_PROFILE}"
INSTALL = "apt-get install bubblewrap"


def of(layer: Layer) -> str:
    """Return what helps when ``layer`` is missing."""
    match layer:
        case Layer.landlock:
            return "Linux 5.13 or newer, with landlock among the security modules (boot with lsm=landlock,...)"
        case Layer.seccomp:
            return "a kernel with seccomp filters, on x86_64 or aarch64"
        case Layer.bubblewrap if program() is None:
            return INSTALL
        case Layer.not_root if not _in_container():
            return "run the service as an ordinary user, or get bubblewrap to work"
        case Layer.no_capabilities | Layer.no_new_privileges:
            return f"see {HOW_TO}"
        case _:
            return _about_namespaces()


def _about_namespaces() -> str:
    if _in_container():
        return CONTAINER
    if is_restricted_by_apparmor():
        return APPARMOR
    if _read(_DEBIAN_SWITCH) == "0":
        return "sysctl -w kernel.unprivileged_userns_clone=1 (and the same in a file in /etc/sysctl.d)"
    if _read(_COUNT) == "0":
        return "sysctl -w user.max_user_namespaces=15000 (and the same in a file in /etc/sysctl.d)"
    if _in_chroot():
        return "this is a chroot, where the kernel refuses namespaces: run in the system itself, or in a container"
    return f"let ordinary users make namespaces; {HOW_TO} lists what forbids it"


def is_restricted_by_apparmor() -> bool:
    """Whether this system lets only chosen programs make user namespaces."""
    return _read(_APPARMOR_SWITCH) == "1"


def _in_container() -> bool:
    """Whether this is a container, by what its runtime leaves as a sign."""
    if "KUBERNETES_SERVICE_HOST" in os.environ or any(mark.exists() for mark in _CONTAINER_MARKS):
        return True
    try:
        return any(part.startswith(b"container=") for part in Path("/proc/1/environ").read_bytes().split(b"\0"))
    except OSError:
        return False


def _in_chroot() -> bool:
    """Whether this process's root is not that of the first process, as far as that can be told."""
    try:
        return not Path("/proc/1/root").samefile("/")
    except OSError:
        return False


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
