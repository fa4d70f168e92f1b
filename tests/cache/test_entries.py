"""The store of entries: whole or not there, bounded, and never a reason to fail."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from manimcast.cache import EntryStore
from manimcast.cache.entries import ABANDONED_SECONDS, DIGEST_BYTES


def key(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def entry(folder: Path, name: object) -> Path:
    (path,) = folder.rglob(key(name))
    return path


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in files(folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "things"


def test_what_was_put_is_there_also_for_the_next_process(folder: Path) -> None:
    store = EntryStore(folder, 1000)
    assert store.get(key(1)) is None
    store.put(key(1), b"one")
    store.put(key(2), b"")
    assert store.get(key(1)) == b"one"
    assert EntryStore(folder, 1000).get(key(1)) == b"one"
    assert EntryStore(folder, 1000).get(key(2)) == b""


def test_a_second_put_replaces_the_first(folder: Path) -> None:
    store = EntryStore(folder, 1000)
    store.put(key(1), b"one")
    store.put(key(1), b"other")
    assert store.get(key(1)) == b"other"
    assert len(files(folder)) == 1


def test_only_the_owner_may_enter(folder: Path) -> None:
    EntryStore(folder, 1000).put(key(1), b"one")
    assert entry(folder, 1).parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["", "a", "../../etc/passwd", "A" * 64, "a" * 63 + "/", "a" * 65, "a" * 64 + "\n"])
def test_a_key_is_a_digest(folder: Path, name: str) -> None:
    store = EntryStore(folder, 1000)
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        store.get(name)
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        store.put(name, b"")


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[:10],
        lambda whole: whole[:DIGEST_BYTES],
        lambda whole: whole[:-1],
        lambda whole: whole + b"more",
        lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
        lambda whole: bytes([whole[0] ^ 1]) + whole[1:],
        lambda whole: b"\0" * len(whole),
    ],
)
def test_a_damaged_entry_is_not_there_and_is_removed(folder: Path, damage, caplog: pytest.LogCaptureFixture) -> None:
    store = EntryStore(folder, 1000)
    store.put(key(1), b"content")
    path = entry(folder, 1)
    path.write_bytes(damage(path.read_bytes()))
    assert store.get(key(1)) is None
    assert "damaged" in caplog.text
    assert files(folder) == []
    store.put(key(1), b"content")
    assert store.get(key(1)) == b"content"


def test_an_entry_under_another_name_is_not_used(folder: Path) -> None:
    store = EntryStore(folder, 1000)
    store.put(key(1), b"one")
    store.put(key(2), b"two")
    entry(folder, 1).replace(entry(folder, 2))
    assert store.get(key(2)) is None


def test_what_was_not_used_for_longest_goes_first(folder: Path) -> None:
    store = EntryStore(folder, 10 * (DIGEST_BYTES + 100))
    for n in range(10):
        store.put(key(n), bytes(100))
        os.utime(entry(folder, n), (n, n))
    assert store.get(key(0)) is not None  # used, so it stays
    store.put(key(10), bytes(100))
    assert [n for n in range(11) if store.get(key(n)) is None] == [1, 2]
    assert size_of(folder) <= 10 * (DIGEST_BYTES + 100)


def test_the_bound_holds_however_much_is_put(folder: Path) -> None:
    store = EntryStore(folder, 5000)
    for n in range(300):
        store.put(key(n), bytes(n))
        assert size_of(folder) <= 5000
    assert store.get(key(299)) == bytes(299)


def test_the_bound_counts_what_was_there_before(folder: Path) -> None:
    for n in range(20):
        EntryStore(folder, 100_000).put(key(n), bytes(200))
    EntryStore(folder, 2000).put(key("new"), bytes(200))
    assert size_of(folder) <= 2000
    assert EntryStore(folder, 2000).get(key("new")) == bytes(200)


def test_two_stores_in_one_folder_stay_near_the_bound(folder: Path) -> None:
    one, other = EntryStore(folder, 20_000), EntryStore(folder, 20_000)
    for n in range(400):
        (one if n % 2 else other).put(key(n), bytes(200))
    assert size_of(folder) <= 20_000 * 1.2


def test_what_is_larger_than_the_bound_is_not_kept(folder: Path) -> None:
    store = EntryStore(folder, 100)
    store.put(key(1), bytes(10))
    store.put(key(2), bytes(100))
    assert store.get(key(2)) is None
    assert store.get(key(1)) == bytes(10)


def test_what_a_dead_process_left_is_removed_once_it_is_old(folder: Path) -> None:
    store = EntryStore(folder, 1000)
    store.put(key(1), b"one")
    young, old = (entry(folder, 1).with_name(f"{key(1)}.{n}.new") for n in "12")
    for path in (young, old):
        path.write_bytes(b"half")
    then = time.time() - ABANDONED_SECONDS - 10
    os.utime(old, (then, then))
    EntryStore(folder, 1000).put(key(2), b"two")
    assert young.exists()
    assert not old.exists()


@pytest.mark.parametrize("kind", ["file", "dangling link", "entry is a folder"])
def test_a_folder_that_cannot_be_used_is_a_cache_without_entries(
    folder: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder.parent.mkdir()
    if kind == "file":
        folder.write_bytes(b"")
    elif kind == "dangling link":
        folder.symlink_to("/nowhere/at/all")
    else:
        (folder / key(1)[:2] / key(1)).mkdir(parents=True)
    store = EntryStore(folder, 1000)
    for _ in range(3):
        store.put(key(1), b"one")
        assert store.get(key(1)) is None
    assert caplog.text.count("does not work") <= 1


def test_a_full_disk_is_told_once_and_nothing_else_happens(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = EntryStore(folder, 1000)
    store.put(key(1), b"one")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    store.put(key(2), b"two")
    store.put(key(3), b"three")
    assert (store.get(key(1)), store.get(key(2))) == (b"one", None)
    assert len(files(folder)) == 1
    assert caplog.text.count("No space left on device") == 1
    monkeypatch.undo()
    store.put(key(2), b"two")
    assert store.get(key(2)) == b"two"


def test_threads_may_use_it_together(folder: Path) -> None:
    store = EntryStore(folder, 4000)
    wrong: list[object] = []

    def work(seed: int) -> None:
        for n in range(60):
            name = (n * seed) % 30
            content = hashlib.sha512(str(name).encode()).digest()
            store.put(key(name), content)
            if store.get(key(name)) not in {content, None}:
                wrong.append(name)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 7, 11, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert size_of(folder) <= 4000 * 1.2


WRITER = """
import sys
from pathlib import Path
from manimcast.cache import EntryStore
from tests.cache.test_entries import key
store = EntryStore(Path(sys.argv[1]), 40_000)
print("ready", flush=True)
n = 0
while True:
    n += 1
    store.put(key(n % 50), bytes([n % 50]) * 1000)
    if n == 60:
        print("busy", flush=True)
