"""What the kernel offers to confine untrusted code with; told by `manimcast doctor` as information."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from manimcast.cli.checks import Finding, State

_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_VERSION = 1
_APPARMOR_SWITCH = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")

_UNSHARE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
uid = os.getuid()
if libc.unshare(NEWUSER | NEWNS | NEWIPC | NEWPID | NEWNET):
    sys.exit(os.strerror(ctypes.get_errno()))
with open("/proc/self/uid_map", "w") as ids:
    ids.write(f"0 {uid} 1")
if libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
    sys.exit("no right to mount inside: " + os.strerror(ctypes.get_errno()))
"""
"""Runs in a process of its own: enter fresh namespaces, and use the rights that one should have in them."""


def namespaces() -> Finding:
    """User namespaces that really give rights; on some systems one may enter them and then do nothing."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _UNSHARE], capture_output=True, text=True, timeout=20, check=False
    )
    if done.returncode == 0:
        return Finding("User namespaces", State.ok, "usable")
    reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"
    remedy = "allow them: sysctl -w kernel.unprivileged_userns_clone=1, or the container's seccomp profile"
    if _APPARMOR_SWITCH.exists() and _APPARMOR_SWITCH.read_text().strip() == "1":
        remedy = "AppArmor restricts them: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    return Finding("User namespaces", State.info, f"not usable: {reason}", remedy)


def bubblewrap() -> Finding:
    """bwrap, tried by running something in it."""
    program = shutil.which("bwrap")
    if program is None:
        return Finding("bubblewrap", State.info, "not installed", "apt-get install bubblewrap")
    done = subprocess.run(
        [program, "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", shutil.which("true") or "/bin/true"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    if done.returncode:
        return Finding("bubblewrap", State.info, f"does not run: {done.stderr.strip()[:200]}")
    return Finding("bubblewrap", State.ok, "runs")


def landlock() -> Finding:
    """Landlock, by the version that the kernel reports."""
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION)
    if version < 0:
        reason = os.strerror(ctypes.get_errno())
        return Finding("Landlock", State.info, f"not there ({reason})", "Linux 5.13 or newer with lsm=...,landlock")
    return Finding("Landlock", State.ok, f"ABI {version} (Linux {platform.release()})")


def seccomp() -> Finding:
    """Seccomp filters."""
    actions = Path("/proc/sys/kernel/seccomp/actions_avail")
    try:
        known = actions.read_text().split()
    except OSError:
        return Finding("seccomp", State.info, "not there", "a kernel with CONFIG_SECCOMP_FILTER")
    return Finding("seccomp", State.ok, f"filters, with {len(known)} actions")


ALL = (namespaces, bubblewrap, landlock, seccomp)
