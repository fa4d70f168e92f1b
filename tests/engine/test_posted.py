"""Files beside the code: importable, with the code's own names, and their errors lead to their own lines."""

from __future__ import annotations

from pathlib import Path

from tests.engine.in_child import in_child

FILES = """
files = {
    "shapes.py": "SIZE = PARAMS['size']\\ndef ring():\\n    return Circle(radius=SIZE)\\n",
    "lib/__init__.py": "",
    "lib/more.py": "from lib import deep\\nfrom shapes import ring\\nvalue = deep.value\\n",
    "lib/deep/__init__.py": "value = pow(2, 10, 7)\\n",
    "names/plain.py": "here = __name__, __file__.rpartition('/')[2], sqrt(4)\\n",
    "table.csv": "a,b\\r\\n1,2\\r\\n",
}
"""


def test_posted_files_are_imported_like_the_code(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        FILES
        + """
code = '''
import inspect, names.plain, shapes
from lib.more import ring, value
text = open("table.csv", newline="").read()
found = [ring().radius, value, names.plain.here, text, inspect.getsource(shapes.ring), shapes.ring.__code__.co_filename]
'''
found = load.load_module(code, HERE, {"size": 2}, files).found
answer([found, sorted(path.name for path in HERE.rglob("*.pyc"))])
""",
    )
    where = ["names.plain", "plain.py", 2.0]
    source = "def ring():\n    return Circle(radius=SIZE)\n"
    assert found == [[2, 2, where, "a,b\r\n1,2\r\n", source, "shapes.py"], []]


def test_all_files_share_one_params(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
        files = {"a.py": "PARAMS['seen'] = True"}
        answer(load.load_module("import a\\nseen = PARAMS", HERE, {}, files).seen)
        """,
    )
    assert found == {"seen": True}


def test_an_error_leads_to_the_posted_file(tmp_path: Path) -> None:
    error = in_child(
        tmp_path,
        """
        files = {"lib/shapes.py": "from manim import *\\n\\ndef ring():\\n    return Circel()\\n"}
        code = "from lib.shapes import *\\nclass Demo(Scene):\\n    def construct(self):\\n        self.add(ring())"
        answer(failure(RenderSpec(code=code, files=files)))
        """,
    )
    assert (error["code"], error["exception"]) == ("exception", "NameError")
    assert (error["file"], error["line"], error["column"]) == ("lib/shapes.py", 4, 12)
    assert "> 4 |     return Circel()" in error["excerpt"]
    assert error["hint"] == "Did you mean Circle?"
    traceback = error["traceback"].splitlines()
    assert traceback[1:6:2] == [
        '  File "scene.py", line 4, in construct',
        '  File "lib/shapes.py", line 4, in ring',
        "NameError: name 'Circel' is not defined",
    ]
    assert str(tmp_path) not in error["traceback"]


def test_an_error_of_the_code_names_no_file(tmp_path: Path) -> None:
    error = in_child(tmp_path, 'answer(failure(RenderSpec(code="import a\\n1/0", files={"a.py": ""})))')
    assert (error["file"], error["line"]) == (None, 2)


def test_a_syntax_error_of_a_posted_file(tmp_path: Path) -> None:
    error = in_child(tmp_path, 'answer(failure(RenderSpec(code="import a", files={"a.py": "x = 1\\nx = (\\n"})))')
    assert (error["code"], error["file"], error["line"], error["column"]) == ("syntax_error", "a.py", 2, 5)
    assert "> 2 | x = (" in error["excerpt"]


def test_no_posted_file_hides_an_installed_module(tmp_path: Path) -> None:
    error = in_child(tmp_path, 'answer(failure(RenderSpec(code="import pytest", files={"pytest.py": "x = 1"})))')
    assert error["message"] == "The file pytest.py would hide the module pytest, which is installed here."


def test_what_tex_would_read_is_noticed(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
        from manimcast.engine.patches import tex
        tex.begin_render()
        load.load_module("", HERE, None, {"own.sty": "", "notes.txt": ""})
        surroundings = tex._prepared.surroundings
        answer([surroundings.disturb(HERE), sorted(surroundings.own_files())])
        """,
    )
    assert found == [True, ["notes.txt", "own.sty"]]
