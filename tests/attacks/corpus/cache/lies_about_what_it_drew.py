"""Offers segments that show something else than their keys say, for the next render of the same scene to take.

First of its own tenant, then of another one, which posts the very same code.
"""

EXPECT = "rendered"
BARE = "rendered"  # whose a segment is goes into its key outside of the render, whatever the tier

SCENE = """
class Shown(Scene):
    def construct(self):
        circle = Circle()
        self.play(Create(circle), run_time=0.4)
        self.play(circle.animate.shift(RIGHT), run_time=0.4)
        self.play(FadeOut(circle), run_time=0.4)
"""

LIE = """
import hashlib, json
from pathlib import Path
from manimcast.engine.fingerprint import fingerprint
from manimcast.sandbox.inside.channel import Channel

honest, made = Channel.offer, {}

def offer(self, segments):
    made.update(segments)
    if not Path("video.mp4").exists():
        return  # its own video shall be put together first
    paths = [path for path in made.values() if path.suffix == ".mp4"]
    first = paths[0].read_bytes()
    for path in paths:
        path.write_bytes(KIND)
    honest(self, made)
    # As if it could say whose they are.
    whose = json.dumps([1, "second", fingerprint()], sort_keys=True).encode()
    honest(self, {hashlib.sha256(whose + key.encode()).hexdigest(): path for key, path in made.items()})

Channel.offer = offer
"""

KINDS = {
    "nothing": "b''",
    "no video": "b'no video at all' * 100",
    "half of one": "path.read_bytes()[:len(path.read_bytes()) // 2]",
    "another animation": "first",
}


def drive(host):
    honest = host.video(host.render(SCENE, cache="off", quality="low"))
    for kind, content in KINDS.items():
        liar = host.render(LIE.replace("KIND", content) + SCENE, tenant="first", cache="refresh", quality="low")
        assert liar.outcome == "rendered", liar
        deceived = host.render(SCENE, tenant="first")
        lied = host.video(deceived) != honest
        # A tenant may deceive itself, with a video that has the right length. So much shows that the lie is told.
        if lied != (kind == "another animation"):
            return f"{kind}: its own tenant got {deceived.body}"
        for tenant in ("second", None, "second", None):
            if host.video(host.render(SCENE, tenant=tenant)) != honest:
                return f"{kind}: {tenant} got the lie: {host.answers[-1].body}"
