"""Puts line feeds, other hosts and paths into headers and into what becomes a header of the answer.

They decide where links lead, what is cached, and what a browser takes the answer for.
"""

EXPECT = {"rendered"}
BARE = {"rendered"}  # it is the service that is asked, whatever the tier

SCENE = "class Shown(Scene):\n    def construct(self): self.wait(0.1)"


def drive(host):
    answer = host.render(SCENE, format="png")
    link = answer.video_url
    for query in ("&download=%0d%0aset-cookie:%20a=b", "&download=../../x", "&download=%22;%20filename=evil.exe"):
        headers = host.client.get(link + query).headers
        if "set-cookie" in headers or "evil" in str(headers) or ".." in headers.get("content-disposition", ""):
            return f"{query}: {headers}"
    path = f"/v1/renders/{answer.render_id}"
    for name, value in (
        ("host", "evil.example"),
        ("x_forwarded_host", "evil.example"),
        ("x_forwarded_for", "127.0.0.1, evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x_original_url", "/v1/files/../../etc/passwd"),
        ("x_http_method_override", "DELETE"),
        ("range", "bytes=" + ",".join(["0-"] * 1000)),
        ("range", "bytes=-" + "9" * 100),
        ("if_range", "x" * 5000),
        ("prefer", "wait=" + "9" * 100),
        ("content_length", "-1"),
        ("authorization", "Bearer ../../etc/passwd"),
        ("idempotency_key", "../../etc/passwd\x00"),
    ):
        for target in (path, link.removeprefix(host.server.address)):
            try:
                status, content = host.raw("GET", target, **{name: value})
            except ValueError:
                continue  # what the client library does not even send
            if status >= 500 or (b"evil.example" in content and status < 400):
                return f"{name}: {status} {content[:200]!r}"
