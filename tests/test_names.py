"""What a file may be called that a client brings."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from manimcast.names import SourcedName, check_name, check_together
from manimcast.sources import MAX_CHARACTERS, MAX_FILES
from manimcast.spec import RenderSpec


@pytest.mark.parametrize(
    "name",
    [
        "shapes.py",
        "lib/shapes.py",
        "lib/__init__.py",
        "a/b/c/d/e/f/g/h.txt",
        "Größe 1 (neu).csv",
        "図形.png",
        "हिन्दी.svg",
        "numpy.csv",
        "numpy/data.csv",
        "lib/numpy.py",
        "a-b+c@2x,d='e'&f.png",
        "..name.txt"[2:],
        "video",
        "x" * 100,
    ],
)
def test_plain_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "it is empty"),
        ("/etc/passwd", "begins with a slash"),
        ("../scene.txt", "empty, '.' or '..'"),
        ("a/../../b", "empty, '.' or '..'"),
        ("a//b", "empty, '.' or '..'"),
        ("a/", "empty, '.' or '..'"),
        ("./a", "empty, '.' or '..'"),
        (".bashrc", "begins with a dot"),
        ("a/.b", "begins with a dot"),
        ("-rf", "a hyphen"),
        ("a ", "ends with a dot or a space"),
        ("a.", "ends with a dot or a space"),
        ("~/a", "begins with a dot"),
        ("a\0.py", "has characters other than"),
        ("a\nb", "has characters other than"),
        ("a\\b", "has characters other than"),
        ("C:a", "has characters other than"),
        ("a\u202egnp.py", "has characters other than"),
        ("a\u200b.py", "has characters other than"),
        ("a%2f..", "ends with a dot"),
        ("a%2f..%2fb", "has characters other than"),
        ("a*", "has characters other than"),
        ("e\u0301.txt", "composed form"),
        ("\ud800", "not valid Unicode"),
        ("x" * 101, "longer than 100 bytes"),
        ("/".join(["é" * 40] * 3), "longer than 200 bytes"),
        ("/".join("abcdefghi"), "more than 8 levels"),
        ("scene.py", "the service's own"),
        ("SCENE.PY", "the service's own"),
        ("media/x.txt", "the service's own"),
        ("tmp", "the service's own"),
        ("video.mp4", "the service's own"),
        ("section-000.webm", "the service's own"),
        ("poster.jpg", "the service's own"),
        ("a/__pycache__/x.pyc", "Python's own"),
        ("random.py", "would hide the module random"),
        ("manim.py", "would hide the module manim"),
        ("numpy/__init__.py", "would hide the module numpy"),
        ("manimcast/x.py", "would hide the module manimcast"),
    ],
)
def test_other_names_are_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a file") as refused:
        check_name(name)
    assert reason in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["a.py", "A.py"], "'a.py' and 'A.py' are the same name, but for capitals"),
        (["straße", "STRASSE"], "the same name"),
        (["lib/a", "Lib/b"], "'lib' and 'Lib' are the same folder"),
        (["a", "a/b"], "'a' is a file and a folder"),
        (["A/b", "a"], "'a' is a file and a folder"),
        (["a", "a"], "there are two files 'a'"),
    ],
)
def test_names_that_some_folder_could_not_hold_together(names: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=r"same|folder|two") as refused:
        check_together(names)
    assert reason in str(refused.value)
    check_together(["a/b.py", "a/c.py", "b.py", "c/a/b"])


ARCHIVE, OTHER = "the archive project.zip", "assets[1]"


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["a.py", (ARCHIVE, "a.py")], "'a.py' is there twice: in files and in the archive project.zip"),
        ([(ARCHIVE, "a.py"), (OTHER, "a.py")], "'a.py' is there twice: in the archive project.zip and in assets[1]"),
        (["a.py", (ARCHIVE, "A.py")], "'a.py' in files and 'A.py' in the archive project.zip are the same name"),
        (["lib/a", (ARCHIVE, "Lib/b")], "'lib' in files and 'Lib' in the archive project.zip are the same folder"),
        (["a", (ARCHIVE, "a/b")], "'a' is a file in files and a folder in the archive project.zip"),
        ([(OTHER, "A/b"), (ARCHIVE, "a")], "'a' is a file in the archive project.zip and a folder in assets[1]"),
        ([(OTHER, "a"), (OTHER, "a")], "there are two files 'a'"),
        ([(OTHER, "a/b"), (OTHER, "a")], "'a' is a file and a folder"),
    ],
)
def test_names_of_several_sources_say_which(names: list[str | tuple[str, str]], reason: str) -> None:
    given = [name if isinstance(name, str) else SourcedName.of(name[1], name[0]) for name in names]
    with pytest.raises(ValueError, match=re.escape(reason)):
        check_together(given)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"../a": ""}, "cannot be the name"),
        ({"a": "x", "A": "y"}, "the same name"),
        ({f"f{number}.txt": "" for number in range(MAX_FILES + 1)}, f"at most {MAX_FILES} items"),
        ({"a": "x" * (MAX_CHARACTERS + 1)}, f"more than {MAX_CHARACTERS} characters together"),
        ({"a": "\ud800"}, "files.a is not valid Unicode text"),
        ({"a": b"bytes"}, "valid string"),
        (["a.py"], "valid dictionary"),
    ],
)
def test_files_of_a_request_are_bounded(files: object, reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        RenderSpec.model_validate({"code": "x", "files": files})
    assert reason in str(refused.value)
