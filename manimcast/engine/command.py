"""Run one of TeX's programs, within a time, with nothing to read from and nowhere to print to."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from pathlib import Path

TEX_ENVIRONMENT = {"openin_any": "p", "openout_any": "p", "shell_escape": "f"}
"""No reading or writing outside the working directory, no commands."""


def run(command: list[str], directory: Path, deadline: float) -> int:
    """Run ``command`` to its end and return its status, or end it and raise :class:`subprocess.TimeoutExpired`."""
    process = subprocess.Popen(
        command,
        cwd=directory,
        env=os.environ | TEX_ENVIRONMENT | {"TEXMFOUTPUT": str(directory)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    try:
        _await(process, deadline)
        return process.wait(max(0.0, deadline - time.monotonic()))
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def _await(process: subprocess.Popen[bytes], deadline: float) -> None:
    """Wait until ``process`` ends or ``deadline`` is passed, where the kernel tells.

    :mod:`subprocess` by itself looks every 50 ms, which is a quarter of what a formula takes.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
    finally:
        os.close(descriptor)
