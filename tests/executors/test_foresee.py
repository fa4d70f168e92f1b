"""The scout that runs ahead of a scene: what it announces, and that nothing else comes of it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from manimcast import wire
from manimcast.engine import foresee
from manimcast.executors import typeset
from manimcast.spec import ErrorCode
from manimcast.tex import TexDocument
from manimcast.wire import TexDone
from tests.executors.rig import Outcome, Rig, running_here, scene
from tests.patience import PATIENCE, eventually


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("renders"), tex_cache_mib=0, tex_formats_mib=0, tex_timeout=PATIENCE)
    yield rig
    rig.close()


@pytest.fixture
def announced(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The expressions that are announced."""
    found: list[str] = []
    whole = rig.executor._typesetter.foresee

    async def noted(document: TexDocument, *more: Any) -> None:
        found.append(expression(document.source))
        await whole(document, *more)

    monkeypatch.setattr(rig.executor._typesetter, "foresee", noted)
    monkeypatch.setattr(typeset, "AHEAD_SECONDS", PATIENCE)
    return found


def scouts() -> list[int]:
    """The scouts that there are. They stand back behind the render, and so behind this process."""
    found = []
    for pid in running_here("manimcast.sandbox.inside.zygote"):
        with suppress(OSError):
            if os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0):
                found.append(pid)
    return found


@contextmanager
def first_answer_after(rig: Rig, announced: list[str], count: int) -> Iterator[None]:
    """Answer the first question of a render when ``count`` announcements are there and its scout has ended."""
    whole = rig.executor._typesetter.typeset
    asked: list[str] = []
    wanted = len(announced) + count

    async def held(document: TexDocument, *more: Any) -> TexDone:
        asked.append(document.source)
        if len(asked) == 1:
            await eventually(lambda: len(announced) >= wanted and not scouts(), f"{count} announcements")
        return await whole(document, *more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rig.executor._typesetter, "typeset", held)
        yield


def expression(source: str) -> str:
    lines = source.partition("\\begin{document}\n")[2].splitlines()
    return re.sub(r"\\special\{.*?\}", "", lines[1])


def drawn(rig: Rig, body: str, *, head: str = "", **spec: Any) -> Outcome:
    return rig.render(scene(body, head=head), **spec)


def digest(outcome: Outcome) -> str:
    return hashlib.sha256(outcome.video.read_bytes()).hexdigest()


SEVERAL = """
self.play(Write(MathTex("a_1")), run_time=0.2)
self.wait(0.2)
formulas = [MathTex(f"b_{{{number}}}") for number in range(2)]
self.play(*map(FadeIn, formulas), run_time=0.2)
self.play(Transform(formulas[0], MathTex("c", "+", "d")), formulas[1].animate.shift(UP), run_time=0.2)
self.add(Tex("The last"))
self.wait(0.2)
"""


def test_what_comes_after_the_first_is_announced_in_order(rig: Rig, announced: list[str]) -> None:
    runs = rig.executor._typesetter.runs
    with first_answer_after(rig, announced, 4):
        assert drawn(rig, SEVERAL).report.animations == 5
    assert announced[:2] == ["b_{0}", "b_{1}"]
    assert announced[2:] == ["c + d", "The last"]
    assert rig.executor._typesetter.runs == runs + 5  # each was made once, whoever wanted it first


