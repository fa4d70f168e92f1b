"""Asks for real-time priority, to keep the processors for itself.

The service could not even be asked to stop it.
"""

import os

EXPECT = "stopped"
BARE = "stopped"  # takes a capability, which every tier gives up


def attack(target):
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    return "runs before everybody else"
