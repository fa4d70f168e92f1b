"""What goes along with a render, what of its container's answer is kept, and for whom: all of it taken for hostile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from manimcast import wire
from manimcast.cache import EntryStore
from manimcast.executors.base import ExecutorError
from manimcast.executors.modal import lineage, parcels
from manimcast.executors.modal.parcels import Parcel, Parcels
from manimcast.executors.modal.receive import Receiver
from manimcast.executors.segments import Reuse, SegmentCache
from manimcast.settings import MIB, Settings
from manimcast.spec import ErrorCode, RenderSpec, SceneError
from tests.executors.modal.conversation import Item, Talk

LIMITS = wire.Limits(duration=10, frames=100, pixels=128 * 72, frame_rate=60, file_bytes=4 * MIB)
VERSIONS = {"manim": "0.22.0"}
MINE = Reuse("t")
NOTE, A, B, C = (digit * 64 for digit in "0abc")
CODE = "".join(f"line {number}\n" for number in range(10))


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(tmp_path / "segments", 100 * MIB)


@pytest.fixture
def own(store: EntryStore) -> Parcels:
    return Parcels(SegmentCache(store), 1000)


def edit(number: int = 0, **spec: object) -> RenderSpec:
    """Return the code after an edit of its last line."""
    return RenderSpec.model_validate({"code": f"{CODE}last {number}\n", **spec})


def answered(
    parcel: Parcel,
    made: Mapping[str, bytes] | None = None,
    *,
    used: Iterable[str] = (),
    fails: bool = False,
    facts: Mapping[str, str] = VERSIONS,
) -> None:
    """Have a container render, and tell what it used and made."""
    parcel.opened(facts)
    parcel.used(used)
    for key, content in (made or {}).items():
        parcel.take(key, len(content), content)
    parcel.close(finished=not fails)


def packed(parcel: Parcel) -> dict[str, bytes]:
    kept, contents = parcel.pack()
    return dict(zip(kept.keys, contents, strict=True))


def sent(
    own: Parcels, spec: RenderSpec, reuse: Reuse = MINE, versions: Mapping[str, str] | None = VERSIONS
) -> set[str]:
    return set(packed(own.of(spec, reuse, versions)))


def rendered(
    own: Parcels, spec: RenderSpec, made: Mapping[str, bytes], *, used: Iterable[str] = (), fails: bool = False
) -> set[str]:
    """Render as the service does; return what went along."""
    parcel = own.of(spec, MINE, VERSIONS)
    along = set(packed(parcel))
    answered(parcel, made, used=used, fails=fails)
    return along


def test_what_a_render_was_made_of_goes_along_with_the_next(own: Parcels) -> None:
    assert rendered(own, edit(0), {NOTE: b"note 0", A: b"a", B: b"b"}) == set()
    assert packed(own.of(edit(1), MINE, VERSIONS)) == {NOTE: b"note 0", A: b"a", B: b"b"}
    assert rendered(own, edit(1), {NOTE: b"note 1", C: b"c"}, used=[NOTE, A]) == {NOTE, A, B}
    # The last one's first, and those of the edit before: it may be taken back.
    assert list(packed(own.of(edit(2), MINE, VERSIONS)).items()) == [
        (NOTE, b"note 1"),
        (C, b"c"),
        (A, b"a"),
        (B, b"b"),
    ]


def test_what_was_not_used_for_several_edits_goes_along_no_more(own: Parcels) -> None:
    rendered(own, edit(0), {NOTE: b"note", A: b"a"})
    for number in range(1, lineage.MOST_ALIKE):
        assert A in rendered(own, edit(number), {NOTE: b"note", B: b"b"})
    assert A in rendered(own, edit(100), {NOTE: b"note", B: b"b"})
    assert sent(own, edit(101)) == {NOTE, B}


def test_a_render_that_fails_loses_nothing(own: Parcels) -> None:
    rendered(own, edit(0), {NOTE: b"note", A: b"a", B: b"b"})
    for number in range(1, 10):
        rendered(own, edit(number), {NOTE: b"note"}, used=[NOTE, A], fails=True)
    assert sent(own, edit(11)) == {NOTE, A, B}


def test_nobody_else_has_it(own: Parcels) -> None:
    rendered(own, edit(0), {NOTE: b"note", A: b"a"})
    assert sent(own, edit(0)) == {NOTE, A}
    assert sent(own, edit(0), Reuse("other")) == set()
    assert sent(own, edit(0), Reuse("t", look=False)) == set()
    assert sent(own, edit(0), versions={"manim": "0.22.1"}) == set()
    assert sent(own, edit(0), versions=None) == set()
    for other in ({"scene": "Other"}, {"quality": "low_quality"}, {"format": "webm"}, {"encoder_preset": "slow"}):
        assert sent(own, edit(0, **other)) == set()
    assert sent(own, RenderSpec(code="quite another")) == set()
    assert sent(own, edit(0, seed=3, params={"a": 1}, timeout=4)) == {NOTE, A}


def test_scenes_of_one_name_are_kept_apart(own: Parcels) -> None:
    other = RenderSpec(code="".join(f"other {number}\n" for number in range(10)))
    rendered(own, edit(0), {NOTE: b"mine", A: b"a"})
    rendered(own, other, {NOTE: b"other's", B: b"b"})
    assert packed(own.of(edit(1), MINE, VERSIONS)) == {NOTE: b"mine", A: b"a"}
    assert packed(own.of(other, MINE, VERSIONS)) == {NOTE: b"other's", B: b"b"}


def test_not_to_keep_leaves_nothing(own: Parcels, tmp_path: Path) -> None:
    parcel = own.of(edit(), Reuse("t", keep=False), VERSIONS)
    kept, _ = parcel.pack()
    assert kept.most == 0
    answered(parcel, used=[A])
    with pytest.raises(ExecutorError, match="sent other segments than it may"):
        parcel.take(A, 1, b"a")
    assert not (tmp_path / "segments").exists()


def test_it_is_kept_under_the_fingerprint_that_the_container_turned_out_to_have(own: Parcels) -> None:
    parcel = own.of(edit(), MINE, {"manim": "0.21.0"})
    parcel.pack()
    answered(parcel, {NOTE: b"note"}, facts=VERSIONS)
    assert sent(own, edit()) == {NOTE}
    assert sent(own, edit(), versions={"manim": "0.21.0"}) == set()


def test_no_more_goes_along_than_may(own: Parcels, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered(own, edit(0), {NOTE: b"note", A: b"a" * 600, B: b"b" * 300})
    own._most = 700
    assert sent(own, edit(1)) == {NOTE, A}
    own._most = 310
    assert sent(own, edit(1)) == {NOTE, B}
    monkeypatch.setattr(parcels, "MAX_SEGMENTS", 1)
    assert sent(own, edit(1)) == {NOTE}


def test_what_is_damaged_stays_here(own: Parcels, tmp_path: Path) -> None:
    rendered(own, edit(0), {NOTE: b"note", A: b"a" * 500})
    (large,) = [path for path in tmp_path.rglob("*") if path.is_file() and b"a" * 500 in path.read_bytes()]
    large.write_bytes(large.read_bytes()[:-1] + b"?")
    assert sent(own, edit(1)) == {NOTE}
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        path.write_bytes(b"?")
    assert sent(own, edit(1)) == set()
    rendered(own, edit(1), {NOTE: b"note"})
    assert sent(own, edit(1)) == {NOTE}


def test_records_of_another_shape_are_none(own: Parcels, store: EntryStore) -> None:
    rendered(own, edit(0), {NOTE: b"note"})
    records = SegmentCache(store).apart("t", VERSIONS, lineage.RECORDS)
    place = hashlib.sha256(lineage._kind_of(edit(0)).encode()).hexdigest()
    assert records.get(place) is not None
    records.put(place, b'[{"keys": 5}]')
    assert sent(own, edit(0)) == set()


def test_old_records_go(own: Parcels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "MAX_RECORDS", 2)
    scenes = [RenderSpec(code="".join(f"{name} {number}\n" for number in range(10))) for name in "xyz"]
    for spec in scenes:
        rendered(own, spec, {NOTE: b"note"})
    assert [bool(sent(own, spec)) for spec in scenes] == [False, True, True]


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([(A, 2000, b"a")], "other segments than it may"),
        ([(A, 600, b"a" * 600), (B, 600, b"b")], "other segments than it may"),
        ([(A, 2, b"a"), (B, 2, b"b")], "other segments than it may"),
        ([(A, 2, b"a"), (A, 3, b"b")], "other segments than it may"),
        ([(A, 2, b"abc")], "more of a segment than it announced"),
        ([(A, 2, b"a")], "ended in the middle of a segment"),
    ],
)
def test_segments_that_a_container_may_not_send(
    own: Parcels, pieces: list[tuple[str, int, bytes]], reason: str
) -> None:
    parcel = own.of(edit(), MINE, VERSIONS)
    parcel.pack()
    parcel.opened(VERSIONS)

    def take() -> None:
        for piece in pieces:
            parcel.take(*piece)
        parcel.close(finished=True)

    with pytest.raises(ExecutorError, match=reason):
        take()


def test_one_segment_may_be_no_larger_than_any(own: Parcels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcels, "MAX_SEGMENT", 10)
    parcel = own.of(edit(), MINE, VERSIONS)
    parcel.opened(VERSIONS)
    parcel.take(A, 10, b"a" * 10)
    with pytest.raises(ExecutorError, match="other segments than it may"):
        parcel.take(B, 11, b"b")


def test_what_was_not_sent_cannot_have_been_used(own: Parcels) -> None:
    rendered(own, edit(0), {NOTE: b"note"})
    rendered(own, edit(1), {}, used=[NOTE, B, C])
    assert sent(own, edit(2)) == {NOTE}
    keys = lineage.Lineage(own._cache, "t", VERSIONS, edit(2)).keys
    assert keys == [NOTE]


def spoken(talk: Talk, end: wire.Terminal) -> list[Item]:
    return [*talk.beginning(), talk.said(end)]


FAILED = wire.Failed(error=SceneError(code=ErrorCode.exception, message="no"))


def test_a_receiver_hands_them_on(own: Parcels, tmp_path: Path) -> None:
    parcel, talk = own.of(edit(), MINE, VERSIONS), Talk()
    receiver = Receiver(edit(), LIMITS, tmp_path, parcel)
    items = [
        *spoken(talk, FAILED),
        talk.item("used", keys=[]),
        talk.item("segment", key=NOTE, size=4, data=b"no"),
        talk.item("segment", key=NOTE, size=4, data=b"te"),
        talk.closed(),
    ]
    for item in items:
        receiver.take(item)
    assert receiver.is_complete
    assert packed(own.of(edit(1), MINE, VERSIONS)) == {NOTE: b"note"}


@pytest.mark.parametrize("asked", [True, False])
def test_segments_that_nobody_waits_for(own: Parcels, tmp_path: Path, asked: bool) -> None:
    """Nobody has asked for any, or the render has not ended."""
    talk = Talk()
    receiver = Receiver(edit(), LIMITS, tmp_path, own.of(edit(), MINE, VERSIONS) if asked else None)
    for item in talk.beginning() if asked else spoken(talk, FAILED):
        receiver.take(item)
    with pytest.raises(ExecutorError, match="segments that it was not asked for"):
        receiver.take(talk.item("used", keys=[]))


@pytest.mark.parametrize(
    "item",
    [
        {"type": "used", "keys": ["../../etc/passwd"]},
        {"type": "used", "keys": [A] * 5000},
        {"type": "segment", "key": "A" * 64, "size": 1, "data": b"x"},
        {"type": "segment", "key": A, "size": 0, "data": b"x"},
        {"type": "segment", "key": A, "size": 1, "data": b""},
        {"type": "segment", "key": A, "size": 1, "data": "x"},
    ],
)
def test_what_is_not_understood(own: Parcels, tmp_path: Path, item: Item) -> None:
    talk = Talk()
    receiver = Receiver(edit(), LIMITS, tmp_path, own.of(edit(), MINE, VERSIONS))
    for before in spoken(talk, FAILED):
        receiver.take(before)
    with pytest.raises(ExecutorError, match="what is not understood"):
        receiver.take(talk.item(**{"kind" if name == "type" else name: value for name, value in item.items()}))


def test_what_the_settings_say(tmp_path: Path) -> None:
    def made(**fields: int) -> Parcels | None:
        return Parcels.from_settings(Settings(_env_file=None, data_dir=tmp_path, **fields))

    assert made(modal_segments_mib=0) is None
    assert made(segment_cache_mib=0) is None
    found = made(modal_segments_mib=3)
    assert found is not None
    assert found._most == 3 * MIB
