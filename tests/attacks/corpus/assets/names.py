"""Gives files, assets and uploads names that lead out of the folder, hide modules, or deceive whoever reads them.

A name becomes a path, a module, a line of a log.
"""

EXPECT = "rendered"
BARE = "rendered"  # it is the service that is asked, whatever the tier

SCENE = "class Shown(Scene):\n    def construct(self): self.wait(0.1)"
ODD = (
    "../out.txt",
    "lib/../../out.txt",
    "/etc/cron.d/out",
    "..\\out.txt",
    ".bashrc",
    "lib/.hidden",
    "-rf",
    "a\0.txt",
    "a\n.txt",
    "a\u202etxt.yp",
    "a\u200b.txt",
    "e\u0301.txt",
    "a//b.txt",
    "a/./b.txt",
    "",
    "x" * 300,
    "a/" * 20 + "b",
    "scene.py",
    "media/segments/x",
    "tmp/x",
    "video.mp4",
    "poster.jpg",
    "random.py",
    "manim/__init__.py",
    "manimcast/engine/render.py",
    "sitecustomize/../os.py",
    "a/__pycache__/b.pyc",
    "$(touch out)",
    "C:/out.txt",
)


def drive(host):
    asset = host.upload("plain.txt", b"plain")
    for name in ODD:
        for fields in ({"files": {name: "x = 1"}}, {"assets": [{"id": asset, "name": name}]}):
            answer = host.send("POST", "/v1/renders", json={"code": SCENE, **fields})
            if answer.status_code != 422:
                return f"{fields!r}: {answer.status_code} {answer.text[:200]}"
        form = {"file": ("plain.txt", b"other"), "name": (None, name)}
        status = host.send("POST", "/v1/assets", files=form).status_code
        if status not in {400, 422}:
            return f"an upload called {name!r}: {status}"
    both = {"code": SCENE, "files": {"Plain.txt": "x"}, "assets": [asset]}
    if host.send("POST", "/v1/renders", json=both).status_code != 422:
        return "two names that some file system takes for one"
    host.render(SCENE, assets=[asset], files={"lib/fine.py": ""})
    host.send("DELETE", f"/v1/assets/{asset}")
    return None
