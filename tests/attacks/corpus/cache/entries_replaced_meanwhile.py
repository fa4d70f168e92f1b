"""Damages kept segments on the host's disk over and over while several renders read and write them.

What was whole when it was compared may be something else when it is used.
"""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

EXPECT = "rendered"
BARE = "rendered"  # a segment is read once, compared, and handed on from memory, whatever the tier

SCENE = """
class Shown(Scene):
    def construct(self):
        dot = Dot()
        for _ in range(4):
            self.play(dot.animate.shift(RIGHT), run_time=0.2)
"""


def drive(host):
    honest = host.video(host.render(SCENE, tenant="first"))
    ended = threading.Event()
    vandal = threading.Thread(target=damage, args=(host.server.data / "cache" / "segments", ended))
    vandal.start()
    try:
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda _: host.render(SCENE, tenant="first"), range(12)))
    finally:
        ended.set()
        vandal.join()
    for answer in [*answers, host.render(SCENE, tenant="first")]:
        if host.video(answer) != honest:
            return f"a damaged segment is in a video: {answer.body}"


def damage(folder, ended):
    chance = random.Random(7)
    while not ended.wait(0.003):
        kept = [path for path in folder.rglob("*") if path.is_file()]
        with suppress(OSError, IndexError):
            path = chance.choice(kept)
            with path.open("r+b") as file:
                size = path.stat().st_size
                match chance.randrange(4):
                    case 0:
                        file.truncate(chance.randrange(size + 1))
                    case 1:
                        file.seek(chance.randrange(size + 1))
                        file.write(b"?")
                    case 2:
                        file.write(chance.choice(kept).read_bytes())
                    case _:
                        path.unlink()
