"""Uploads pictures and drawings that are small to send and huge to decode, and files that only begin like one.

Whatever decodes them must be inside the sandbox, and within its memory.
"""

import struct
import zlib

EXPECT = {"exception", "out_of_memory", "killed", "timeout"}
BARE = {"exception", "out_of_memory", "killed", "timeout"}  # Pillow's own bound holds there too

PNG = "class Shown(Scene):\n    def construct(self):\n        self.add(ImageMobject('a.png'))\n        self.wait(0.1)"
SVG = "class Shown(Scene):\n    def construct(self):\n        self.add(SVGMobject('a.svg'))\n        self.wait(0.1)"


def _chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def drive(host):
    head = b"\x89PNG\r\n\x1a\n"
    size = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0)
    huge = head + _chunk(b"IHDR", size) + _chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + _chunk(b"IEND", b"")
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE svg [<!ENTITY a0 "ha">{laughs}]><svg xmlns="http://www.w3.org/2000/svg"><path d="&a9;"/></svg>'
    for name, code, content in (
        ("a.png", PNG, huge),
        ("a.png", PNG, head + b"and nothing of a picture"),
        ("a.svg", SVG, bomb.encode()),
    ):
        asset = host.upload(name, content)
        answer = host.render(code, assets=[asset], timeout=60)
        host.send("DELETE", f"/v1/assets/{asset}")
        if answer.outcome not in EXPECT:
            return f"{name}: {answer.outcome} {answer.detail}"
    return None
