"""Two renders at the same time find each other in /proc by an agreed name, and signal each other.

Two that can signal each other can also stop and end each other.
"""

import contextlib
import glob
import os
import signal
import time

EXPECT = "stopped"


def attack(target):
    met = []
    signal.signal(signal.SIGUSR2, lambda *_: met.append("a signal came"))
    name = f"meet-{target.folder[-8:]}"
    with open("/proc/self/comm", "w") as comm:
        comm.write(name)
    end = time.monotonic() + 1
    while time.monotonic() < end and not met:
        for path in glob.glob("/proc/[0-9]*/comm"):
            pid = int(path.split("/")[2])
            with contextlib.suppress(OSError), open(path) as comm:
                if pid != os.getpid() and comm.read().strip() == name:
                    os.kill(pid, signal.SIGUSR2)
                    met.append(f"sent a signal to {pid}")
        time.sleep(0.01)
    return met


def drive(host):
    host.together("one", "two")
