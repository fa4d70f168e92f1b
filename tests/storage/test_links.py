"""Signed links: which open a file, and where their key lives."""

from __future__ import annotations

import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manimcast.storage import LinkExpired, LinkForged, SignedLink, StorageError
from manimcast.storage.links import Signer, check_key, make_key

SIGNER = Signer(b"k" * 32)


def check(link: SignedLink, render_id: str = "rnd_1", name: str = "video.mp4", signer: Signer = SIGNER) -> None:
    signer.verify(render_id, name, expires=str(link.expires), signature=link.signature)


def test_a_link_opens_its_file_for_as_long_as_it_says() -> None:
    link = SIGNER.sign("rnd_1", "video.mp4", 60)
    check(link)
    assert 59 <= link.expires_at.timestamp() - time.time() <= 61
    assert link.query == f"expires={link.expires}&signature={link.signature}"


def test_an_expired_link_is_told_from_a_forged_one() -> None:
    expired = SIGNER.sign("rnd_1", "video.mp4", -5)
    with pytest.raises(LinkExpired):
        check(expired)
    with pytest.raises(LinkForged):
        check(SignedLink(expired.expires + 3600, expired.signature))


def test_a_link_opens_no_other_file() -> None:
    link = SIGNER.sign("rnd_1", "video.mp4", 60)
    for render_id, name in (("rnd_2", "video.mp4"), ("rnd_1", "poster.png"), ("rnd_1/video.mp4", "")):
        with pytest.raises(LinkForged):
            check(link, render_id, name)
    with pytest.raises(LinkForged):
        check(link, signer=Signer(b"x" * 32))


@given(expires=st.text(max_size=30), signature=st.text(max_size=60))
def test_nothing_made_up_opens_anything(expires: str, signature: str) -> None:
    with pytest.raises(LinkForged):
        SIGNER.verify("rnd_1", "video.mp4", expires=expires, signature=signature)


def test_every_other_signature_of_the_right_shape_is_forged() -> None:
    link = SIGNER.sign("rnd_1", "video.mp4", 60)
    for place in range(len(link.signature)):
        other = "A" if link.signature[place] != "A" else "Q"
        with pytest.raises(LinkForged):
            check(SignedLink(link.expires, link.signature[:place] + other + link.signature[place + 1 :]))


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    key = make_key(path)
    assert len(key) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert make_key(path) == key
    assert [entry.name for entry in tmp_path.iterdir()] == ["signing.key"]
    path.chmod(0o644)
    make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_all_who_make_the_key_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(lambda _: make_key(tmp_path / "signing.key"), range(64)))
    assert len(set(keys)) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["signing.key"]


def test_a_damaged_key_and_a_short_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "signing.key").write_bytes(b"")
    with pytest.raises(StorageError, match="damaged"):
        make_key(tmp_path / "signing.key")
    with pytest.raises(StorageError, match="SIGNING_KEY"):
        check_key("changeme")
    assert check_key("0123456789abcdef") == b"0123456789abcdef"
