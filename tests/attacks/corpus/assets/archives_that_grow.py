"""Uploads archives that unpack to far more than they are: one large file, thousands of small ones, a length that lies.

A megabyte of zeros packs to a kilobyte, and nobody looks into an upload before it is unpacked.
"""

import io
import struct
import zipfile

EXPECT = {"exception", "output_too_large"}
BARE = {"exception", "output_too_large"}  # what unpacks counts, in every tier

SCENE = "class Shown(Scene):\n    def construct(self): self.wait(0.1)"


def _zip(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


def drive(host):
    large = _zip([("zeros.txt", bytes(256 << 20))])
    lying = bytearray(large)
    for mark, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        at = lying.index(mark) + offset
        lying[at : at + 4] = struct.pack("<I", 1000)
    for name, content in (
        ("large.zip", large),
        ("lying.zip", bytes(lying)),
        ("many.zip", _zip((f"{number}.txt", bytes(1 << 20)) for number in range(200))),
        ("entries.zip", _zip((f"{number}.txt", b"") for number in range(20_000))),
    ):
        asset = host.upload(name, content)
        answer = host.render(SCENE, assets=[asset])
        host.send("DELETE", f"/v1/assets/{asset}")
        if answer.outcome not in EXPECT:
            return f"{name}: {answer.outcome} {answer.detail}"
    return None
