"""Gives PyAV a video with wrong bytes in it, which FFmpeg reads in C.

FFmpeg has decoders of everything, and each has had its holes.
"""

import random

import av
import numpy as np

EXPECT = {"stopped", "killed"}
BARE = {"stopped", "killed"}


def attack(target):
    with av.open("whole.mp4", "w") as video:
        stream = video.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for shade in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), shade * 20, np.uint8), "rgb24")
            video.mux(stream.encode(frame))
        video.mux(stream.encode(None))
    with open("whole.mp4", "rb") as file:
        original = file.read()
    chance = random.Random(0)
    for _ in range(20):
        broken = bytearray(original)
        for _ in range(20):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        with open("broken.mp4", "wb") as file:
            file.write(broken)
        try:
            with av.open("broken.mp4") as video:
                list(video.decode(video=0))
        except (av.error.FFmpegError, IndexError, ValueError):
            continue
