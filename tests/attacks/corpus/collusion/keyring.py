"""One render leaves a key in the keyring of their common user, and another one finds it.

What the first has seen outlives it, and the tenant after it can read it.
"""

EXPECT = "stopped"

USER_KEYRING, SEARCH, UNLINK = -4, 10, 9


def attack(target):
    name = target.folder.encode()
    if target.step == "leave":
        target.syscall("add_key", b"user", name, b"remember me", 11, USER_KEYRING)
        return None
    key = target.syscall("keyctl", SEARCH, USER_KEYRING, b"user", name, 0)
    target.syscall("keyctl", UNLINK, key, USER_KEYRING)
    return f"key {key}"


def drive(host):
    host.render(step="leave")
    host.render(step="find")
