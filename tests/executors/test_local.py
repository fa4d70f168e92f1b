"""Scenes that fail, misbehave or attack: each gets its error, and nothing of it stays behind."""

from __future__ import annotations

import asyncio
import unicodedata
from contextlib import aclosing

import pytest

from manimcast import wire
from manimcast.spec import ErrorCode, RenderSpec
from tests.engine.pictures import decoded
from tests.executors.rig import RING, SMALL, Rig, fresh_mark, running, scene
from tests.patience import PATIENCE, eventually

CASES: dict[str, tuple[str, ErrorCode, str]] = {
    "unclosed bracket": ("x = (1 +\n", ErrorCode.syntax_error, "was never closed"),
    "null byte": ("x = 1\0", ErrorCode.syntax_error, "null bytes"),
    "deep nesting": ("(" * 5000 + ")" * 5000, ErrorCode.syntax_error, ""),
    "no scene": ("x = 1", ErrorCode.no_scene, "The code defines no scene."),
    "two scenes": (
        scene(RING) + scene(RING).replace("Demo", "Other"),
        ErrorCode.scene_not_found,
        "The code defines 2 scenes, and none was named: Demo, Other.",
    ),
    "division": (scene(f"{RING}\n1/0"), ErrorCode.exception, "division by zero"),
    "exception at module level": ("raise ValueError('early')", ErrorCode.exception, "early"),
    "recursion": (scene("def f(x): return f(x)\nf(1)"), ErrorCode.exception, "A function calls itself without end"),
    "sys.exit": (scene("import sys; sys.exit(4)"), ErrorCode.exception, "The scene called sys.exit(4)"),
    "os._exit": (scene("import os; os._exit(3)"), ErrorCode.exception, "exit status 3"),
    "os._exit(0)": (scene("import os; os._exit(0)"), ErrorCode.exception, "exit status 0"),
    "segmentation fault": (scene("import ctypes; ctypes.string_at(0)"), ErrorCode.exception, "Segmentation fault"),
    "input": (scene("input()"), ErrorCode.exception, "EOF when reading a line"),
    "all descriptors closed": (
        scene(f"import os; os.closerange(0, 500)\n{RING}"),
        ErrorCode.exception,
        "The scene ended its own process",
    ),
    "bad colour": (scene("self.add(Circle(color='nonsense'))"), ErrorCode.exception, "nonsense"),
    "latex": (scene(r"self.add(MathTex(r'\frac{a}{\foo b}'))"), ErrorCode.latex_error, "Undefined control sequence"),
    "memory of one process": (
        scene("x = []\nwhile True: x.append(bytearray(50 << 20))"),
        ErrorCode.out_of_memory,
        "The scene needs more memory than a render may have",
    ),
    "memory of many processes": (
        scene(
            "import os, time\nfor _ in range(12):\n    if os.fork() == 0:\n"
            "        x = bytearray(b'1' * (100 << 20)); time.sleep(100)\ntime.sleep(100)"
        ),
        ErrorCode.out_of_memory,
        "processes together need more memory",
    ),
    "network": (
        scene("import socket; socket.create_connection(('1.1.1.1', 80), timeout=2)"),
        ErrorCode.forbidden,
        "A render may not do this",
    ),
    "network through urllib": (
        scene("import urllib.request; urllib.request.urlopen('http://1.1.1.1/', timeout=2)"),
        ErrorCode.forbidden,
        "A render may not do this",
    ),
    "garbage on the wire": (
        scene(
            "import os, stat, time\nfor n in range(3, 100):\n    try:\n        if stat.S_ISSOCK(os.fstat(n).st_mode):\n"
            "            os.write(n, b'\\0\\0\\0\\5junk!')\n    except OSError: pass\ntime.sleep(100)"
        ),
        ErrorCode.forbidden,
        "The scene interfered with the engine",
    ),
    "an endless frame on the wire": (
        scene(
            "import os, stat, time\nfor n in range(3, 100):\n    try:\n        if stat.S_ISSOCK(os.fstat(n).st_mode):\n"
            "            os.write(n, b'\\xff' * 8)\n    except OSError: pass\ntime.sleep(100)"
        ),
        ErrorCode.forbidden,
        "announces 4294967295 bytes",
    ),
    "fork bomb": (scene("import os\nwhile True: os.fork()"), ErrorCode.forbidden, "more processes or threads"),
    "too long": (scene("self.wait(1e3)"), ErrorCode.output_too_large, "1000.0 seconds long; at most 600"),
    "too many frames": (scene("self.wait(1e6)"), ErrorCode.output_too_large, "10000000 frames; at most 36000"),
    "too long, bit by bit": (
        scene("while True: self.wait(120)"),
        ErrorCode.output_too_large,
        "seconds long; at most 600 are allowed",
    ),
    "too long, and swallowed": (
        scene("while True:\n    try: self.wait(500)\n    except Exception: pass"),
        ErrorCode.output_too_large,
        "at most 600 are allowed",
    ),
    "too many pixels": (
        scene(RING, head="config.pixel_width = 20000; config.pixel_height = 20000"),
        ErrorCode.output_too_large,
        "frames of 20000 x 20000 pixels",
    ),
    "too many frames a second": (
        scene(RING, head="config.frame_rate = 1000"),
        ErrorCode.output_too_large,
        "1000 frames a second",
    ),
    "print flood": (scene("while True: print('x' * 10000)"), ErrorCode.output_too_large, "printed more than 32 MiB"),
    "no working directory": (
        scene(f"{RING}\nimport shutil; shutil.rmtree('.', ignore_errors=True)"),
        ErrorCode.internal,
        "The engine could not finish the video",
    ),
}


