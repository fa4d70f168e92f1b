"""Reads from /proc what listens on the machine, and who is connected.

It is the map for the next attack.
"""

from pathlib import Path

EXPECT = "stopped"


def attack(target):
    ports = [f":{port:04X} " for port in (target.service_port, target.tcp_port)]
    return [line for line in Path("/proc/net/tcp").read_text().splitlines() if any(port in line for port in ports)]
