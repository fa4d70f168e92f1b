"""Files with held pictures, played by programs that are not ours: Chromium, and FFmpeg where it takes no errors."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from manim._config.video_encoder import VideoEncoderSpec

from manimcast.engine import changes
from manimcast.engine.configure import X264_DEFAULTS
from manimcast.engine.join import join
from tests.browser import Quiet, look, site
from tests.engine.pictures import spec
from tests.engine.test_join import KINDS, NAMES, joined, segments

pytestmark = pytest.mark.full

OURS = X264_DEFAULTS
"""With these settings pictures of which little changes are coded natively."""
WIDTH, HEIGHT = 320, 64
BAR = 8
RATE = 30
SEEK_PATIENCE = 20
"""Seconds until a frame that is not shown is taken to be none."""
PLANS = [
    [(1, 400)],  # a hold that is a segment, longer than a group
    [(n, 1) for n in range(2, 12)],
    [(12, 1), (13, 60), (14, 1)],  # a hold amid moving pictures
    [(15, 1)],
    [(16, 1)],
    [(17, 90)],
    [(20 + n % 3, 1) for n in range(12)],  # what comes again, from pictures further back
]

PAGE = """<!doctype html><meta charset="utf-8"><script>
async function look() {
  const video = document.createElement("video");
  video.muted = true;
  video.src = URL.createObjectURL(await (await fetch("/video")).blob());
  await new Promise((good, bad) => {
    video.onloadeddata = good;
    video.onerror = () => bad(video.error.message);
  });
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = 1;
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const seen = [];
  for (const time of TIMES) {
    const shown = new Promise((good) => {
      // What is said to be sought may not be painted yet. Should it never be, what there is instead is told.
      const look = (_, frame) => {
        if (Math.round(frame.mediaTime * RATE) === Math.floor(time * RATE)) good();
        else video.requestVideoFrameCallback(look);
      };
      video.requestVideoFrameCallback(look);
      setTimeout(good, 1000 * PATIENCE);
    });
    video.currentTime = time;
    await shown;
    context.drawImage(video, 0, video.videoHeight / 2, canvas.width, 1, 0, 0, canvas.width, 1);
    const line = context.getImageData(0, 0, canvas.width, 1).data;
    let brightest = 0;
    for (let x = 0; x < canvas.width; x++) if (line[4 * x] > line[4 * brightest]) brightest = x;
    seen.push(Math.floor(brightest / BAR));
  }
  video.currentTime = Math.max(0, video.duration - 1);
  const ended = new Promise((good, bad) => { video.onended = good; video.onerror = () => bad(video.error.message); });
  await video.play();
  await ended;
  return {seen, duration: video.duration, end: video.currentTime};
}
look().catch((error) => ({error: String(error)})).then((result) =>
  fetch("/result", {method: "POST", body: JSON.stringify(result)}));
</script>"""


def bar(number: int, width: int, height: int) -> Any:
    """Return a dark picture with a bright bar whose place is ``number``."""
    from tests.engine.pictures import picture  # noqa: PLC0415

    pixels = picture(0, width, height)
    pixels[..., :3] = 40
    pixels[:, number * BAR : (number + 1) * BAR, :3] = 230
    return pixels


@contextmanager
def page_of(video: bytes, page: str) -> Iterator[tuple[str, list[Any], threading.Event]]:
    """Serve a page and its video; collect what the page posts."""
    results: list[Any] = []
    arrived = threading.Event()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = video if self.path == "/video" else page.encode() if self.path == "/" else b""
            self.send_response(200)
            self.send_header("Content-Type", "video/mp4" if self.path == "/video" else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            results.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            arrived.set()

    with site(Handler) as address:
        yield address, results, arrived


def seen_by_chromium(video: Path, times: list[float], folder: Path) -> Any:
    """Return what Chromium shows at ``times``, by the place of the bar, with the duration and where playing ended."""
    page = PAGE.replace("TIMES", json.dumps(times)).replace("BAR", str(BAR)).replace("RATE", str(RATE))
    page = page.replace("PATIENCE", str(SEEK_PATIENCE))
    with page_of(video.read_bytes(), page) as (address, results, arrived):
        look(address, folder, arrived, "--autoplay-policy=no-user-gesture-required")
    return results[0]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with each natively coded picture; in these small ones more may change than is usual."""
    coded: list[int] = []
    original = changes.ChangeCoder.code

    def code(coder: changes.ChangeCoder) -> bytes:
        coded.append(1)
        return original(coder)

    monkeypatch.setattr(changes.ChangeCoder, "code", code)
    monkeypatch.setattr(changes, "LITTLE", 0.5)
    return coded


@pytest.mark.parametrize("settings", [{"preset": "ultrafast"}, {"preset": "superfast"}, {"preset": "medium"}, OURS])
def test_chromium_shows_every_frame_where_it_belongs(
    tmp_path: Path, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.engine.test_join.picture", bar)
    coded = counted(monkeypatch)
    how = spec(size=(WIDTH, HEIGHT), **settings)
    target = tmp_path / "it.mp4"
    join(segments(tmp_path, how, PLANS), target, how)
    assert bool(coded) == (settings == OURS)
    shown = [number for plan in PLANS for number, repeat in plan for _ in range(repeat)]
    # Forwards, backwards and across, within holds, on their first and last frames, and everything around them.
    frames = [0, 399, 400, 100, 260, 5, *range(395, 416), 440, 469, *range(470, 480), len(shown) - 13, 130, 412]
    frames += [*range(len(shown) - 12, len(shown)), len(shown) - 5]
    found = seen_by_chromium(target, [(frame + 0.5) / RATE for frame in frames], tmp_path)
    assert "error" not in found, found
    assert found["seen"] == [shown[frame] for frame in frames]
    assert found["duration"] == pytest.approx(len(shown) / RATE, abs=1e-3)
    assert found["end"] == pytest.approx(len(shown) / RATE, abs=0.05)


@pytest.mark.parametrize("how", [*KINDS, spec(**OURS)], ids=[*NAMES, "ours"])
def test_ffmpeg_finds_nothing_wrong(tmp_path: Path, how: VideoEncoderSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "LITTLE", 0.5)
    target, parts = joined(tmp_path, how)
    for path in (target, *parts):
        command = ["ffmpeg", "-v", "warning", "-xerror", "-err_detect", "explode", "-i", path]
        done = subprocess.run(
            [*command, "-fps_mode", "passthrough", "-f", "null", "-"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
