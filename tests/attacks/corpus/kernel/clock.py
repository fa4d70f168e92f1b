"""Sets the clock of the machine.

Signatures, certificates, logs and leases depend on it.
"""

import time

EXPECT = "stopped"
DANGEROUS = "it would set the clock of the machine"


def attack(target):
    time.clock_settime(time.CLOCK_REALTIME, 0)
    return "it is 1970"
