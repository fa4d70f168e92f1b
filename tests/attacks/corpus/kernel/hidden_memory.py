"""Makes memory that not even the kernel can look into.

No watch on it, and no limit that counts what it sees.
"""

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # kernels are built, or started, without it


def attack(target):
    return f"descriptor {target.syscall('memfd_secret', 0)}"