def test_the_frames_are_the_same_whether_it_is_announced_or_not(
    rig: Rig, announced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with first_answer_after(rig, announced, 4):
        ahead = drawn(rig, SEVERAL)

    async def nobody(*_: Any) -> TexDone:
        return TexDone(reason="unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(rig.executor._typesetter, "typeset", nobody)  # LaTeX runs in the render,
        patch.setattr(rig.executor._typesetter, "foresee", nobody)  # and nowhere else
        runs = rig.executor._typesetter.runs
        alone = drawn(rig, SEVERAL)
        assert rig.executor._typesetter.runs == runs
    assert digest(alone) == digest(ahead)


def test_it_draws_the_same_random_numbers(rig: Rig, announced: list[str]) -> None:
    body = (
        "import random, numpy as np\n"
        "self.add(MathTex(f'x_{{{random.random()}}}'))\n"
        "self.add(MathTex(f'y_{{{random.random()}}} z_{{{np.random.rand()}}}'))\n"
        "print('asked', random.random())"
    )
    said = []
    for _ in range(2):
        with first_answer_after(rig, announced, 1):
            outcome = drawn(rig, body, format="png", seed=7)
        said.append([line for line in outcome.printed if line.startswith("asked")])
    assert said[0] == said[1]
    assert len(said[0]) == 1
    assert announced[0] == announced[1]  # in both renders the one that was asked for next
    assert len(announced) == 2


@pytest.mark.parametrize(
    "trace",
    [
        "open('note', 'a').write('x')",
        "Path('note').write_text(str(Path('note').exists()))",
        "os.mkdir('folder')",
        "os.rename('scene.py', 'other.py')",
        "subprocess.run(['true'])",
        "os.kill(os.getpid(), 0)",
        "np.save('note', np.zeros(3))",
    ],
)
def test_it_ends_where_it_would_leave_a_trace(rig: Rig, announced: list[str], trace: str) -> None:
    body = f"self.add(MathTex('t'))\nself.add(MathTex('u'))\n{trace}\nself.add(MathTex('v'))\nprint('here')"
    head = "import os, subprocess\nimport numpy as np\nfrom pathlib import Path"
    with first_answer_after(rig, announced, 1):
        outcome = drawn(rig, body, head=head, format="png")
    assert announced == ["u"]
    assert sum("here" in line for line in outcome.printed) == 1


def test_it_prints_nothing_and_says_nothing(rig: Rig, announced: list[str]) -> None:
    body = "self.add(MathTex('p'))\nprint('printed')\nlogger.warning('logged')\nself.add(MathTex('q'))\nself.wait(0.2)"
    with first_answer_after(rig, announced, 1):
        outcome = drawn(rig, body)
    assert announced == ["q"]
    assert [line for line in outcome.printed if line in {"printed", "logged"}] in (
        ["printed", "logged"],
        ["logged", "printed"],
    )


def test_an_error_that_only_it_meets_is_nobodys(rig: Rig, announced: list[str]) -> None:
    body = (
        "tex = MathTex(r'\\frac{\\sqrt{a}}{b}')\n"
        "assert tex.height > 0.5 and len(tex[0]) == 5, 'a stand-in'\n"
        "self.add(tex, MathTex('after'))\nself.wait(0.2)"
    )
    assert drawn(rig, body).report.animations == 1
    assert announced in ([], ["after"])


def test_none_is_sent_from_within_a_play(rig: Rig, announced: list[str]) -> None:
    body = (
        "t = ValueTracker(0)\n"
        "self.add(always_redraw(lambda: MathTex(f'w_{{{t.get_value():.1f}}}') if t.get_value() else Dot()))\n"
        "self.play(t.animate.set_value(1), run_time=0.3)"
    )
    assert drawn(rig, body).report.animations == 1
    assert announced == []


def test_one_that_never_ends_is_no_trouble(rig: Rig, announced: list[str]) -> None:
    body = (
        "tex = MathTex(r'\\frac{a}{b}')\n"
        "while len(tex[0]) != 3 or tex.width > 1 or tex.height < 0.5:\n    pass\nself.add(tex)\nself.wait(0.2)"
    )
    assert drawn(rig, body).report.animations == 1
    assert announced == []


def test_more_than_allowed_ends_the_render(rig: Rig) -> None:
    head = (
        "import json, os, stat, struct\n"
        "WIRE = next(n for n in range(3, 100) if os.path.exists(f'/proc/self/fd/{n}')"
        " and stat.S_ISSOCK(os.fstat(n).st_mode))\n"
        "def say(source):\n"
        "    body = json.dumps({'type': 'foreseen', 'source': source, 'compiler': 'latex', 'output_format': '.dvi'})\n"
        "    os.write(WIRE, struct.pack('>I', len(body)) + body.encode())\n"
    )
    for body in ("for n in range(2000): say(f'{n}')", "for n in range(100): say(f'{n}' * 40000)"):
        error = drawn(rig, f"{body}\nself.add(Dot())", head=head, format="png").error
        assert error.code is ErrorCode.forbidden


def test_a_stand_in_has_the_parts_that_are_looked_for() -> None:
    svg = foresee.stand_in(
        r"\begin{document}\begin{align*}\special{dvisvgm:raw <g id='unique000'>}a + \frac{b}{c}"
        r"\special{dvisvgm:raw </g>}\special{dvisvgm:raw <g id='unique001'>}\special{dvisvgm:raw </g>}"
        r"\special{dvisvgm:raw <script>}\end{align*}\end{document}"
    )
    assert svg.count("<path") >= 5
    assert "<g id='unique000'>" in svg
    assert "<g id='unique001'>" in svg
    assert "<script>" not in svg
    assert svg.count("<g") == svg.count("</g>")


def test_announcements_are_bounded() -> None:
    conversation = wire.Conversation()
    conversation.accept(wire.Hello())
    for _ in range(wire.MAX_FORESEEN):
        conversation.accept(wire.Foreseen(source="x", compiler="latex", output_format=".dvi"))
    with pytest.raises(wire.WireError, match="announced"):
        conversation.accept(wire.Foreseen(source="x", compiler="latex", output_format=".dvi"))
