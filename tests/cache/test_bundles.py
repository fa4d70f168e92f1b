"""The store of bundles: whole or not there, bounded, sharing data with what is stored, never a reason to fail."""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from manimcast.cache import BundleStore
from manimcast.cache.bundles import NOTE, UNFINISHED
from manimcast.cache.entries import ABANDONED_SECONDS


def key(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def bundle(folder: Path, name: object) -> Path:
    (path,) = folder.rglob(key(name))
    return path


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def some_file(folder: Path, content: bytes = b"a video", name: str = "video.mp4") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_what_was_put_is_there_also_for_the_next_process(folder: Path, out: Path, tmp_path: Path) -> None:
    store = BundleStore(folder, 10_000)
    assert store.take(key(1), out) is None
    files = [some_file(tmp_path / "in"), some_file(tmp_path / "in", b"a poster", "poster.jpg")]
    store.put(key(1), files, "ä note")
    assert BundleStore(folder, 10_000).take(key(1), out) == "ä note"
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        "video.mp4": b"a video",
        "poster.jpg": b"a poster",
    }


def test_no_byte_is_copied_and_each_name_can_go_without_the_others(folder: Path, out: Path, tmp_path: Path) -> None:
    store = BundleStore(folder, 10_000)
    source = some_file(tmp_path / "in")
    store.put(key(1), [source], "")
    store.take(key(1), out)
    taken = out / "video.mp4"
    assert source.stat().st_ino == taken.stat().st_ino
    source.unlink()
    taken.unlink()
    assert store.take(key(1), out) == ""
    assert taken.read_bytes() == b"a video"


