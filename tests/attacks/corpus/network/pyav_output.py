"""Has PyAV send a video to the network while it writes it.

It needs no more than a file name that is an address.
"""

import av
import numpy as np

EXPECT = "stopped"


def attack(target):
    try:
        with av.open(f"tcp://127.0.0.1:{target.tcp_port}", "w", format="mpegts") as video:
            stream = video.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
            video.mux([*stream.encode(frame), *stream.encode(None)])
    except av.error.FFmpegError:
        return  # whether it spoke, the one it spoke to knows
