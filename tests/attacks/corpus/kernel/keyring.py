"""Puts a key into a keyring of the kernel.

Keyrings belong to users, not to namespaces of files or processes, and have had their holes.
"""

EXPECT = "stopped"

PROCESS_KEYRING = -2


def attack(target):
    return f"key {target.syscall('add_key', b'user', b'attack', b'remember me', 11, PROCESS_KEYRING)}"
