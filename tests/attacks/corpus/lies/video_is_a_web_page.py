"""Delivers as its video a web page with a script, which would run with the rights of the service's own pages.

With it, a stranger's script reads what the service shows to whoever opens the link.
"""

import os

EXPECT = {"rendered"}
BARE = {"rendered"}  # it only lies about itself; what is served says that it is a video

PAGE = b"<!doctype html><svg xmlns='http://www.w3.org/2000/svg'><script>alert(document.cookie)</script></svg>"


def attack(target):
    with open("video.mp4", "wb") as video:
        video.write(PAGE)
    target.say(target.finished("video.mp4", media_type="text/html"))
    os._exit(0)


def drive(host):
    answer = host.render()
    if answer.outcome != "rendered":
        return
    shown = host.client.get(f"/v1/renders/{answer.render_id}").json()
    for url in (answer.video_url, f"/v1/renders/{answer.render_id}/video", shown["result"]["video_url"]):
        headers = host.client.get(url).headers
        policy = headers.get("content-security-policy", "")
        if headers["content-type"] != "video/mp4" or headers.get("x-content-type-options") != "nosniff":
            return f"{url} is served as {headers['content-type']}"
        if "sandbox" not in policy or "allow-scripts" in policy or "default-src 'none'" not in policy:
            return f"{url} may run scripts: {policy}"
