"""Uploads archives whose entries lie elsewhere: above, at absolute places, behind links, twice, under the scene's name.

The oldest trick with archives, for each of the ways that one has to name a place.
"""

import io
import stat
import zipfile

EXPECT = "exception"
BARE = "exception"  # what unpacks refuses it, in every tier

SCENE = "class Shown(Scene):\n    def construct(self): self.wait(0.1)"


def _zip(*entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, mode, content in entries:
            info = zipfile.ZipInfo("x")
            info.filename = info.orig_filename = name
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return out.getvalue()


def drive(host):
    plain, link = stat.S_IFREG | 0o644, stat.S_IFLNK | 0o777
    outside = str(host.planted.folder)
    for number, entries in enumerate(
        (
            [("../out.txt", plain, "x")],
            [("a/../../../../../../tmp/out.txt", plain, "x")],
            [(f"{outside}/out.txt", plain, "x")],
            [("a\0b.txt", plain, "x")],
            [("..\\out.txt", plain, "x")],
            [("scene.py", plain, "x")],
            [("media/out.txt", plain, "x")],
            [("link", link, outside), ("link/out.txt", plain, "x")],
            [("pipe", stat.S_IFIFO | 0o644, "")],
            [("device", stat.S_IFCHR | 0o666, "")],
            [("random.py", plain, "x")],
        )
    ):
        asset = host.upload(f"{number}.zip", _zip(*entries))
        answer = host.render(SCENE, assets=[asset])
        host.send("DELETE", f"/v1/assets/{asset}")
        if answer.outcome != "exception":
            return f"{entries!r}: {answer.outcome} {answer.detail}"
    return None