@pytest.mark.parametrize(("code", "expected", "message"), CASES.values(), ids=CASES.keys())
def test_a_scene_that_fails_gets_its_error(rig: Rig, code: str, expected: ErrorCode, message: str) -> None:
    is_bomb = code == CASES["fork bomb"][0]
    outcome = rig.render(code, timeout=rig.fork_bomb_timeout if is_bomb else PATIENCE)
    if is_bomb and outcome.error.code in rig.fork_bomb_ends_as - {expected}:
        return
    assert outcome.error.code is expected, outcome.error
    assert message in outcome.error.message
    assert list(outcome.folder.iterdir()) == []


def test_every_code_but_that_of_cancelling_is_reached_here() -> None:
    reached = {code for _, code, _ in CASES.values()}
    assert set(ErrorCode) - reached == {ErrorCode.timeout, ErrorCode.canceled, ErrorCode.asset_missing}


@pytest.mark.parametrize("body", ["while True: pass", "import time; time.sleep(1000)"])
def test_a_scene_without_end_meets_its_timeout(rig: Rig, body: str) -> None:
    outcome = rig.render(
        scene(f"print('begun')\n{body}"), timeout=300.5, expires_when=lambda outcome: "begun" in outcome.printed
    )
    assert outcome.error.code is ErrorCode.timeout
    assert outcome.error.message == "The render took longer than 300.5 seconds."


def test_a_time_limit_also_bounds_what_comes_before_the_scene(rig: Rig) -> None:
    assert rig.render(scene(RING), timeout=0.001).error.code is ErrorCode.timeout


def test_a_name_that_is_not_there(rig: Rig) -> None:
    code = "\n# é ∑ 𝄞\n" + scene("a = 'é𝄞'; self.play(Create(Circl()))")
    error = rig.render(code).error
    line = next(n for n, text in enumerate(code.splitlines(), 1) if "Circl()" in text)
    text = code.splitlines()[line - 1]
    assert (error.code, error.exception) == (ErrorCode.exception, "NameError")
    assert (error.line, error.end_line, error.column) == (line, line, text.index("Circl()") + 1)
    assert error.hint is not None
    assert "Circle" in error.hint
    assert error.excerpt is not None
    shown = error.excerpt.splitlines()
    marked = next(index for index, row in enumerate(shown) if row.startswith(">"))
    caret = shown[marked + 1]
    assert shown[marked][caret.index("^") : caret.rindex("^") + 1] == "Circl"
    assert error.animation_index == 0


