from __future__ import annotations

import re
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

from tests.cli.conftest import Run, command, environment
from tests.patience import PATIENCE


def test_options_win_over_the_environment_and_sigterm_ends_it(tmp_path: Path) -> None:
    with socket.socket() as taken:  # a service that listened here would fail
        taken.bind(("127.0.0.1", 0))
        with subprocess.Popen(
            command("serve", "--port", "0", "--data-dir", str(tmp_path / "mine"), "--log-level", "INFO"),
            cwd=tmp_path,
            env=environment() | {"PORT": str(taken.getsockname()[1]), "DATA_DIR": str(tmp_path / "other")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            address = None
            for line in process.stdout:
                found = re.search(r"Listening on (http://\S+)", line)
                if found:
                    address = found[1]
                    break
            assert address is not None
            with urllib.request.urlopen(f"{address}/livez", timeout=PATIENCE) as answer:
                assert answer.status == 200
            process.send_signal(signal.SIGTERM)
            process.stdout.read()
    assert process.returncode == 0
    assert (tmp_path / "mine").is_dir()
    assert not (tmp_path / "other").exists()


def test_an_open_address_without_keys_is_refused(manimcast: Run) -> None:
    done = manimcast("serve", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 2
    assert "API_KEYS" in done.stderr


def test_a_port_in_use_is_told(manimcast: Run) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        done = manimcast("serve", "--port", str(other.getsockname()[1]))
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert "Traceback" not in done.stderr
