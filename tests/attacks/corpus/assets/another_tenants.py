"""Names an asset of another tenant, whose id anybody can work out who knows the bytes: reads, deletes and renders it.

An id that is a digest is no secret, so it must not be a key.
"""

EXPECT = "rendered"
BARE = "rendered"  # it is the service that is asked, whatever the tier

SCENE = "class Shown(Scene):\n    def construct(self):\n        open('mine.txt').read()\n        self.wait(0.1)"


def drive(host):
    path = f"/v1/assets/{host.upload('mine.txt', b'what is mine', tenant='first')}"
    for method in ("GET", "DELETE"):
        status = host.send(method, path, tenant="second").status_code
        if status != 404:
            return f"{method} {path}: {status}"
    if host.send("GET", "/v1/assets", tenant="second").json()["assets"]:
        return "they are listed"
    body = {"code": SCENE, "assets": [path.rpartition("/")[2]]}
    for route in ("/v1/renders", "/v1/scenes/inspect"):
        answer = host.send("POST", route, tenant="second", json=body)
        if answer.status_code != 422 or "there is no asset" not in answer.text:
            return f"{route}: {answer.status_code} {answer.text[:200]}"
    host.render(SCENE, tenant="first", assets=body["assets"])
    host.send("DELETE", path, tenant="first")
    return None