def test_the_animation_that_fails_is_named(rig: Rig) -> None:
    assert rig.render(scene(f"{RING}\nself.wait(0.2)\n1/0")).error.animation_index == 2


def test_a_traceback_shows_the_users_frames_and_no_path_of_the_host(rig: Rig) -> None:
    error = rig.render(scene("Circle().set_color(3, 4, 5, 6)\n")).error
    assert error.traceback is not None
    assert error.traceback.splitlines()[1].strip() == f'File "scene.py", line {error.line}, in construct'
    files = [line.split('"')[1] for line in error.traceback.splitlines() if 'File "' in line]
    assert not any(name.startswith("/") for name in files)
    assert str(rig.root) not in error.model_dump_json()


def test_a_missing_file_is_told_without_the_scratch_directory(rig: Rig) -> None:
    error = rig.render(scene("import os; open(os.path.join(os.getcwd(), 'nothing.txt'))")).error
    assert "nothing.txt" in error.message
    assert str(rig.root) not in error.model_dump_json()


def test_latex_names_expression_cause_and_line(rig: Rig) -> None:
    error = rig.render(scene(r"self.add(MathTex(r'\frac{a}{\foo b}'))")).error
    assert r"\frac{a}{\foo b}" in error.message
    assert error.hint is not None
    assert r"\foo is not defined" in error.hint
    assert error.line == 4


def test_the_log_holds_what_was_printed_and_no_terminal_obeys_it(rig: Rig) -> None:
    outcome = rig.render(
        scene(
            "import os, sys\nprint('one\\x1b[31m red \\x1b]0;title\\x07\\x9b2J\\x08é')\nos.write(2, b'\\xff two')\n1/0"
        )
    )
    assert outcome.error.log is not None
    assert "one red" in outcome.error.log
    assert "é" in outcome.error.log
    assert "two" in outcome.error.log
    assert not [char for char in outcome.error.log if char not in "\n\t" and unicodedata.category(char) == "Cc"]


def test_printed_lines_arrive_while_the_scene_runs(rig: Rig) -> None:
    outcome = rig.render(scene(f"print('before')\n{RING}\nprint('after')\n{RING}"))
    kinds = [m.text if isinstance(m, wire.Logged) else m.type for m in outcome.messages]
    assert {"before", "after"} <= set(kinds)
    assert kinds.index("after") < kinds.index("finished")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (scene(RING).replace("Demo", "Démo"), None),
        ("x = '" + "y" * 900_000 + "'\n" + scene(RING), None),
        (scene(f"print(pow(2, 10, 7), PI, factorial(5))\n{RING}"), "2 3.141592653589793 120"),
        (scene(f"import os; os.killpg(0, 9)\n{RING}"), None),
        (scene(f"import sys; sys.stdout.close(); sys.stderr.close()\n{RING}"), None),
    ],
    ids=["non-ASCII", "a line of a million characters", "prelude", "own process group killed", "streams closed"],
)
def test_odd_scenes_that_still_make_a_video(rig: Rig, code: str, says: str | None) -> None:
    outcome = rig.render(code)
    assert outcome.report.frames == 3
    assert says is None or says in outcome.printed


DAEMON = """
import os, subprocess, signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.closerange(0, 500)
        os.execvp("sleep", ["sleep", "{mark}"])
    os._exit(0)
subprocess.Popen(["sh", "-c", "trap '' TERM HUP INT; sleep {mark}; true"], start_new_session=True)
"""


