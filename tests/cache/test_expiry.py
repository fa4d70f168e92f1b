"""Entries of caches that nobody has used for long go; the others stay whole."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from manimcast.cache import BundleStore, EntryStore, expire, expiry

KEYS = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(4)]


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds, time.time() - seconds))


def test_what_was_not_used_for_long_goes(tmp_path: Path) -> None:
    entries = EntryStore(tmp_path / "cache" / "tex", 1 << 20)
    for key in KEYS[:3]:
        entries.put(key, b"typeset")
        age(tmp_path / "cache" / "tex" / key[:2] / key, 1000)
    assert entries.get(KEYS[0]) == b"typeset"  # and so it was just used
    assert expire(tmp_path / "cache", 500) == 2
    assert [entries.get(key) for key in KEYS[:3]] == [b"typeset", None, None]


def test_of_a_bundle_the_last_use_counts_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    (tmp_path / "video.mp4").write_bytes(b"a video")
    folder = tmp_path / "cache" / "results"
    bundles = BundleStore(folder, 1 << 20)
    for key in KEYS[:2]:
        bundles.put(key, [tmp_path / "video.mp4"], "a note")
        age(folder / key[:2] / key / "note", 1000)
    (tmp_path / "into").mkdir()
    assert bundles.take(KEYS[1], tmp_path / "into") == "a note"
    assert expire(tmp_path / "cache", 500) == 1
    assert [path.name for path in folder.rglob("video.mp4")] == ["video.mp4"]
    assert not list(folder.glob(".*"))
    assert (tmp_path / "video.mp4").read_bytes() == b"a video"


def test_what_is_removed_at_once_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "MOST", 3)
    entries = EntryStore(tmp_path / "cache" / "tex", 1 << 20)
    for key in KEYS:
        entries.put(key, b"typeset")
        age(tmp_path / "cache" / "tex" / key[:2] / key, 1000)
    assert [expire(tmp_path / "cache", 500) for _ in range(3)] == [3, 1, 0]


def test_no_cache_is_no_error(tmp_path: Path) -> None:
    assert expire(tmp_path / "cache", 1) == 0
