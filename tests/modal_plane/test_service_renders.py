"""The service renders in containers: HTTP in front, the real client, the real container entry point, real scenes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import pytest

from tests.modal_plane import faults
from tests.modal_plane.running import RunningPlane, alive
from tests.modal_plane.service import ENDLESS, QUICK, VIDEO, Service, deploy, service
from tests.patience import PATIENCE, until

STREAM = "render_stream"
NOISE = """
import numpy as np
class Demo(Scene):
    def construct(self):
        def noise():
            return ImageMobject(np.random.randint(0, 255, (1080, 1920, 4), dtype=np.uint8)).scale_to_fit_height(8)
        self.add(always_redraw(noise))
        self.wait(1, frozen_frame=False)
"""


@pytest.fixture(scope="module")
def running(module_plane: RunningPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    deploy(module_plane, modal_memory=1536)
    with service(module_plane, tmp_path_factory.mktemp("service")) as started:
        started.until_modal()
        yield started


@pytest.fixture
def served(running: Service, modal_plane: RunningPlane) -> Service:
    running.until_modal()
    return running


def frames(path: Path) -> int:
    with av.open(path) as video:
        return sum(1 for _ in video.decode(video=0))


def test_a_plain_request_is_rendered_in_a_container(served: Service, tmp_path: Path) -> None:
    answer = served.client.post(VIDEO, json={"code": QUICK, "quality": "low_quality"})
    body = answer.json()
    assert answer.status_code == 200, body
    assert (body["message"], body["executor"]) == ("Video generation completed", "modal")
    video = served.client.get(body["video_url"])
    assert video.headers["content-type"] == "video/mp4"
    (tmp_path / "video.mp4").write_bytes(video.content)
    assert frames(tmp_path / "video.mp4") == 16
    render = served.get(body["render_id"])
    assert (render["executor"], render["attempt"]) == ("modal", 1)
    assert render["fingerprint"]["manim"] == "0.22.0"
    assert render["cost"]["usd_estimate"] > 0
    assert "2 cores" in render["cost"]["basis"]
    served.logged("[MODAL] Starting video rendering with Modal")
    served.logged("[MODAL] Total processing time: ")


def test_progress_lines_arrive_while_the_container_runs(served: Service, modal_plane: RunningPlane) -> None:
    with served.client.stream(
        "POST", VIDEO, json={"code": ENDLESS, "quality": "low_quality", "stream": True}
    ) as answer:
        lines = answer.iter_lines()
        assert next(lines) == '{"animationIndex":0,"percentage":0}'
        container = modal_plane.container(STREAM)
        while '"animationIndex":2' not in next(lines):
            pass
        assert alive(container.pid)
        assert modal_plane.container(STREAM).id == container.id
    # The client has left.
    until(lambda: not alive(container.pid), "the end of the container")
    until(lambda: modal_plane.call(container.calls[0]).canceled, "the cancellation of the call")


def test_a_stream_tells_of_each_play_and_ends_with_the_video(served: Service) -> None:
    told = served.stream()
    for index in (0, 1):
        percentages = [line["percentage"] for line in told.lines if line.get("animationIndex") == index]
        assert (percentages[0], percentages[-1]) == (0, 100)
        assert percentages == sorted(percentages)
    assert told.attempts == []
    assert told.end["executor"] == "modal"
    assert served.client.head(told.end["video_url"]).status_code == 200


def test_the_answers_of_both_executors_have_the_same_shape(served: Service) -> None:
    # The plane builds no image, and so compiles nothing in it: there the engine works without native code.
    # With a preset x264 encodes everything in both places, so that the files are the same.
    asked = {"encoder_preset": "superfast"}
    there, here = (served.until(served.submit(executor=name, **asked)) for name in ("modal", "local"))
    assert (there["status"], here["status"]) == ("succeeded", "succeeded")
    assert (there["executor"], here["executor"]) == ("modal", "local")
    assert there.keys() == here.keys()
    assert there["result"].keys() == here["result"].keys()
    assert there["fingerprint"] | {"native": None} == here["fingerprint"] | {"native": None}
    assert there["result"]["sha256"] == here["result"]["sha256"]
    assert there["timings"].keys() == here["timings"].keys()
    assert there["drawing"] == here["drawing"]
    assert there["drawing"]["segments"] == 2
    assert there["spec"] == here["spec"] | {"executor": "modal"}


def test_a_scene_failure_is_the_scenes_and_stays_on_modal(served: Service) -> None:
    code = "class Demo(Scene):\n    def construct(self):\n        self.play(Creat(Circle()))\n"
    answer = served.client.post(VIDEO, json={"code": code})
    error = answer.json()["scene_error"]
    assert answer.status_code == 422
    assert (error["code"], error["exception"], error["line"]) == ("exception", "NameError", 3)
    render = served.get(answer.json()["render_id"])
    assert (render["executor"], render["attempt"]) == ("modal", 1)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("held = [b'x' * 10_000_000 for _ in range(10_000)]", "out_of_memory"),
        ("import os; os._exit(7)", "exception"),
        ("print('x' * 100_000_000)", "output_too_large"),
    ],
)
def test_what_a_scene_uses_up_is_its_own_fault(line: str, code: str, served: Service) -> None:
    body = f"class Demo(Scene):\n    def construct(self):\n        {line}\n"
    answer = served.client.post(VIDEO, json={"code": body, "quality": "low_quality"})
    assert (answer.status_code, answer.json()["scene_error"]["code"]) == (422, code), answer.text
    render = served.get(answer.json()["render_id"])
    assert (render["executor"], render["attempt"]) == ("modal", 1)


def test_a_scene_that_does_not_end_is_ended_in_its_container(served: Service) -> None:
    body = "class Demo(Scene):\n    def construct(self):\n        while True: pass\n"
    render = served.until(served.submit(body, timeout=3))
    assert (render["status"], render["error"]["code"]) == ("failed", "timeout"), render["error"]
    assert (render["executor"], render["attempt"]) == ("modal", 1)


def test_a_timeout_on_modal_is_a_504(served: Service, modal_plane: RunningPlane) -> None:
    modal_plane.inject(faults.TimeOut(function=STREAM, after=3))
    answer = served.client.post(VIDEO, json={"code": QUICK, "quality": "low_quality"})
    assert (answer.status_code, answer.json()["error"]) == (504, "Compilation timed out"), answer.text
    assert answer.json()["executor"] == "modal"


def test_fifty_megabytes_come_through(served: Service) -> None:
    wanted = {"format": "mov", "transparent": True, "resolution": {"width": 1920, "height": 1080}, "frame_rate": 8}
    render = served.until(served.submit(NOISE, **wanted))
    assert render["status"] == "succeeded", render["error"]
    assert render["executor"] == "modal"
    size = render["result"]["bytes"]
    assert size > 50_000_000
    assert len(served.client.get(render["result"]["video_url"]).content) == size


def test_several_render_at_once_each_in_a_container_of_its_own(served: Service, modal_plane: RunningPlane) -> None:
    number = modal_plane.inject(faults.HoldStart(function=STREAM))
    ids = [served.submit(seed=seed) for seed in range(3)]
    until(lambda: len(modal_plane.containers(STREAM)) >= 3, "a container for each")
    modal_plane.clear(number)
    with ThreadPoolExecutor(3) as pool:
        renders = list(pool.map(served.until, ids))
    assert [(render["status"], render["executor"]) for render in renders] == [("succeeded", "modal")] * 3


def test_a_canceled_render_has_no_container(served: Service, modal_plane: RunningPlane) -> None:
    render_id = served.submit(ENDLESS)
    container = modal_plane.container(STREAM)
    until(lambda: (served.get(render_id)["progress"] or {}).get("frames_done"), "some progress")
    assert served.client.post(f"/v1/renders/{render_id}/cancel").json()["status"] == "canceled"
    until(lambda: not alive(container.pid), "the end of the container")
    assert modal_plane.call(container.calls[0]).canceled


def test_a_render_that_waits_for_its_container_can_be_canceled(served: Service, modal_plane: RunningPlane) -> None:
    before = {call.id for call in modal_plane.report().calls}
    number = modal_plane.inject(faults.HoldStart(function=STREAM))
    render_id = served.submit(ENDLESS)
    call = until(lambda: next((call for call in modal_plane.report().calls if call.id not in before), None), "the call")
    assert call is not None
    assert served.client.post(f"/v1/renders/{render_id}/cancel").json()["status"] == "canceled"
    until(lambda: modal_plane.call(call.id).canceled, "the cancellation of the call")
    modal_plane.clear(number)
    modal_plane.idle()
    assert modal_plane.call(call.id).chunks == 0


def test_a_redeploy_does_not_disturb_what_renders(served: Service, modal_plane: RunningPlane) -> None:
    slow = "class Demo(Scene):\n    def construct(self):\n        for _ in range(40): self.wait(0.1)\n"
    number = modal_plane.inject(faults.HoldStart(function=STREAM))
    first = served.submit(slow, seed=1)
    modal_plane.clear(number)
    modal_plane.container(STREAM)
    deploy(modal_plane, modal_memory=1536)
    second = served.submit()
    assert served.until(first)["status"] == "succeeded"
    render = served.until(second)
    assert (render["status"], render["executor"]) == ("succeeded", "modal")


def test_shutting_down_cancels_what_renders(modal_plane: RunningPlane, running: Service, tmp_path: Path) -> None:
    with service(modal_plane, tmp_path) as other:
        other.until_modal()
        other.submit(ENDLESS)
        container = modal_plane.container(STREAM)
        other.server.process.send_signal(signal.SIGTERM)
        other.server.process.wait(PATIENCE)
        until(lambda: not alive(container.pid), "the end of the container")
        assert modal_plane.call(container.calls[0]).canceled


def test_the_scene_sees_nothing_of_modal(served: Service, modal_plane: RunningPlane) -> None:
    code = """
