"""How the engine copies its own process: with a pipe, and without the scene noticing."""

from __future__ import annotations

import os
import random

from manimcast.engine import memory
from manimcast.engine.behind import wait_for_all


def fork() -> tuple[int, int, int]:
    """Fork; return the new process's id (0 in the new one) and both ends of a pipe, the reader's first.

    Each process is to close the end that it does not use. The generators of chance are the same in both: CPython seeds
    ``random`` anew in a forked process. Raises :class:`OSError`, and leaves nothing open, when the system refuses.
    """
    wait_for_all()  # what encoders hold is free then
    memory.give_back()
    chance = random.getstate()
    reader, writer = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        raise
    if pid == 0:
        try:
            random.setstate(chance)
        except BaseException:  # noqa: BLE001  whatever the scene has put in its place, there must not be two renders
            os._exit(1)
    return pid, reader, writer
