"""Reports sections whose files are not its own, so that the service signs links to them.

A signature over a name that the scene chose is a key to what the scene wants.
"""

import os

EXPECT = {"rendered", "forbidden"}
BARE = {"rendered", "forbidden"}

NAMES = (
    "../{other}/video.mp4",
    "..%2f{other}%2fvideo.mp4",
    "video.mp4\n9999999999",
    "video.mp4?expires=9999999999",
    "//evil.example/video.mp4",
    "../../manimcast.db",
    "../../signing.key",
)


def attack(target):
    with open("video.mp4", "wb") as video:
        video.write(b"a video")
    sections = [
        {"name": "s", "type": "t", "start": 0, "duration": 1, "file": name.format(other=target.other)} for name in NAMES
    ]
    target.say(target.finished("video.mp4", sections=sections))
    os._exit(0)


def drive(host):
    other = host.render("class Other(Scene):\n    def construct(self): self.wait(0.1)", format="png")
    theirs = host.client.get(f"/v1/renders/{other.render_id}/video").content
    answer = host.render(facts={"other": other.render_id})
    if answer.outcome != "rendered":
        return
    shown = host.client.get(f"/v1/renders/{answer.render_id}").json()
    for index, section in enumerate(shown["result"]["sections"]):
        link = section["video_url"] or ""
        if link and not link.startswith(f"{host.server.address}/v1/files/{answer.render_id}/"):
            return f"a link to {link}"
        path = link.removeprefix(host.server.address)
        for status, content in (
            host.raw("GET", path) if path and "\n" not in path and " " not in path else (404, b""),
            host.raw("GET", f"/v1/renders/{answer.render_id}/sections/{index}"),
        ):
            if status == 200 and content != b"a video":
                return f"{link}: {content[:20]!r}"
        if path and "\n" not in path:
            followed = host.client.get(link)  # a client tidies the path up first
            if followed.status_code == 200 and followed.content in (theirs, b"SQLite"):
                return f"{link} leads to another render"
