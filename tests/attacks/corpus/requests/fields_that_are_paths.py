"""Puts paths, null bytes, commands and templates into every field of both kinds of requests.

Each of them ends somewhere: in a path, a query, a command line, a log.
"""

import json

EXPECT = {"refused", "scene_not_found"}
BARE = {"refused", "scene_not_found"}  # it is the service that is asked, whatever the tier

SCENE = "class Shown(Scene):\n    def construct(self): self.wait(0.1)"
ODD = (
    "../../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\windows",
    "x\x00.mp4",
    "$(touch {folder}/ran)",
    "`touch {folder}/ran`",
    "; touch {folder}/ran",
    "{{{{7*7}}}}",
    "%s%s%n",
    "-o{folder}/ran",
    "'; DROP TABLE renders;--",
    "\ud800",
    "é" * 300,
)
OLD = ("file_class", "rendering_engine", "quality", "aspect_ratio", "file_name", "user_id", "project_name", "iteration")
NEW = (
    "scene",
    "engine",
    "quality",
    "aspect_ratio",
    "resolution",
    "format",
    "background_color",
    "encoder_preset",
    "seed",
)
NEWER = (
    "animations",
    "timeout",
    "executor",
    "frame_rate",
    "transparent",
    "save_sections",
    "cache",
    "webhook",
    "assets",
)


def drive(host):
    odd = [text.format(folder=host.planted.folder) for text in ODD]
    for route, names in (("/v1/video/rendering", OLD), ("/v1/renders", NEW + NEWER)):
        for name in names:
            ignored = name in OLD[4:]
            for value in odd[:2] if ignored else [*odd, {"path": odd[0]}, [odd[0]]]:
                body = json.dumps({"code": "x =" if ignored else SCENE, "quality": "low", name: value}).encode()
                headers = {"content_type": "application/json", "prefer": "wait=100"}
                status, content = host.raw("POST", route, body=body, **headers)
                answer = json.loads(content)
                error = answer.get("scene_error") or answer.get("error") or {}
                code = error.get("code") if isinstance(error, dict) else None
                if not (400 <= status < 500 or (status == 200 and code == "scene_not_found")):
                    return f"{name}={value!r}: {status} {content[:200]!r}"
                if ignored and code != "syntax_error":
                    return f"{name} is not ignored: {content[:200]!r}"
    host.render({"not": "code"})
