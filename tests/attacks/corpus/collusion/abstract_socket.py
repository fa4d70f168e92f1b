"""Two renders at the same time speak over a socket that has only a name.

What one may read, the other could carry out.
"""

import os
import socket
import time

EXPECT = "stopped"


def attack(target):
    name = f"\0{os.path.basename(target.folder)}.meeting"
    with socket.socket(socket.AF_UNIX) as mine:
        mine.settimeout(1)
        if target.step == "one":
            mine.bind(name)
            mine.listen()
            try:
                with mine.accept()[0] as other:
                    other.sendall(b"hello")
            except TimeoutError:
                return None
        end = time.monotonic() + 1
        while time.monotonic() < end:
            try:
                mine.connect(name)
                return mine.recv(10)
            except ConnectionRefusedError:
                time.sleep(0.01)


def drive(host):
    host.together("one", "two")
