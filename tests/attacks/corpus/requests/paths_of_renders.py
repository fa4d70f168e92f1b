"""Asks for renders by ids, and for sections by numbers, that lead elsewhere.

Ids go into paths, queries and logs.
"""

EXPECT = "refused"
BARE = "refused"  # it is the service that is asked, whatever the tier

IDS = ("..", "%2e%2e", "../work", "..%2fwork", "%00", "x%00", "'%20or%201=1--", "*", "a" * 5000, "%ff%fe", "%0d%0aX:1")
NUMBERS = ("-1", "1e9", "9" * 50, "%D9%A1", "0x0", "..", "0%00", "0/../../0", "")
PARTS = ("", "/video", "/poster", "/subtitles", "/cancel")


def drive(host):
    render = host.render("class Shown(Scene):\n    def construct(self): self.wait(0.1)", format="png").render_id
    requests = [("GET", f"/v1/renders/{one}{part}") for one in IDS for part in PARTS]
    requests += [("POST", f"/v1/renders/{one}/cancel") for one in IDS]
    requests += [("GET", f"/v1/renders/{render}/sections/{number}") for number in NUMBERS]
    requests += [("GET", f"/v1/renders/{render}?include={what}") for what in ("secret", "code%00", "..")]
    for method, path in requests:
        status, content = host.raw(method, path, body=b"" if method == "POST" else None)
        if not 300 <= status < 500:
            return f"{method} {path[:100]}: {status} {content[:40]!r}"
    host.render({"not": "code"})
