"""The layers that keep a render in: what each is called, and which of them the full tier needs.

Both halves of the sandbox and the processes between them speak of layers by these names; health, ``manimcast doctor``
and each render's report show them.
"""

from __future__ import annotations

from enum import StrEnum


class Tier(StrEnum):
    """How well scenes are confined: all of :data:`FULL`, some of it, or nothing that would hold an attacker."""

    full = "full"
    weak = "weak"
    none = "none"


class Layer(StrEnum):
    """One thing that stands between a scene and everything else."""

    bubblewrap = "bubblewrap"
    user_namespace = "user_namespace"
    mount_namespace = "mount_namespace"
    pid_namespace = "pid_namespace"
    net_namespace = "net_namespace"
    ipc_namespace = "ipc_namespace"
    uts_namespace = "uts_namespace"
    cgroup_namespace = "cgroup_namespace"
    own_proc = "own_proc"
    own_files = "own_files"
    landlock = "landlock"
    seccomp = "seccomp"
    no_capabilities = "no_capabilities"
    no_new_privileges = "no_new_privileges"
    not_root = "not_root"
    rlimits = "rlimits"
    other_user = "other_user"
    keeper = "keeper"
    memory_cgroup = "memory_cgroup"
    pids_cgroup = "pids_cgroup"


NAMESPACES = (
    Layer.user_namespace,
    Layer.mount_namespace,
    Layer.pid_namespace,
    Layer.net_namespace,
    Layer.ipc_namespace,
    Layer.uts_namespace,
    Layer.cgroup_namespace,
)

FULL = frozenset(
    {
        Layer.bubblewrap,
        *NAMESPACES,
        Layer.own_proc,
        Layer.own_files,
        Layer.landlock,
        Layer.seccomp,
        Layer.no_capabilities,
        Layer.no_new_privileges,
        Layer.not_root,
        Layer.rlimits,
    }
)
"""What the full tier needs, all of it."""

CONFINING = FULL - {Layer.rlimits, Layer.no_capabilities, Layer.no_new_privileges, Layer.not_root}
"""What takes something out of a scene's reach. Without any of these a host confines nothing."""


def tier_of(layers: frozenset[Layer]) -> Tier:
    """Return the tier that ``layers`` amount to."""
    if layers >= FULL:
        return Tier.full
    return Tier.weak if layers & CONFINING else Tier.none


def exposures(layers: frozenset[Layer]) -> list[str]:
    """Return what a scene could do on a host with only ``layers``, the gravest first, in words to follow "could"."""
    found = []
    if Layer.not_root not in layers:
        found.append("act as root wherever nothing else holds it")
    if not layers & {Layer.bubblewrap, Layer.landlock}:
        found.append("read and change every file that the service's user can, its settings and keys included")
    elif Layer.bubblewrap not in layers:
        found.append(
            "learn which files there are on this machine, and change permissions and times of those of its user"
        )
    if not layers & {Layer.net_namespace, Layer.seccomp}:
        found.append("reach the network and every service on this machine")
    if Layer.pid_namespace not in layers or Layer.own_proc not in layers:
        found.append("see other processes of its user, and signal or trace them where the kernel lets it")
    if Layer.seccomp not in layers:
        found.append("use every system call, and so whatever hole one of them has")
    if Layer.own_files not in layers:
        found.append("fill the disk")
    return found
