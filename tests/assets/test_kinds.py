"""What is taken, and by what name; what only says that it is."""

from __future__ import annotations

import pytest

from manimcast.assets.kinds import TAKEN, KindError, kind_of
from tests.assets.samples import SVG, archive, font, picture, sound


def told(name: str, content: bytes) -> str:
    try:
        content.decode()
        is_text = b"\0" not in content
    except UnicodeDecodeError:
        is_text = False
    found = kind_of(name, content[:4096], is_text=is_text)
    return f"{found.kind} {found.media_type}"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.png", picture("PNG"), "image image/png"),
        ("a.JPG", picture("JPEG"), "image image/jpeg"),
        ("a.jpeg", picture("JPEG"), "image image/jpeg"),
        ("a.gif", picture("GIF"), "image image/gif"),
        ("a.webp", picture("WEBP"), "image image/webp"),
        ("a.bmp", picture("BMP"), "image image/bmp"),
        ("a.ttf", font(), "font font/ttf"),
        ("a.wav", sound("wav", "pcm_s16le"), "sound audio/wav"),
        ("a.mp3", sound("mp3", "libmp3lame"), "sound audio/mpeg"),
        ("a.ogg", sound("ogg", "libopus"), "sound audio/ogg"),
        ("a.flac", sound("flac", "flac"), "sound audio/flac"),
        ("a.svg", SVG, "svg image/svg+xml"),
        ("a.svg", b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn -->\n<!DOCTYPE svg>\n' + SVG, "svg image/svg+xml"),
        ("a.svg", b'<!DOCTYPE svg PUBLIC "-//W3C" "x" [\n<!ENTITY a "b">\n]>\n' + SVG, "svg image/svg+xml"),
        ("a.csv", b"a,b\n1,2\n", "data text/csv"),
        ("a.json", b"[1]", "data application/json"),
        ("a.txt", "größe".encode(), "data text/plain"),
        ("a.py", b"x = 1\n", "python text/x-python"),
        ("a.zip", archive({"a.txt": "a"}), "archive application/zip"),
        ("a.zip", archive({}), "archive application/zip"),
    ],
)
def test_what_is_taken(name: str, content: bytes, expected: str) -> None:
    assert told(name, content) == expected


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jpg", picture("PNG"), "is image/png by its content; its name must end with .png"),
        ("a", picture("PNG"), "its name must end with .png"),
        ("a.py", picture("PNG"), "its name must end with .png"),
        ("a.txt", SVG, "its name must end with .svg"),
        ("a.png", b"text", "it is no .png by its content, nor"),
        ("a.csv", b"a\0b", "it is no text in UTF-8, nor"),
        ("a.csv", b"\xff\xfea\0", "'a.csv' is not what it is called: it is no text in UTF-8"),
        ("a.exe", b"MZ\x90\0", "is none of the files that are taken"),
        ("a.so", b"\x7fELF\2\1\1", "is none of the files that are taken"),
        ("a.pyc", b"\xa7\r\r\n\0\0", "is none of the files that are taken"),
        ("a.html", b"<html><svg></svg></html>", "is none of the files that are taken"),
        ("a.woff", b"wOFF\0\1\0\0", "is none of the files that are taken"),
        ("a.svg", b"<!---->" * 500 + b"<html>", "it is no .svg by its content"),
        ("a.svg", b"<!DOCTYPE html><svg>", "it is no .svg by its content"),
        ("a.svg", b"<!-- " * 500, "it is no .svg by its content"),
        ("a.svg", b"<svgs>", "it is no .svg by its content"),
        ("a.gz", b"\x1f\x8b\x08\0", "is none of the files that are taken"),
    ],
)
def test_what_is_refused_and_why(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(KindError) as refused:
        told(name, content)
    assert reason in str(refused.value)


def test_a_refusal_lists_what_is_taken() -> None:
    with pytest.raises(KindError, match=", ".join(TAKEN)):
        told("a.exe", b"MZ")
