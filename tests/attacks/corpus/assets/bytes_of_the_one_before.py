"""Looks in memory, folders and fonts for an asset that the render before had, of another tenant.

The same warm process forks both.
"""

import os
import uuid

import manimpango

EXPECT = "stopped"
BARE = "stopped"  # where children have their folders beside each other, each is removed with its render

SCENE = "class Shown(Scene):\n    def construct(self):\n        self.add(Text('A'))\n        self.wait(0.1)"


def attack(target):
    if "Manimcast Sample" in manimpango.list_fonts():
        return "its font is known"
    for folder in ("/tmp", "/dev/shm", ".", ".."):
        for _, _, names in os.walk(folder):
            if "theirs.txt" in names:
                return f"its file lies below {folder}"
    return target.remembers(target.mark)


def drive(host):
    from tests.assets.samples import font

    mark = uuid.uuid4().hex  # which is nowhere in what the second one posts
    text = host.upload("theirs.txt", (mark * 1000).encode(), tenant="first")
    face = host.upload("face.ttf", font(), tenant="first")
    answer = host.render(SCENE, tenant="first", assets=[text, face])
    if answer.outcome != "rendered":
        return f"the first one: {answer.outcome} {answer.detail}"
    host.render(tenant="second", facts={"mark": "".join(chr(ord(letter) + 1) for letter in mark)})
    for asset in (text, face):
        host.send("DELETE", f"/v1/assets/{asset}", tenant="first")
    return None
