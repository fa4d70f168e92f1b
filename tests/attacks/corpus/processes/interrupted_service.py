"""Sends signals to its whole process group and session, which the service's might be.

Groups and sessions are inherited, if nobody sees to it.
"""

import os
import signal

EXPECT = "stopped"
BARE = "stopped"  # every tier gives renders a session of their own


def attack(target):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    os.killpg(0, signal.SIGHUP)
    return os.getsid(0) == os.getsid(target.service) if os.path.exists(f"/proc/{target.service}") else None
