"""Types into the terminal that the service was started from.

What it types, the operator's shell runs.
"""

import fcntl
import termios

EXPECT = "stopped"
BARE = "stopped"  # a render is in a session of its own, without a terminal


def attack(target):
    with open("/dev/tty", "rb+", buffering=0) as terminal:
        fcntl.ioctl(terminal, termios.TIOCSTI, b" ")
    return "typed"
