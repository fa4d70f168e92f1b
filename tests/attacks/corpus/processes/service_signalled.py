"""Sends a signal to the service.

One signal, and nobody gets any video any more.
"""

import os

EXPECT = "stopped"


def attack(target):
    os.kill(target.service, 0)
    return "it could have been any signal"
