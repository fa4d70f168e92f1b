"""Sends back what it is asked to remember: web pages, control characters, keys that mean something to programs.

What is echoed is shown by somebody's page, and stored in a table that others are in.
"""

EXPECT = {"rendered"}
BARE = {"rendered"}  # it is the service that is asked, whatever the tier

SCENE = "class Shown(Scene):\n    def construct(self): self.wait(0.1)"
METADATA = {
    "page": "<script>alert(1)</script>",
    "__proto__": {"polluted": True},
    "constructor": {"prototype": 1},
    "$where": "sleep(1000)",
    "path": "../../etc/passwd",
}


def drive(host):
    answer = host.render(SCENE, format="png", metadata=METADATA)
    shown = host.client.get(f"/v1/renders/{answer.render_id}")
    if shown.json()["metadata"] != METADATA:
        return f"it remembers {shown.json()['metadata']}"
    if shown.headers["content-type"] != "application/json":
        return shown.headers["content-type"]
    deep = b'{"a":' * 400 + b"1" + b"}" * 400
    for metadata in (
        deep,
        b'{"a": "%s"}' % (b"x" * 2000),
        b"[1]",
        b'"x"',
        b'{"a": 1e999}',
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
    ):
        body = b'{"code": "x =", "metadata": ' + metadata + b"}"
        status, content = host.raw("POST", "/v1/renders", body=body, content_type="application/json", prefer="wait=100")
        if status >= 500:
            return f"{metadata[:30]!r}: {status} {content[:100]!r}"
        if status < 300 and host.client.get("/v1/renders").status_code >= 500:
            return f"{metadata[:30]!r}: renders can no longer be listed"
