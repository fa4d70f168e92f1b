"""Defines scenes whose names are paths, pages, or not even texts; manim makes names of files of them.

A name that is a path becomes a file where the path says.
"""

EXPECT = {"rendered", "exception", "scene_not_found", "no_scene"}
BARE = "rendered"  # the engine names its files itself

NAMES = (
    "../" * 20 + "{folder}/made",  # however deep the work folder lies
    "{folder}/made",
    "a/b",
    "a\x00b",
    "-x",
    "." * 200,
    "\x1b[2J",
    " ",
    "con:",
    "💥",
)
SCENE = """
class Shown(Scene):
    def construct(self): self.wait(0.1)


Shown.__name__ = Shown.__qualname__ = {name!r}
"""


def drive(host):
    for name in NAMES:
        name = name.format(folder=host.planted.folder)
        answer = host.render(SCENE.format(name=name), format="mp4", frame_rate=5)
        if answer.status >= 500 or answer.outcome not in EXPECT:
            return f"{name!r}: {answer.status} {answer.outcome} {answer.detail[:200]}"
