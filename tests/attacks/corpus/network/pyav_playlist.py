"""Has PyAV open a harmless file that is a playlist of addresses in the network (a classic of video sites).

What looks like a file of the scene's own makes requests in the service's name.
"""

from pathlib import Path

import av

EXPECT = "stopped"


def attack(target):
    Path("innocent.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n"
        f"http://127.0.0.1:{target.tcp_port}/segment.ts\n#EXT-X-ENDLIST\n"
    )
    options = {"protocol_whitelist": "file,http,tcp,crypto,data", "allowed_extensions": "ALL"}
    try:
        av.open("innocent.m3u8", options=options, timeout=2).close()
    except av.error.FFmpegError:
        return  # whether it spoke, the one it spoke to knows
