"""What `manimcast modal check` proves on Modal's own cloud, one function each.

A proof gets the deployment, returns what it found, and raises :class:`NotProvedError` when that is not as it should be.
Scenes tell what they see by failing with it as their message.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import modal

from manimcast.executors.confined import limits_of
from manimcast.executors.modal.protocol import COMPILE, HEALTH, STREAM, Call
from manimcast.settings import Settings
from manimcast.spec import Quality, RenderSpec

CANCEL_SECONDS = 60.0
TIMEOUT = 8.0
"""Seconds that the endless scene may take."""
WORKERS = 8
"""Processes that try to use more cores than a container has."""

CIRCLE = "class Check(Scene):\n    def construct(self):\n        self.play(Create(Circle()), run_time=0.5)\n"
WRITING = """
class Check(Scene):
    def construct(self):
        self.add(MathTex(r"e^{i\\pi} + 1 = 0"), Tex(r"\\textbf{Euler}").shift(UP))
        self.add(Text("\u4f60\u597d\uff0c\u4e16\u754c", font="Noto Sans CJK SC").shift(DOWN))
        self.wait(0.2)
"""
ENDLESS = "class Check(Scene):\n    def construct(self):\n        while True:\n            self.wait(0.1)\n"
GREEDY = "class Check(Scene):\n    def construct(self):\n        held = [b'x' * 10_000_000 for _ in range(100_000)]\n"
WITNESS = """
import os, socket
class Check(Scene):
    def construct(self):
        host, _, port = {reach!r}.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
            reached = True
        except OSError:
            reached = False
        modal = sorted(name for name in os.environ if "MODAL" in name)
        raise RuntimeError(f"uid={{os.getuid()}} reached={{reached}} modal={{modal}}")
"""
BUSY = """
import os, time
class Check(Scene):
    def construct(self):
        began, children = time.monotonic(), []
        for _ in range({workers}):
            child = os.fork()
            if child == 0:
                while time.monotonic() < began + 3:
                    pass
                os._exit(0)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)
        used = os.times()
        seconds = used.children_user + used.children_system
        raise RuntimeError(f"cores={{seconds / (time.monotonic() - began):.2f}}")
"""


class NotProvedError(Exception):
    """What was found is not as it should be."""


class Deployment:
    """The deployed app, and the few ways in which proofs use it.

    Parameters
    ----------
    settings
        Where the app is, and what its containers were asked to be.
    reach
        ``host:port`` that nothing in a container may reach.
    """

    def __init__(self, settings: Settings, reach: str) -> None:
        self.settings = settings
        self.reach = reach

    def function(self, name: str) -> Any:
        """Return a function of the app."""
        return modal.Function.from_name(
            self.settings.modal_app_name, name, environment_name=self.settings.modal_environment
        )

    def compile(self, code: str, **options: object) -> dict[str, Any]:
        """Render a scene in a container and return the answer."""
        answer: dict[str, Any] = self.function(COMPILE).remote(code, "Check", quality="low_quality", **options)
        return answer

    def told_by(self, code: str) -> str:
        """Return the message that a scene failed with."""
        error = self.compile(code)["scene_error"]
        if error is None or error["exception"] != "RuntimeError":
            raise NotProvedError(f"the scene ended otherwise: {error}")
        return str(error["message"])

    def stream(self, code: str) -> Any:
        """Start a render and return the generator of its items."""
        spec = RenderSpec(code=code, quality=Quality.low_quality)
        call = Call(token="", spec=spec, limits=limits_of(self.settings), timeout=60)
        return self.function(STREAM).remote_gen(call.model_dump(mode="json"))


def health(deployment: Deployment) -> str:
    """A container starts, with manim, FFmpeg's libraries and LaTeX in it."""
    told = deployment.function(HEALTH).remote()
    if told["status"] != "healthy":
        raise NotProvedError(told["error"])
    if not told["latex_version"] or told["latex_version"] == "none":
        raise NotProvedError("there is no LaTeX")
    return f"manim {told['manim_version']}, {told['ffmpeg_version']}, {told['latex_version']}"


def layers(deployment: Deployment) -> str:
    """What keeps a scene in, inside the container, is there; above all, it is another user."""
    facts = deployment.function(HEALTH).remote()["facts"]
    if "other_user" not in facts["layers"].split(","):
        raise NotProvedError(f"scenes run as the container's own user; layers: {facts['layers']}")
    return str(facts["layers"])


