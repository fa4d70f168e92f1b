"""Reports what would have its result taken for another one's: other versions, another seed, another scene.

Whole results are kept under what decides them. A render that had a say in that would answer for others.
"""

import os
from pathlib import Path

EXPECT = "rendered"
BARE = "rendered"  # the key is the service's, from the request and from the warm process, whatever the tier

SCENE = """
class Attack(Scene):
    def construct(self):
        self.play(Create(Circle()), run_time=0.4)
"""

ANY = """
import os

class Any(Scene):
    def construct(self):
        self.add(*[Dot([number % 16 / 2 - 4, number // 16 - 1, 0], color=[BLACK, WHITE][bit])
                   for number, bit in enumerate(int(c) for c in f"{int.from_bytes(os.urandom(6), 'big'):048b}")])
        self.wait(0.2)
"""


def attack(target):
    Path("video.mp4").write_bytes(b"\0\0\0\x18ftypisom" + b"a lie" * 100)
    claims = {"fingerprint": target.versions, "seed": 7, "scene": "Attack", "animations_reused": 1}
    target.say(target.finished("video.mp4", **claims))
    os._exit(0)


def drive(host):
    with host.another(result_cache="on") as other:
        honest = other.render(SCENE, seed=7, tenant="second")
        versions = other.client.get(
            f"/v1/renders/{honest.render_id}", headers={"x-api-key": "the-key-of-the-second"}
        ).json()["fingerprint"]
        for tenant in ("first", "second"):
            liar = other.render(tenant=tenant, seed=0, facts={"versions": versions})
            assert liar.outcome == "rendered", liar
            after = other.render(SCENE, seed=7, tenant=tenant)
            if other.video(after) != other.video(honest):
                return f"{tenant} got the lie: {after.body}"
            if after.body["cache"]["hit"] != ("result" if tenant == "second" else "none"):
                return f"{tenant} got what is not its own: {after.body}"
        # No two renders of this are alike, so whoever gets the same video got the other's.
        first, again, second = (other.render(ANY, seed=7, tenant=tenant) for tenant in ("first", "first", "second"))
        assert other.video(first) == other.video(again), "the result of a request is kept"
        if other.video(second) == other.video(first):
            return "a tenant got the result of another one"