import os
class Demo(Scene):
    def construct(self):
        found = [name for name in os.environ if "MODAL" in name]
        raise RuntimeError(f"uid {os.getuid()} sees {found} and {sorted(os.listdir('/proc/self/fd'))}")
"""
    error = served.until(served.submit(code))["error"]
    assert "sees [] and" in error["message"]
    if modal_plane.report().scene_user:
        assert "uid 0 " not in error["message"]


def test_containers_are_asked_for_as_the_settings_say(modal_plane: RunningPlane, running: Service) -> None:
    function = modal_plane.function(STREAM)
    assert (function.cpu, function.memory, function.timeout) == (2.0, 1536, 300)
    assert function.block_network
    assert function.restrict_modal_access
    assert function.single_use_containers
    assert function.snapshot
    assert function.secrets == 0
    assert function.output_formats == ["cbor", "generator_done"]
    assert modal_plane.function("compile_manim_animation").retries == 2


def test_nothing_is_left_of_all_this(running: Service, modal_plane: RunningPlane) -> None:
    modal_plane.idle()
    until(lambda: not [found for found in modal_plane.containers(STREAM) if found.inputs], "the end of every container")
    assert running.server.scratch() == []


def test_params_reach_the_container(served: Service) -> None:
    code = "class Demo(Scene):\n    def construct(self):\n        raise ValueError(PARAMS)\n"
    params = {"name": "Äda", "rows": [1, 2.5, None, 10**30]}
    render = served.until(served.submit(code, executor="modal", params=params))
    assert (render["executor"], render["error"]["message"]) == ("modal", str(params))


def test_files_reach_the_container(served: Service) -> None:
    code = "import a\nclass Demo(Scene):\n    def construct(self):\n        a.fail()\n"
    render = served.until(served.submit(code, executor="modal", files={"a.py": "def fail():\n    1 / 0\n"}))
    error = render["error"]
    assert (render["executor"], error["exception"], error["file"], error["line"]) == (
        "modal",
        "ZeroDivisionError",
        "a.py",
        2,
    )


def test_assets_reach_the_container(served: Service) -> None:
    content = b"x" * 3_000_000  # more than what travels in one message
    asset = served.client.post("/v1/assets", files={"file": ("a.txt", content)}).json()
    code = (
        "import hashlib\nclass Demo(Scene):\n    def construct(self):\n"
        "        raise ValueError(hashlib.sha256(open('b.txt', 'rb').read()).hexdigest())\n"
    )
    asked = [{"id": asset["id"], "name": "b.txt"}]
    for name in ("modal", "local"):
        render = served.until(served.submit(code, executor=name, assets=asked))
        assert (render["executor"], render["error"]["message"]) == (name, asset["sha256"])
