"""Opens file systems and mounts through the newer interface, which filters tend to forget.

Who forbids mount alone has forbidden half of it.
"""

import contextlib

EXPECT = "stopped"


def attack(target):
    opened = []
    for call in (
        lambda: target.syscall("open_tree", -100, b"/", 0),
        lambda: target.syscall("open_tree", -100, b"/", 1),
        lambda: target.syscall("fsopen", b"tmpfs", 0),
        lambda: target.syscall("fsopen", b"proc", 0),
    ):
        with contextlib.suppress(OSError):
            opened.append(call())
    return opened
