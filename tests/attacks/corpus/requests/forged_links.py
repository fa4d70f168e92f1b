"""Follows links to a video with a signature that is not theirs: none, another's, of another time.

The signature is all that keeps a video from strangers.
"""

EXPECT = "rendered"
BARE = "rendered"  # it is the service that is asked, whatever the tier

SHOWN = "class Shown(Scene):\n    def construct(self): self.wait(0.1)"


def drive(host):
    first, second = (host.render(SHOWN, format=kind) for kind in ("png", "gif"))
    path = f"/v1/files/{first.render_id}/video.png"
    link = first.video_url.removeprefix(host.server.address)
    (expires, signature), (_, others) = (
        [pair.partition("=")[2] for pair in answer.video_url.partition("?")[2].split("&")] for answer in (first, second)
    )
    if host.raw("GET", link)[0] != 200:
        return "its own link does not work, so this shows nothing"
    forged = [
        path,
        f"{path}?expires={expires}",
        f"{path}?expires={expires}&signature=",
        f"{path}?expires={expires}&signature={others}",
        f"{path}?expires={expires}0&signature={signature}",
        f"{path}?expires=-1&signature={signature}",
        f"{path}?expires={expires}%0a&signature={signature}",
        f"{path}?expires={expires}&signature={signature}%00",
        f"{path}?expires={expires}&signature={signature[:-1]}",
        f"{path}?expires={'9' * 14}&signature={signature}",
        f"{path}?signature={signature}&expires=%D9%A1{expires[1:]}",
        f"/v1/files/{first.render_id}/poster.jpg?expires={expires}&signature={signature}",
        f"/v1/files/{second.render_id}/video.gif?expires={expires}&signature={signature}",
    ]
    for url in forged:
        status, _ = host.raw("GET", url)
        if not 400 <= status < 500:
            return f"{url}: {status}"
