"""Two renders at the same time speak over the loopback interface.

A namespace of networks that two renders share is a network between them.
"""

import socket
import time

EXPECT = "stopped"


def attack(target):
    address = ("127.0.0.1", 20_000 + target.tcp_port % 10_000)
    if target.step == "one":
        with socket.socket() as mine:
            mine.settimeout(4)
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            mine.bind(address)
            mine.listen()
            try:
                with mine.accept()[0] as other:
                    other.sendall(b"hello")
            except TimeoutError:
                pass
        return None
    end = time.monotonic() + 4
    while time.monotonic() < end:
        try:
            with socket.create_connection(address, 1) as other:
                return other.recv(10)
        except ConnectionRefusedError:
            time.sleep(0.01)


def drive(host):
    host.together("one", "two")
