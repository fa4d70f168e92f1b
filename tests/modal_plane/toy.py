"""A small app for the control plane's own tests: one function for each thing that a container can do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import modal

HERE = Path(__file__).parent
image = (
    modal.Image.debian_slim(python_version="3.11")
    .apt_install("ffmpeg")
    .env({"TOY_FILES": "/opt/toy", "PYTHONPATH": "/opt/toy", "MANIMCAST_SCENE_USER": "scene"})
    .workdir("/work")
    .add_local_dir(HERE, remote_path="/opt/toy/shipped", ignore=["__pycache__", "test_*"])
    .add_local_python_source("tests.modal_plane")
)
app = modal.App("toy", image=image)
VERSION = os.environ.get("TOY_VERSION", "1")
LIMIT = 900
"""Seconds that a function may take. None does, but the one that is there for it."""
plain = app.function(env={"TOY_VERSION": VERSION}, timeout=LIMIT)


def _wait(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.02)


@plain
def add(a: int, b: int) -> int:
    """Add."""
    print(f"adding {a} and {b}")
    return a + b


@plain
def version() -> str:
    """Return which deploy this is."""
    return os.environ["TOY_VERSION"]


@plain
def wait_for_file(path: str) -> str:
    """Return which deploy this is, once a file is there."""
    _wait(path)
    return os.environ["TOY_VERSION"]


@plain
def fail(text: str) -> None:
    """Raise."""
    raise ValueError(text)


@plain
def echo(data: bytes) -> bytes:
    """Return what came."""
    return data


@plain
def zeros(size: int) -> bytes:
    """Return so many bytes."""
    return bytes(size)


@plain
def facts() -> dict[str, object]:
    """Return what a container sees of itself."""
    shipped = Path(os.environ["TOY_FILES"]) / "shipped" / "toy.py"
    return {
        "shipped": shipped.exists(),
        "importable": subprocess.run([sys.executable, "-c", "import shipped.toy"], check=False).returncode,
        "at_home": sorted(path.name for path in Path.home().iterdir()),
        "user": os.environ["MANIMCAST_SCENE_USER"],
        "home": str(Path.home()),
        "start": str(Path.cwd()),
        "modal": sorted(name for name in os.environ if name.startswith("MODAL_")),
        "region": os.environ.get("MODAL_REGION"),
    }


@plain
def as_scene_user() -> str:
    """Return a shipped file's size, as seen by the user that scenes run as."""
    directory = Path(os.environ["TOY_FILES"]) / "shipped"
    user = os.environ["MANIMCAST_SCENE_USER"]
    code = f"import pathlib, shipped.faults; print(pathlib.Path({str(directory)!r}, 'toy.py').stat().st_size)"
    return subprocess.run(
        [sys.executable, "-c", code], user=user, cwd="/", check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


@app.function(min_containers=1, timeout=LIMIT)
def warm() -> None:
    """Have a container that waits."""


@app.function(cpu=0.5, memory=256, max_containers=1, scaledown_window=2, block_network=True, timeout=LIMIT)
def limited(path: str) -> None:
    """End once a file is there."""
    _wait(path)


@app.function(buffer_containers=1, timeout=LIMIT)
def buffered(path: str) -> None:
    """End once a file is there."""
    _wait(path)


@app.function(timeout=LIMIT)
def polite(path: str) -> Iterator[str | None]:
    """Yield the call's id, and write down what ends the wait that follows."""
    yield modal.current_function_call_id()
    try:
        time.sleep(LIMIT)
    except BaseException as error:
        Path(path).write_text(type(error).__name__)
        raise


@app.function(timeout=LIMIT)
def crash() -> None:
    """End the container's process."""
    os._exit(3)


@app.function(timeout=LIMIT, retries=2)
def third_time(path: str) -> int:
    """Succeed at the third try; the file counts them."""
    with Path(path).open("a") as file:
        file.write("x")
    if (tries := len(Path(path).read_text())) < 3:
        raise ValueError(f"try {tries}")
    return tries


@app.function(timeout=5)
def too_long() -> None:
    """Take longer than its timeout."""
    time.sleep(LIMIT)


@app.function(timeout=LIMIT, _experimental_restrict_output=True, single_use_containers=True, restrict_modal_access=True)
def count(to: int, hold: str = "") -> Iterator[dict[str, object]]:
    """Yield the call's id and then numbers; before the last, wait until the file ``hold`` is gone."""
    yield {"call": modal.current_function_call_id(), "pid": os.getpid()}
    for number in range(to):
        while hold and number == to - 1 and Path(hold).exists():
            time.sleep(0.02)
        yield {"number": number}


@app.function(timeout=LIMIT)
def daemon() -> Iterator[int]:
    """Yield the id of a process that left its session and its parent, and run on."""
    code = f"import os, sys, time; os.setsid(); print(os.getpid(), flush=True); time.sleep({LIMIT})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        time.sleep(LIMIT)


@app.function(timeout=LIMIT, restrict_modal_access=True)
def call_another() -> int:
    """Call another function, which restricted access forbids."""
    answer: int = modal.Function.from_name("toy", "add").remote(1, 2)
    return answer


@app.cls(enable_memory_snapshot=True)
class Counter:
    """Something with a state."""

    @modal.enter(snap=True)
    def start(self) -> None:
        """Begin at 40."""
        self.value = 40

    @modal.method()
    def more(self, by: int) -> int:
        """Count on."""
        self.value += by
        return self.value


@app.local_entrypoint()
def main() -> None:
    """What ``modal run`` does."""
    print(f"the sum is {add.remote(20, 22)}")
