"""Replaces kept results on the host's disk: garbage, cut off, one in the place of another.

The same request again would be answered with that.
"""

EXPECT = "rendered"
BARE = "rendered"  # files are compared with the digests in their note, and that with its own, whatever the tier

SCENE = """
class Shown(Scene):
    def construct(self):
        self.play(Create({shape}()), run_time=0.4)
"""

KINDS = {
    "a bit": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "garbage": lambda content: b"\xff" * len(content),
    "cut off": lambda content: content[:-1],
    "nothing": lambda _: b"",
    "longer": lambda content: content + b"?",
}


def drive(host):
    with host.another(result_cache="on") as other:
        scenes = [SCENE.format(shape=shape) for shape in ("Circle", "Square")]
        honest = [other.video(other.render(scene, cache="off", quality="low")) for scene in scenes]
        folder = other.server.data / "cache" / "results"
        for kind, damage in {**KINDS, "another one": None}.items():
            for scene in scenes:
                other.render(scene, tenant="first", cache="refresh", quality="low")
            entries = [path for path in folder.rglob("*") if path.is_file()]
            assert len(entries) >= 4, entries
            contents = {path: path.read_bytes() for path in entries}
            for path in entries:
                swapped = next(each for each in entries if each.name == path.name and each != path)
                path.write_bytes(damage(contents[path]) if damage else contents[swapped])
            for scene, video in zip(scenes, honest, strict=True):
                again = other.render(scene, tenant="first", quality="low")
                if again.body["cache"]["hit"] == "result" or other.video(again) != video:
                    return f"{kind}: {again.body}"
