"""What lies around on the host for attacks to find, and whether any of them has touched it."""

from __future__ import annotations

import ctypes
import os
import secrets
import selectors
import shutil
import socket
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

SLEEP = "86399"
"""What the sleeper's command line says, for attacks to recognise it by."""

LEFT_IN = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run", "/run/lock", "/var/cache/fontconfig")
"""Folders of the host in which attacks try to leave files; without a sandbox, they succeed."""

_IPC_CREAT, _IPC_RMID = 0o1000, 0
_libc = ctypes.CDLL(None, use_errno=True)
_libc.shmat.restype = ctypes.c_void_p


class Planted:
    """Files with a secret in them, listeners, shared memory, a process that only sleeps.

    All of it is open to every user of the machine: whatever keeps an attack away is the sandbox.

    Attributes
    ----------
    secret
        What must not be found. It is in none of the texts that are posted.
    folder
        Where the files lie.
    """

    def __init__(self) -> None:
        self.secret = secrets.token_hex(16)
        # Below /tmp, wherever other temporary files are: of what a render may write, that is what has the host's name.
        place = tempfile.gettempdir()
        place = place if Path(place).is_relative_to("/tmp") else "/tmp"
        self.folder = Path(tempfile.mkdtemp(prefix="manimcast-attacks-", dir=place))
        self.folder.chmod(0o777)
        self.file = self.folder / "secret.txt"
        self.dotfile = self.folder / ".env"
        self.tex = self.folder / "secret.tex"
        self.shared = Path("/dev/shm") / self.folder.name
        self._listeners = Listeners(self.folder)
        # The sleeper's secret is in its environment, where /proc shows it.
        self.bystander = self._sleeper()
        self._key = secrets.randbits(30) | 1
        self._segment = _libc.shmget(self._key, 4096, _IPC_CREAT | 0o666)
        self.reset()

    def _sleeper(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sleep", SLEEP], env={"SECRET": self.secret}, cwd=self.folder, start_new_session=True)

    def facts(self) -> dict[str, Any]:
        """Return what an attack may know: where everything is, but not the secret."""
        return {
            "secret_file": str(self.file),
            "secret_tex": str(self.tex),
            "folder": str(self.folder),
            "shared_file": str(self.shared),
            "shared_key": self._key,
            "shifted_secret": shifted(self.secret),
            "bystander": self.bystander.pid,
            "checkout": str(ROOT),
            **self._listeners.facts(),
        }

    def reset(self) -> None:
        """Put everything back as it was."""
        self._sweep()
        for entry in self.folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry != self._listeners.path:
                entry.unlink()
        self.file.write_text(self.secret)
        self.dotfile.write_text(self.secret)
        self.tex.write_text(self.secret)
        self.shared.write_text(self.secret)
        for path in (self.file, self.dotfile, self.tex, self.shared):
            path.chmod(0o666)
        if self.bystander.poll() is not None or os.getpriority(os.PRIO_PROCESS, self.bystander.pid):
            self.bystander.kill()
            self.bystander.wait()
            self.bystander = self._sleeper()
        self._segment_write(self.secret)
        self._listeners.heard.clear()
        self._before = self._state()

    def disturbances(self) -> list[str]:
        """Return what is not as it was."""
        found = [f"{name} changed" for name, state in self._state().items() if state != self._before[name]]
        if self.bystander.poll() is not None:
            found.append(f"another process was ended: {self.bystander.returncode}")
        return found + [f"{name} heard something" for name in self._listeners.heard]

    def close(self) -> None:
        """Remove everything."""
        self._listeners.close()
        self.bystander.kill()
        self.bystander.wait()
        _libc.shmctl(self._segment, _IPC_RMID, None)
        self._sweep()
        self.shared.unlink(missing_ok=True)
        shutil.rmtree(self.folder)

    def _sweep(self) -> None:
        """Remove what attacks that were ended in mid-attack have left outside: their names begin with the folder's."""
        for place in LEFT_IN:
            for path in Path(place).glob(f"{self.folder.name}?*"):
                with suppress(OSError):
                    path.unlink()

    def _state(self) -> dict[str, object]:
        state: dict[str, object] = {"the planted folder": sorted(path.name for path in self.folder.iterdir())}
        for path in (self.file, self.dotfile, self.tex, self.shared):
            with suppress(OSError):
                status = path.lstat()
                facts = (status.st_mode, status.st_nlink, status.st_uid, status.st_mtime_ns, path.read_text())
                state[f"the planted {path.name}"] = facts
        state["the planted memory"] = self._segment_read()
        with suppress(OSError):
            state["another process's priority"] = os.getpriority(os.PRIO_PROCESS, self.bystander.pid)
        return state

    def _segment_read(self) -> bytes:
        address = _libc.shmat(self._segment, None, 0)
        try:
            return ctypes.string_at(address, 32)
        finally:
            _libc.shmdt(ctypes.c_void_p(address))

    def _segment_write(self, text: str) -> None:
        address = _libc.shmat(self._segment, None, 0)
        ctypes.memmove(address, text.encode(), len(text))
        _libc.shmdt(ctypes.c_void_p(address))


def shifted(text: str) -> str:
    """Return ``text`` with each character replaced by the next: what is looked for must not be there for that."""
    return "".join(chr(ord(character) + 1) for character in text)


class Listeners:
    """Services on this machine that nothing should reach: TCP, UDP, a socket in the file system and an abstract one.

    Attributes
    ----------
    heard
        The names of those that were spoken to.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "daemon.sock"
        self.abstract = f"manimcast-attacks-{secrets.token_hex(4)}"
        self.heard: set[str] = set()
        self._sockets = {
            "tcp": _bound(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            "udp": _bound(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            "unix": _bound(socket.AF_UNIX, socket.SOCK_STREAM, str(self.path)),
            "abstract": _bound(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.abstract}"),
        }
        self.path.chmod(0o777)
        self._end, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def facts(self) -> dict[str, Any]:
        """Return where they listen."""
        return {
            "tcp_port": self._sockets["tcp"].getsockname()[1],
            "udp_port": self._sockets["udp"].getsockname()[1],
            "unix_socket": str(self.path),
            "abstract_socket": self.abstract,
        }

    def close(self) -> None:
        """Stop listening."""
        os.close(self._stop)
        self._thread.join()
        os.close(self._end)
        for each in self._sockets.values():
            each.close()

    def _listen(self) -> None:
        with selectors.DefaultSelector() as selector:
            for name, each in self._sockets.items():
                selector.register(each, selectors.EVENT_READ, name)
            selector.register(self._end, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.data is None:
                        return
                    self.heard.add(key.data)
                    with suppress(OSError):
                        self._answer(self._sockets[key.data])

    @staticmethod
    def _answer(listener: socket.socket) -> None:
        if listener.type == socket.SOCK_DGRAM:
            _, sender = listener.recvfrom(65536)
            listener.sendto(b"hello", sender)
            return
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello")


def _bound(family: int, kind: int, address: str | tuple[str, int]) -> socket.socket:
    made = socket.socket(family, kind)
    made.bind(address)
    if kind == socket.SOCK_STREAM:
        made.listen()
    return made
