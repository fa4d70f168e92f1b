"""A process that ends with a render and takes everything with it, for hosts that refuse namespaces.

Where a render is the first process of a pid namespace, the kernel does this.
"""

from __future__ import annotations

import os
import signal
from typing import NoReturn

from manimcast.sandbox.inside import kernel, tree


def keep() -> None:
    """Split into a keeper, which ends whatever the render leaves behind, and the render, which returns."""
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
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
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
