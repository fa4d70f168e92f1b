"""Starts many threads at once.

They count like processes, but are not found by who lists processes.
"""

import threading

EXPECT = {"stopped", "forbidden"}
BARE = {"escaped", "stopped", "forbidden"}  # a limit of the process itself, in every tier

MANY = 200


def attack(target):
    done = threading.Event()
    threading.stack_size(65536)
    started = 0
    try:
        for _ in range(MANY):
            threading.Thread(target=done.wait, daemon=True).start()
            started += 1
    except RuntimeError:
        return None  # can't start new thread
    finally:
        done.set()
    return f"{started} threads"
