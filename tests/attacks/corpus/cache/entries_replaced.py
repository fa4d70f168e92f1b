"""Replaces kept segments on the host's disk, as a failing disk or a careless hand would: garbage, cut off, swapped.

Whoever trusts what lies there shows it.
"""

EXPECT = "rendered"
BARE = "rendered"  # what is read is compared with its digest, whatever the tier

SCENE = """
class Shown(Scene):
    def construct(self):
        square = Square()
        self.play(Create(square), run_time=0.4)
        self.play(square.animate.shift(RIGHT), run_time=0.4)
        self.play(FadeOut(square), run_time=0.4)
"""


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


KINDS = {
    "a bit": flipped,
    "garbage": lambda content: b"\xff" * len(content),
    "cut off": lambda content: content[:-1],
    "half": lambda content: content[: len(content) // 2],
    "nothing": lambda _: b"",
    "longer": lambda content: content + content,
}


def drive(host):
    honest = host.video(host.render(SCENE, tenant="first"))
    folder = host.server.data / "cache" / "segments"
    for kind, damage in {**KINDS, "another one": None, "gone": None}.items():
        kept = [path for path in folder.rglob("*") if path.is_file()]
        assert len(kept) >= 3, kept
        contents = [path.read_bytes() for path in kept]
        for number, path in enumerate(kept):
            if damage:
                path.write_bytes(damage(contents[number]))
            elif kind == "gone":
                path.unlink()
            else:
                path.write_bytes(contents[number - 1])
        again = host.render(SCENE, tenant="first")
        if again.body["cache"]["hit"] != "none" or host.video(again) != honest:
            return f"{kind}: {again.body}"
        whole = host.render(SCENE, tenant="first")  # what was damaged has been made anew
        if whole.body["cache"]["hit"] != "segments" or host.video(whole) != honest:
            return f"{kind}, the second time: {whole.body}"
