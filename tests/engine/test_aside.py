"""Work in a process of its own leaves this one as it was, and says when it failed."""

from __future__ import annotations

import os
import threading

import pytest

from manimcast.engine import aside
from manimcast.engine.aside import AsideError


def test_what_it_returns_comes_back_and_what_it_changes_does_not() -> None:
    changed: list[int] = []
    before = threading.active_count()

    def work() -> dict[str, object]:
        changed.append(1)
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        return {"pid": os.getpid(), "threads": threading.active_count()}

    answer = aside.call(work)
    assert answer["pid"] != os.getpid()
    assert answer["threads"] >= 2
    assert changed == []
    assert threading.active_count() == before


@pytest.mark.parametrize("end", [lambda: 1 / 0, lambda: os._exit(3), lambda: os.kill(os.getpid(), 9), object])
def test_a_failure_is_told(end: object, capfd: pytest.CaptureFixture[str]) -> None:
    assert callable(end)
    with pytest.raises(AsideError, match="ended with status"):
        aside.call(end)