@pytest.mark.parametrize(
    ("then", "code"),
    [
        (RING, None),
        ("1/0", ErrorCode.exception),
        ("os._exit(1)", ErrorCode.exception),
        ("while True: pass", ErrorCode.timeout),
    ],
    ids=["success", "exception", "os._exit", "timeout"],
)
def test_no_process_outlives_its_render(rig: Rig, then: str, code: ErrorCode | None) -> None:
    mark = fresh_mark()
    # The scene goes on only when both sleepers are there, so that the test can fail.
    wait = (
        f"import glob, time\nmark = b'{mark}'\n"
        "def there(path): return b'sleep\\0' + mark in open(path, 'rb').read()\n"
        "while sum(map(there, glob.glob('/proc/[0-9]*/cmdline'))) < 2: time.sleep(0.01)\nprint('both there')\n"
    )
    is_endless = code is ErrorCode.timeout
    outcome = rig.render(
        scene(DAEMON.format(mark=mark) + wait + then),
        expires_when=(lambda outcome: "both there" in outcome.printed) if is_endless else None,
    )
    assert "both there" in outcome.printed
    assert running(mark) == []
    if code is None:
        assert outcome.report.frames == 3
    else:
        assert outcome.error.code is code


def test_closing_the_stream_ends_the_render_at_once(rig: Rig) -> None:
    mark = fresh_mark()
    code = scene(f"import subprocess\nprint('here')\nsubprocess.run(['sleep', '{mark}'])")

    async def cancel() -> None:
        spec = RenderSpec.model_validate({"code": code, **SMALL})
        folder = rig.root / "out-canceled"
        folder.mkdir()
        stream = rig.executor.render(spec, render_id="r", into=folder, timeout=PATIENCE)
        async with aclosing(stream):
            async for message in stream:
                if isinstance(message, wire.Logged):
                    await eventually(lambda: running(mark), "the program that the scene runs")
                    break
        assert running(mark) == []

    rig.run(cancel())
    assert rig.left_over() == []


def test_a_neighbour_renders_beside_a_fork_bomb_and_after_it(rig: Rig) -> None:
    async def both() -> None:
        bomb = asyncio.create_task(
            rig.rendering(scene("import os\nwhile True: os.fork()"), timeout=rig.fork_bomb_timeout)
        )
        outcome = await rig.rendering(scene(RING))
        assert outcome.report.frames == 3
        assert (await bomb).error.code in rig.fork_bomb_ends_as

    rig.render(scene(RING))  # so that it is known how it ends
    rig.run(both())
    assert rig.render(scene(RING)).report.frames == 3


def test_a_scene_reports_only_files_that_a_finished_render_leaves(rig: Rig) -> None:
    body = (
        f"{RING}\nimport os, atexit\nfrom manimcast.engine import assemble\n"
        "kept = assemble.assemble\n"
        "def forged(writer, tracker, poster, directory, *a, **k):\n"
        "    found = kept(writer, tracker, poster, directory, *a, **k)\n"
        "    (directory / 'poster.jpg').unlink(); os.symlink('/etc/passwd', directory / 'poster.jpg')\n"
        "    return found\n"
        "assemble.assemble = forged"
    )
    outcome = rig.render(scene(body))
    assert outcome.error.code is ErrorCode.forbidden
    assert "poster.jpg" in outcome.error.message


def test_params_decide_what_is_drawn(rig: Rig) -> None:
    code = scene("self.add(Square(fill_opacity=1, color=PARAMS['color']))\nself.wait(PARAMS['seconds'])")
    light, dark = (rig.render(code, params={"color": color, "seconds": 0.5}) for color in ("#ffffff", "#404040"))
    assert light.report.frames == dark.report.frames == 5
    bright, dim = (decoded(one.video)[0][1][36, 64] for one in (light, dark))  # luma, in the middle
    assert bright > 200 > 100 > dim


def test_files_are_imported_and_a_second_one_is_no_leftover(rig: Rig) -> None:
    code = scene("import shapes\nself.add(shapes.ring())\nself.wait(0.2)")
    files = {
        "shapes.py": "from lib.size import SIZE\ndef ring():\n    return Circle(SIZE)\n",
        "lib/size.py": "SIZE = 2",
    }
    assert rig.render(code, files=files).report.frames == 2
    error = rig.render(code, files={"shapes.py": "def ring():\n    return 1 / 0\n"}).error
    assert (error.exception, error.file, error.line) == ("ZeroDivisionError", "shapes.py", 2)
    assert rig.render(code).error.exception == "ModuleNotFoundError"
