"""Names of objects and the addresses that anyone can read them under."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from obstore import sign

from manimcast.settings import Settings
from manimcast.spec import OutputRole
from manimcast.storage import StoredFile
from manimcast.storage.connect import connect
from manimcast.storage.places import endpoint, name_objects, of_bucket, public_base, public_url
from manimcast.storage_settings import Place

ID = UUID("01234567-89ab-4def-8123-456789abcdef")


def settings(**fields: object) -> Settings:
    return Settings(_env_file=None, **{"s3_bucket": "videos", **fields})  # type: ignore[arg-type]


def file(name: str) -> StoredFile:
    return StoredFile(role=OutputRole.video, name=name, bytes=1, sha256="0" * 64)


def test_all_files_of_a_render_share_one_uuid() -> None:
    place = Place("s3", "videos", "")
    files = name_objects([file("video.mp4"), file("section-0001.mp4")], "rnd_1", ID, place, "{name}-{uuid}.{ext}")
    assert [one.key for one in files] == [f"video-{ID}.mp4", f"section-0001-{ID}.mp4"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"s3_acl": "public-read"}, "https://s3.us-east-1.amazonaws.com/videos"),
        ({"s3_acl": "public-read", "s3_region": "eu-west-1"}, "https://s3.eu-west-1.amazonaws.com/videos"),
        ({"s3_acl": "public-read", "s3_endpoint": "http://minio:9000/"}, "http://minio:9000/videos"),
        (
            {"s3_acl": "public-read", "s3_endpoint": "https://s3.example:9000", "s3_force_path_style": False},
            "https://videos.s3.example:9000",
        ),
        (
            {"s3_acl": "public-read", "s3_endpoint": "http://minio:9000", "s3_link_endpoint": "https://s3.example"},
            "https://s3.example/videos",
        ),
        ({"s3_public_url_base": "https://media.example/v/"}, "https://media.example/v"),
        ({"s3_public_url_base": "https://a.example", "cdn_url_base": "https://cdn.example"}, "https://cdn.example"),
        ({"s3_bucket": None, "storage_url": "gs://videos/x"}, None),
        ({"s3_bucket": None, "storage_url": "gs://videos/x", "cdn_url_base": "https://c.example"}, "https://c.example"),
    ],
)
def test_only_what_is_said_to_be_public_has_a_permanent_address(fields: dict[str, object], expected: str) -> None:
    chosen = settings(**fields)
    assert chosen.place is not None
    assert public_base(chosen, chosen.place) == expected


def test_a_permanent_link_is_the_base_and_the_key() -> None:
    assert public_url("https://media.example", f"a b/video-{ID}.mp4") == f"https://media.example/a%20b/video-{ID}.mp4"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Place("s3", "videos", "")),
        ({"use_local_storage": True}, None),
        ({"use_local_storage": False}, Place("s3", "videos", "")),
        ({"s3_bucket": None}, None),
        ({"s3_bucket": None, "storage_url": "s3://films"}, Place("s3", "films", "")),
        ({"s3_bucket": None, "storage_url": "gs://films/a/b/"}, Place("gcs", "films", "a/b/")),
        ({"s3_bucket": None, "storage_url": "az://films", "storage_prefix": "m-"}, Place("azure", "films", "m-")),
        ({"s3_bucket": None, "storage_url": "s3://films/a", "storage_prefix": "b/"}, Place("s3", "films", "a/b/")),
    ],
)
def test_the_place_is_what_the_settings_name(fields: dict[str, object], expected: Place | None) -> None:
    assert settings(**fields).place == expected


def test_our_own_endpoint_wins_over_amazons_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://elsewhere.example")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    chosen = settings(
        s3_endpoint="https://s3.example", s3_region="auto", s3_access_key_id="key", s3_secret_access_key="secret"
    )
    assert chosen.place is not None
    client = connect(chosen, chosen.place)
    link = sign(client, "GET", "x.mp4", timedelta(seconds=60))
    assert link.startswith("https://s3.example/videos/x.mp4?")
    assert "%2Fauto%2Fs3%2F" in link


@pytest.mark.parametrize(
    ("variables", "region", "expected"),
    [
        ({}, None, "us-east-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, None, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-2"}, None, "eu-west-2"),
        ({"AWS_REGION": "eu-west-2"}, "eu-west-3", "eu-west-3"),
    ],
)
def test_amazons_address_is_where_obstore_goes(
    variables: dict[str, str], region: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    place = Place("s3", "videos", "")
    for is_path in (True, False):
        chosen = settings(
            s3_region=region, s3_force_path_style=is_path, s3_access_key_id="key", s3_secret_access_key="secret"
        )
        assert endpoint(chosen) == f"https://s3.{expected}.amazonaws.com"
        signed = sign(connect(chosen, place), "GET", "video.mp4", timedelta(minutes=1))
        assert signed.startswith(f"{of_bucket(endpoint(chosen), 'videos', path_style=is_path)}/video.mp4?")
        assert f"%2F{expected}%2Fs3%2F" in signed
