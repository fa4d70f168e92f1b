"""The requests of a page, sent to a real service, with its answers; ``python -m tests.docs.transcripts`` writes them.

On the page, a block of ``sh`` is what a reader types, and the block of ``json`` or ``text`` behind it the answer. The
blocks of one second-level section share a shell. What differs from run to run (ids, times, addresses, signatures) is
written short, the same thing always in the same way.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.browser import Quiet, site
from tests.docs.pages import DOCS
from tests.e2e.server import serving
from tests.patience import PATIENCE

PAGE = DOCS / "how-to" / "resources-with-curl.md"
EXPIRING = "An expired video"
"""The section whose service lets videos expire at once."""

STEP = re.compile(
    r"^```sh\n(?P<command>.*?)^```\n(?:\n```(?P<kind>json|text)\n(?P<answer>.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
OF_THE_MACHINE = {"fingerprint", "timings", "sandbox"}
"""Fields whose own fields depend on what is installed, and on what was kept of earlier requests."""
EXACT = {"type", "title", "code"}
ENDS = {"succeeded", "partial", "failed", "canceled"}
"""Values of ``status`` that do not depend on when one looks."""

_MARK = "\x1e"


class Receiver(Quiet, BaseHTTPRequestHandler):
    """Takes every webhook."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()


def sections(page: str) -> Iterator[tuple[str, str]]:
    """Yield the second-level sections of a page: their headings, and all of them."""
    for part in re.split(r"^(?=## )", page, flags=re.MULTILINE):
        yield part.partition("\n")[0].removeprefix("## "), part


@contextmanager
def addresses(folder: Path, *, expiring: bool) -> Iterator[dict[str, str]]:
    """Run a service and a receiver of webhooks; yield what the page calls their addresses."""
    settings: dict[str, Any] = {"webhook_allowed_networks": "127.0.0.1/32"}
    if expiring:
        settings["video_ttl"] = 1
    with serving(folder / "data", **settings) as server, site(Receiver) as receiver:
        yield {"url": server.address, "receiver": f"{receiver}/hooks"}


def answers(section: str, folder: Path, *, expiring: bool) -> list[str]:
    """Run what a section says, and return what each of its steps has printed, as a page shows it."""
    commands = [step["command"] for step in STEP.finditer(section)]
    if not commands:
        return []
    script = "set -euo pipefail\n" + "".join(f"printf '{_MARK}'\n{command}" for command in commands)
    with addresses(folder, expiring=expiring) as known:
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **known}
        done = subprocess.run(
            ["bash", "-c", script],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=4 * PATIENCE,
            check=False,
        )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    tidy = Tidy(known)
    return [tidy(printed) for printed in done.stdout.split(_MARK)[1:]]


class Tidy:
    """Writes short what differs from run to run."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = {
            known["url"]: "http://127.0.0.1:8080",
            known["receiver"]: "https://example.com/hooks",
            known["receiver"].split("/")[2]: "example.com",
        }
        self._names: dict[str, str] = {}

    def _name(self, match: re.Match[str]) -> str:
        prefix = match[1]
        count = sum(name.startswith(prefix) for name in self._names.values())
        return self._names.setdefault(match[0], f"{prefix}{count + 1}")

    def __call__(self, printed: str) -> str:
        text = printed.strip()
        with contextlib.suppress(ValueError):  # several answers, or none in JSON
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        for long, short in self._known.items():
            text = text.replace(long, short)
        text = re.sub(r"\b((?:rnd|bat|ast|evt|msg|whd)_)[0-9A-Za-z]{16,}", self._name, text)
        text = re.sub(r"expires=\d+&signature=[\w-]+", "expires=…&signature=…", text)
        text = re.sub(r"\b([0-9a-f]{8})[0-9a-f]{24,}\b", r"\1…", text)
        return f"{text}\n" if text else ""


def shape(answer: str) -> Any:
    """Return what of an answer is the same in each run."""
    try:
        return _shape(json.loads(answer))
    except ValueError:
        return sorted({line if line.startswith("event:") else line.partition(":")[0] for line in answer.splitlines()})


def _told(name: str, value: Any) -> Any:
    is_end = isinstance(value, int) or (isinstance(value, str) and value in ENDS)
    return value if name in EXACT or (name == "status" and is_end) else _shape(value)


def _shape(value: Any) -> Any:
    match value:
        case dict():
            return {name: _told(name, one) for name, one in value.items() if name not in OF_THE_MACHINE}
        case list() if all(isinstance(one, str) for one in value):
            return "texts"
        case list():
            return [_shape(one) for one in value]
        case bool() | None:
            return value
        case int() | float():
            return "number"
    return "text"


def differences(told: Any, found: Any, where: str = "") -> list[str]:
    """Return where two shapes differ; null may stand for anything, as many a field is not known yet."""
    if told is None or found is None or told == found:
        return []
    if isinstance(told, dict) and isinstance(found, dict) and told.keys() == found.keys():
        return [one for name in told for one in differences(told[name], found[name], f"{where}.{name}")]
    if isinstance(told, list) and isinstance(found, list) and len(told) == len(found):
        pairs = enumerate(zip(told, found, strict=True))
        return [one for number, pair in pairs for one in differences(*pair, f"{where}[{number}]")]
    return [f"{where}: the page has {told}, the service {found}"]


def main() -> None:
    """Send the requests of the page, and write the answers into it."""
    written = []
    for heading, section in sections(PAGE.read_text(encoding="utf-8")):
        with tempfile.TemporaryDirectory() as folder:
            found = iter(answers(section, Path(folder), expiring=heading == EXPIRING))

        def step(match: re.Match[str], found: Iterator[str] = found) -> str:
            answer = next(found)
            kind = "json" if answer[:1] in {"{", "["} else "text"
            return f"```sh\n{match['command']}```\n" + (f"\n```{kind}\n{answer}```\n" if answer else "")

        written.append(STEP.sub(step, section))
    PAGE.write_text("".join(written), encoding="utf-8")


if __name__ == "__main__":
    main()