def network(deployment: Deployment) -> str:
    """The container itself, outside any scene, reaches nothing."""
    if deployment.function(HEALTH).remote(deployment.reach)["reached"]:
        raise NotProvedError(f"it reached {deployment.reach}")
    return f"{deployment.reach} cannot be reached"


def restricted(deployment: Deployment) -> str:
    """The container itself cannot use Modal in the account's name."""
    answer = deployment.function(HEALTH).remote(None, True)["modal_access"]
    if answer != "denied":
        raise NotProvedError(f"a look-up from the container was answered: {answer}")
    return "look-ups are denied"


def witness(deployment: Deployment) -> str:
    """A scene is not root, reaches nothing, and sees no variable of Modal's."""
    told = deployment.told_by(WITNESS.format(reach=deployment.reach))
    if "uid=0 " in told or "reached=False modal=[]" not in told:
        raise NotProvedError(told)
    return told


def first_render(deployment: Deployment) -> str:
    """A scene renders."""
    return _rendered(deployment, CIRCLE)


def second_render(deployment: Deployment) -> str:
    """A scene renders in a fresh container, which by now starts from the snapshot if there is one."""
    return _rendered(deployment, CIRCLE)


def writing(deployment: Deployment) -> str:
    """LaTeX and Chinese characters are set."""
    return _rendered(deployment, WRITING)


def memory(deployment: Deployment) -> str:
    """A scene that takes all memory fails by its own fault, and the container lives to say so."""
    return _failed_with(deployment, GREEDY, "out_of_memory")


def timeout(deployment: Deployment) -> str:
    """A scene that does not end is ended in time."""
    return _failed_with(deployment, ENDLESS, "timeout", timeout=TIMEOUT)


def cores(deployment: Deployment) -> str:
    """A scene cannot use more cores than its container was given."""
    told = deployment.told_by(BUSY.format(workers=WORKERS))
    found = re.search(r"cores=([\d.]+)", told)
    # Modal's cores are physical ones, of two threads each.
    most = 2 * deployment.settings.modal_cores * 1.1
    if found is None or float(found[1]) > most:
        raise NotProvedError(f"{told}, at most {most:g} threads' worth was expected")
    return f"{found[1]} threads' worth of {deployment.settings.modal_cores:g} physical cores"


def one_render_each(deployment: Deployment) -> str:
    """Two renders run in two containers."""
    seen = []
    for _ in range(2):
        items = list(deployment.stream(CIRCLE))
        if items[-1]["type"] != "closed":
            raise NotProvedError(f"the stream ended with {items[-1]['type']}")
        seen.append(items[0]["container"])
    if seen[0] == seen[1]:
        raise NotProvedError(f"both ran in {seen[0]}")
    return " and ".join(seen)


def cancel(deployment: Deployment) -> str:
    """A canceled render stops: its call ends, and with it what is paid for."""
    stream = deployment.stream(ENDLESS)
    call = modal.FunctionCall.from_id(next(stream)["call_id"])
    while b'"progress"' not in next(stream).get("body", b""):
        pass
    began = time.monotonic()
    call.cancel(terminate_containers=True)
    try:
        call.get(timeout=CANCEL_SECONDS)
    except TimeoutError:
        raise NotProvedError(f"the call still ran after {CANCEL_SECONDS:g} s") from None
    except modal.exception.Error as error:
        return f"ended after {time.monotonic() - began:.1f} s: {error}"
    raise NotProvedError("the call came to a result")


def _rendered(deployment: Deployment, code: str) -> str:
    began = time.monotonic()
    answer = deployment.compile(code)
    if not answer["success"]:
        raise NotProvedError(answer["error"])
    size, seconds = len(answer["video_bytes"]), time.monotonic() - began
    return f"{size} bytes after {seconds:.1f} s, of which {answer['seconds']:.1f} s in the container"


def _failed_with(deployment: Deployment, code: str, expected: str, **options: object) -> str:
    answer = deployment.compile(code, **options)
    error = answer["scene_error"]
    if error is None or error["code"] != expected:
        raise NotProvedError(f"{expected} was expected: {error}")
    return f"{expected} after {answer['seconds']:.1f} s: {error['message']}"


PROOFS: dict[str, Callable[[Deployment], str]] = {
    "a container starts": health,
    "layers in it": layers,
    "network is blocked": network,
    "access to Modal is restricted": restricted,
    "first render": first_render,
    "second render": second_render,
    "LaTeX and Chinese": writing,
    "what a scene sees": witness,
    "memory": memory,
    "timeout": timeout,
    "cores": cores,
    "one render for each container": one_render_each,
    "cancel": cancel,
}
