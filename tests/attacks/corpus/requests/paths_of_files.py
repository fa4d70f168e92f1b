"""Asks for files by paths that lead out of the folder of videos.

It is the oldest hole of servers of files, in a dozen spellings.
"""

EXPECT = "refused"
BARE = "refused"  # it is the service that is asked, whatever the tier

UPS = ("..", "%2e%2e", "..%2f..", "%252e%252e", "..%5c..", ".%00./..", "%c0%ae%c0%ae", "....//", "~", ".")
NAMES = ("manimcast.db", "signing.key", "work", "etc/passwd", "%2fetc%2fpasswd", "video.mp4%00", "video.mp4/..", "*")
METHODS = ("GET", "HEAD", "DELETE", "PUT", "POST", "PATCH")


def drive(host):
    render = host.render("class Shown(Scene):\n    def construct(self): self.wait(0.1)", format="png").render_id
    paths = [f"/v1/files/{up}/{name}" for up in UPS for name in NAMES]
    paths += [f"/v1/files/{render}/{up}/{name}" for up in UPS for name in NAMES]
    paths += [f"/v1/files/{render}/{name}?expires=9999999999&signature=x" for name in NAMES]
    paths += [f"//evil.example/v1/files/{render}/video.png", f"/v1/files/{render}", "/v1/files/", "/v1/files//"]
    paths += [f"file://{host.planted.file}", f"http://127.0.0.1{host.planted.file}", "/../../etc/passwd", "*"]
    for path in paths:
        for method in METHODS if path.endswith(("signing.key", "work")) else ("GET",):
            status, content = host.raw(method, path, body=b"" if method in ("PUT", "POST", "PATCH") else None)
            if not 300 <= status < 500 or host.planted.secret.encode() in content:
                return f"{method} {path}: {status} {content[:40]!r}"
    host.render({"not": "code"})
