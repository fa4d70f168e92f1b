"""Has PyAV open a video by its address in the network; FFmpeg speaks dozens of protocols by itself.

No socket is made by Python.
"""

import av

EXPECT = "stopped"


def attack(target):
    for address in (f"http://127.0.0.1:{target.tcp_port}/a.mp4", f"tcp://127.0.0.1:{target.tcp_port}"):
        try:
            av.open(address, timeout=2).close()
        except av.error.FFmpegError:
            continue  # whether it spoke, the one it spoke to knows
        return f"opened {address}"
