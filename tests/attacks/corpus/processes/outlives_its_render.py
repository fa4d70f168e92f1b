"""Starts a process that wants to live on when the render is over.

It would compute for its owner for ever, at somebody else's cost, and meet the next renders.
"""

import os
import signal
import subprocess
import sys

EXPECT = "stopped"
BARE = "stopped"  # every tier ends what a render has started


def attack(target):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
        os._exit(0)
    os.wait()