def test_where_names_cannot_be_added_files_are_copied(
    folder: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    store = BundleStore(folder, 10_000)
    source = some_file(tmp_path / "in")
    store.put(key(1), [source], "note")
    assert store.take(key(1), out) == "note"
    assert (out / "video.mp4").read_bytes() == b"a video"
    assert (out / "video.mp4").stat().st_ino != source.stat().st_ino


def test_a_second_put_replaces_the_first(folder: Path, out: Path, tmp_path: Path) -> None:
    store = BundleStore(folder, 10_000)
    store.put(key(1), [some_file(tmp_path / "in")], "first")
    store.put(key(1), [some_file(tmp_path / "again", b"another video")], "second")
    assert store.take(key(1), out) == "second"
    assert (out / "video.mp4").read_bytes() == b"another video"
    assert len(list(folder.rglob(NOTE))) == 1


@pytest.mark.parametrize("harm", ["video", "shorter", "note", "no note", "no video", "moved", "link"])
def test_a_damaged_bundle_is_not_used_and_is_removed(
    folder: Path, out: Path, tmp_path: Path, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = BundleStore(folder, 10_000)
    store.put(key(1), [some_file(tmp_path / "in", b"p" * 10, "poster.jpg"), some_file(tmp_path / "in")], "note")
    place, name = bundle(folder, 1), 1
    match harm:
        case "video":
            (place / "video.mp4").write_bytes(b"a VIDEO")
        case "shorter":
            (place / "video.mp4").write_bytes(b"a")
        case "note":
            (place / NOTE).write_text((place / NOTE).read_text().replace("7", "8"))
        case "no note":
            (place / NOTE).unlink()
        case "no video":
            (place / "video.mp4").unlink()
        case "moved":
            name = 2
            place = place.parent.parent / key(2)[:2] / key(2)
            place.parent.mkdir()
            bundle(folder, 1).rename(place)
        case "link":
            (place / "video.mp4").unlink()
            (place / "video.mp4").symlink_to(some_file(tmp_path / "elsewhere"))
    assert store.take(key(name), out) is None
    assert not list(out.iterdir())
    assert not place.exists()
    if harm not in {"no note", "no video"}:
        assert "damaged" in caplog.text
    store.put(key(name), [some_file(tmp_path / "anew")], "note")
    assert store.take(key(name), out) == "note"


def test_what_was_not_used_for_longest_goes_first(folder: Path, tmp_path: Path) -> None:
    store = BundleStore(folder, 11_000)
    for n in range(9):
        store.put(key(n), [some_file(tmp_path / f"{n}", bytes(1000))], "")
        os.utime(bundle(folder, n) / NOTE, (n + 1, n + 1))
    (used := tmp_path / "used").mkdir()
    assert store.take(key(0), used) is not None
    store.put(key("new"), [some_file(tmp_path / "new", bytes(1000))], "")
    assert size_of(folder) <= 11_000
    left = {n for n in range(9) if list(folder.rglob(key(n)))}
    assert 0 in left
    assert 1 not in left
    assert list(folder.rglob(key("new")))


def test_what_is_larger_than_all_is_not_kept(folder: Path, tmp_path: Path, out: Path) -> None:
    store = BundleStore(folder, 1000)
    store.put(key(1), [some_file(tmp_path / "in", bytes(2000))], "")
    assert store.take(key(1), out) is None
    assert size_of(folder) == 0


def test_what_died_processes_left_is_removed(folder: Path, tmp_path: Path) -> None:
    for age, name in ((ABANDONED_SECONDS + 10, "old"), (10, "fresh")):
        draft = folder / f"{UNFINISHED}{name}"
        some_file(draft)
        then = time.time() - age
        os.utime(draft, (then, then))
    BundleStore(folder, 1000).put(key(1), [some_file(tmp_path / "in")], "")
    assert sorted(path.name for path in folder.glob(f"{UNFINISHED}*")) == [f"{UNFINISHED}fresh"]


@pytest.mark.parametrize("name", ["../video.mp4", "note", ".video.mp4", "VIDEO.MP4"])
def test_only_names_of_a_renders_files_are_kept(folder: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "in" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    if name == "../video.mp4":
        BundleStore(folder, 1000).put(key(1), [path], "")  # its last part counts
        assert (bundle(folder, 1) / "video.mp4").exists()
        return
    with pytest.raises(ValueError, match="no name"):
        BundleStore(folder, 1000).put(key(1), [path], "")
    assert size_of(folder) == 0


@pytest.mark.parametrize("wrong", ["", "../../etc", "A" * 64, "0" * 63])
def test_only_digests_are_keys(folder: Path, out: Path, wrong: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal"):
        BundleStore(folder, 1000).take(wrong, out)


def test_a_folder_that_cannot_be_used_is_complained_about_once(
    tmp_path: Path, out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = BundleStore(tmp_path / "file" / "cache", 1000)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            store.put(key(1), [some_file(tmp_path / "in")], "")
            assert store.take(key(1), out) is None
    assert len(caplog.records) == 1
    assert "does not work" in caplog.text


def test_threads_may_use_it_together(folder: Path, tmp_path: Path) -> None:
    store = BundleStore(folder, 30_000)
    wrong: list[object] = []

    def work(seed: int) -> None:
        for n in range(40):
            name = (n * seed) % 12
            mine = tmp_path / f"{seed}-{n}"
            store.put(key(name), [some_file(mine / "in", bytes([name]) * 500)], str(name))
            (mine / "out").mkdir()
            note = store.take(key(name), mine / "out")
            found = [path.read_bytes() for path in (mine / "out").iterdir()]
            if (note, found) not in ((None, []), (str(name), [bytes([name]) * 500])):
                wrong.append((note, found))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 5, 7, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert not list(folder.glob(f"{UNFINISHED}*"))


WRITER = """
import sys
from pathlib import Path
from manimcast.cache import BundleStore
from tests.cache.test_bundles import key, some_file
folder, own = Path(sys.argv[1]), Path(sys.argv[2])
store = BundleStore(folder, 40_000)
print("ready", flush=True)
n = 0
while True:
    n += 1
    store.put(key(n % 30), [some_file(own, bytes([n % 30]) * 1000, f"video{n % 30}.mp4")], str(n % 30))
    (own / f"video{n % 30}.mp4").unlink()
    if n == 40:
        print("busy", flush=True)
"""


def test_writers_that_are_killed_leave_whole_bundles(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = Path(__file__).parents[2]
    for turn in range(3):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(folder), str(tmp_path / f"in{turn}{n}")],
                cwd=root,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            for n in range(2)
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
        store = BundleStore(folder, 40_000)
        found = 0
        for n in range(30):
            (out := tmp_path / f"out{turn}-{n}").mkdir()
            if (note := store.take(key(n), out)) is not None:
                found += 1
                assert note == str(n)
                assert [path.read_bytes() for path in out.iterdir()] == [bytes([n]) * 1000]
        assert found
    assert "damaged" not in caplog.text
