"""What must have ended before the copy of a render goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.in_child import in_child


def test_nothing_is_written_any_more_when_the_copy_goes_on(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
        import threading
        from manimcast.engine.behind import Behind
        from manimcast.engine.parallel.drawers import Drawers
        from manimcast.engine.parallel.way_back import WayBack
        way_back = WayBack(Drawers(2), track.Tracker(lambda message: None, LIMITS, frame_rate=10), None)
        if way_back.is_open():
            behind, wanted = Behind(), threading.Event()
            behind.put(wanted.wait)
            behind.put(lambda: Path("written").touch())
            threading.Timer(0.2, wanted.set).start()
            way_back.take("it must be drawn again")
        answer([way_back.alone, Path("written").exists()])
        """,
    )
    assert found == ["it must be drawn again", True]


@pytest.mark.parametrize(
    ("prints", "expected"),
    [
        ("print('one'); print('two', end=' ')", "before\none\ntwo and three\nfour\n"),
        ("print('one'); sys.stdout.flush(); print('two ', flush=True, end='')", "before\none\ntwo and three\nfour\n"),
        ("sys.stdout.write('one\\ntwo\\n' * 5000)", "before\n" + "one\ntwo\n" * 5000 + "and three\nfour\n"),
        ("print('x' * (5 if there else 3))", "before\nxxxxx\nand three\nfour\n"),
        ("print('x' * (3 if there else 5))", "before\nxxx\nand three\nfour\n"),
        ("pass", "before\nand three\nfour\n"),
    ],
)
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_was_printed_is_not_printed_again(tmp_path: Path, stream: str, prints: str, expected: str) -> None:
    number = {"stdout": 1, "stderr": 2}[stream]
    found = in_child(
        tmp_path,
        f"""
        from manimcast.engine.parallel.drawers import Drawers
        from manimcast.engine.parallel.way_back import WayBack
        usual = os.dup({number})
        os.dup2(os.open("printed", os.O_CREAT | os.O_WRONLY | os.O_APPEND), {number})
        way_back = WayBack(Drawers(2), track.Tracker(lambda message: None, LIMITS, frame_rate=10), None)
        sys.stdout, ours = sys.{stream}, sys.stdout
        print("before")
        there = way_back.is_open()
        {prints}
        if there:
            way_back.take("it must be drawn again")
        print("and three")
        print("four", flush=True)
        sys.stdout = ours
        os.dup2(usual, {number})
        answer(Path("printed").read_text())
        """,
    )
    assert found == expected