"""


def test_writers_that_are_killed_leave_whole_entries(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = Path(__file__).parents[2]
    for _ in range(3):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(folder)], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            for _ in range(2)
        ]
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            assert writer.stdout.readline() == b"busy\n"
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            assert writer.stdout is not None
            writer.stdout.close()
        store = EntryStore(folder, 40_000)
        found = [n for n in range(50) if store.get(key(n)) is not None]
        assert found
        assert all(store.get(key(n)) == bytes([n]) * 1000 for n in found)
    assert "damaged" not in caplog.text


def test_an_entry_can_be_read_as_a_file_that_nobody_disturbs(folder: Path) -> None:
    store = EntryStore(folder, 1 << 20)
    assert store.open(key("a")) is None
    store.put(key("a"), b"what was put")
    file = store.open(key("a"))
    assert file is not None
    with file:
        store.put(key("a"), b"something else")
        entry(folder, "a").unlink()
        assert (file.tell(), file.read()) == (DIGEST_BYTES, b"what was put")


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 100])
def test_a_damaged_entry_is_not_opened_but_removed(folder: Path, damage: bytes) -> None:
    store = EntryStore(folder, 1 << 20)
    store.put(key("a"), b"what was put")
    entry(folder, "a").write_bytes(damage)
    assert store.open(key("a")) is None
    assert files(folder) == []
