"""TeX, end to end: a render asks, a confined process of its own answers, and only its answers are shared."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manimcast import wire
from manimcast.executors import confined, tex_child
from manimcast.executors.typeset import Typesetter
from manimcast.spec import ErrorCode
from manimcast.tex import TexDocument
from manimcast.wire import TexDone
from tests.executors.rig import Outcome, Rig, running_here, scene
from tests.patience import PATIENCE, eventually, until

SECONDS = 2 * PATIENCE
"""How long TeX may take: so long that what ends before that was ended, and did not reach it."""
FEW_SECONDS = 1.0
"""How long it may take where it is to reach that."""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("renders"), tex_timeout=SECONDS)
    yield rig
    rig.close()


def tex_processes() -> list[int]:
    """The runs of LaTeX that these tests have started."""
    return running_here("-interaction=batchmode")


def until_tex_ended() -> None:
    until(lambda: not tex_processes(), "the end of LaTeX")


@pytest.fixture
def typesetter(rig: Rig) -> Typesetter:
    return rig.executor._typesetter


def entries(rig: Rig) -> set[str]:
    return {path.name for path in rig.root.glob("cache/tex/*/*")}


def picture(outcome: Outcome) -> str:
    return hashlib.sha256(outcome.video.read_bytes()).hexdigest()


def drawn(rig: Rig, body: str, *, head: str = "", **spec: Any) -> Outcome:
    return rig.render(scene(body, head=head), format="png", **spec)


def add(*expressions: str) -> str:
    """A body that draws ``expressions`` one above the other."""
    listed = ", ".join(f"MathTex(r'{expression}')" for expression in expressions)
    return f"self.add(VGroup({listed}).arrange(UP))"


def beside_the_scene(rig: Rig, body: str, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """Render with LaTeX run by the render itself, as where nobody answers."""

    async def nobody(*_: Any) -> TexDone:
        return TexDone(reason="unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(rig.executor._typesetter, "typeset", nobody)
        patch.setattr(rig.executor._typesetter, "foresee", nobody)
        return drawn(rig, body)


def test_an_expression_is_typeset_once_for_all_renders(rig: Rig, typesetter: Typesetter) -> None:
    runs = typesetter.runs
    body = add(r"\int_0^1 x^2", r"\frac{1}{3}")
    first = drawn(rig, body)
    assert typesetter.runs == runs + 2
    second = drawn(rig, body)
    assert typesetter.runs == runs + 2
    assert picture(second) == picture(first)
    drawn(rig, add(r"\frac{1}{3}", r"\frac{1}{4}"))
    assert typesetter.runs == runs + 3


def test_within_one_render_an_expression_is_asked_for_once(
    rig: Rig, typesetter: Typesetter, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    whole = typesetter.typeset

    async def noted(document: TexDocument, *more: Any) -> TexDone:
        asked.append(document.source)
        return await whole(document, *more)

    monkeypatch.setattr(typesetter, "typeset", noted)
    drawn(rig, add("twice", "twice"))
    assert len(asked) == 1


def test_the_pixels_are_those_of_latex_beside_the_scene(
    rig: Rig, typesetter: Typesetter, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (
        "pdf = TexTemplate(tex_compiler='pdflatex', output_format='.pdf')\n"
        r"self.add(VGroup(MathTex(r'\sum_{n=1}^\infty', r'\frac{1}{n^2}'), Tex('A word and $x$'), "
        "Tex('pdf', tex_template=pdf)).arrange(DOWN))"
    )
    runs = typesetter.runs
    own = beside_the_scene(rig, body, monkeypatch)
    assert typesetter.runs == runs
    assert picture(drawn(rig, body)) == picture(own)
    assert typesetter.runs == runs + 3
    assert picture(drawn(rig, body)) == picture(own)


def test_a_service_that_starts_anew_still_has_it(rig: Rig, tmp_path: Path) -> None:
    first = drawn(rig, add("again"))
    (tmp_path / "cache").symlink_to(rig.root / "cache")
    other = Rig(tmp_path, tex_timeout=SECONDS)
    try:
        assert picture(drawn(other, add("again"))) == picture(first)
        assert other.executor._typesetter.runs == 0
    finally:
        other.close()


def test_it_works_without_a_file_system_of_its_own_for_each_child(tmp_path: Path) -> None:
    rig = Rig(tmp_path, sandbox="off", tex_timeout=SECONDS)
    try:
        pictures = {picture(drawn(rig, add("plain"))) for _ in range(2)}
        assert rig.executor._typesetter.runs == 1
        assert len(pictures) == 1
    finally:
        rig.close()


def test_a_service_may_do_without_the_cache(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tex_cache_mib=0, tex_timeout=SECONDS)
    try:
        for _ in range(2):
            drawn(rig, add("plain"))
        assert rig.executor._typesetter.runs == 2
        assert entries(rig) == set()
    finally:
        rig.close()


def test_a_damaged_entry_is_made_anew(rig: Rig, typesetter: Typesetter) -> None:
    before = entries(rig)
    first = drawn(rig, add("damaged"))
    (name,) = entries(rig) - before
    path = next(rig.root.glob(f"cache/tex/*/{name}"))
    path.write_bytes(path.read_bytes()[:-100])
    runs = typesetter.runs
    assert picture(drawn(rig, add("damaged"))) == picture(first)
    assert typesetter.runs == runs + 1


def test_an_expression_cannot_redefine_the_next(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = picture(beside_the_scene(rig, add(r"\int y"), monkeypatch))
    drawn(rig, add(r"x\global\let\int\sum", r"\int y \int y"))
    assert picture(drawn(rig, add(r"\int y"))) == honest


def test_a_failing_expression_is_told_as_ever_and_not_kept(
    rig: Rig, typesetter: Typesetter, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = add(r"\frac{a}{\foo b}")
    before = entries(rig)
    own = beside_the_scene(rig, body, monkeypatch).error
    error = drawn(rig, body).error
    assert error.code is ErrorCode.latex_error
    assert (error.message, error.hint, error.line, error.exception) == (
        own.message,
        own.hint,
        own.line,
        own.exception,
    )
    assert r"near '\foo'" in error.message
    assert error.traceback is not None
    assert "in construct" in error.traceback
    runs = typesetter.runs
    assert drawn(rig, body).error.message == error.message
    assert typesetter.runs == runs + 1
    assert entries(rig) == before


def test_a_scene_may_catch_the_error_and_read_the_log(rig: Rig) -> None:
    body = (
        "try:\n    MathTex(r'\\foo')\nexcept ValueError as error: print('caught', error)\n"
        "from pathlib import Path\n"
        "print([p.read_text()[:30] for p in Path('media/Tex').glob('*.log')])\n" + add("fine")
    )
    outcome = drawn(rig, body)
    assert outcome.report.format == "png"
    assert any("caught LaTeX cannot typeset" in line for line in outcome.printed)
    assert any("! Undefined control sequence." in line for line in outcome.printed)


def test_an_endless_expression_ends_with_an_error_that_names_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tex_timeout=FEW_SECONDS)
    try:
        error = drawn(rig, add(r"\loop\iftrue\repeat")).error
        assert error.code is ErrorCode.latex_error
        assert error.message == (
            rf"LaTeX cannot typeset '\loop\iftrue\repeat': latex did not end within {FEW_SECONDS:g} seconds"
        )
        assert error.hint == "Look for a macro that calls itself, or a loop without an end."
        assert entries(rig) == set()
        assert tex_processes() == []
    finally:
        rig.close()


def test_a_render_that_times_out_takes_its_run_with_it(rig: Rig) -> None:
    outcome = drawn(rig, add(r"y\loop\iftrue\repeat"), expires_when=lambda _: tex_processes())
    assert outcome.error.code is ErrorCode.timeout
    until_tex_ended()


def test_cancelling_a_render_ends_its_run_before_it_returns(rig: Rig) -> None:
    async def cancel() -> None:
        asking = asyncio.create_task(rig.rendering(scene(add(r"z\loop\iftrue\repeat"))))
        await eventually(tex_processes, "a run of LaTeX")
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert tex_processes() == []

    rig.run(cancel())
    assert rig.left_over() == []


def test_two_renders_that_ask_for_the_same_at_once_cost_one_run(rig: Rig, typesetter: Typesetter) -> None:
    runs = typesetter.runs

    async def both() -> None:
        code = scene(add("both", r"\mathcal{A}"))
        outcomes = await asyncio.gather(*(rig.rendering(code, format="png") for _ in range(2)))
        assert picture(outcomes[0]) == picture(outcomes[1])

    rig.run(both())
    assert typesetter.runs == runs + 2


@pytest.mark.parametrize(
    "expression",
    [
        r"\input{/etc/passwd}",
        r"\openin5=/etc/passwd \ifeof5 x\else\read5 to \a \a\fi",
        r"\immediate\write18{touch /tmp/was-here}x",
        r"\newwrite\f\immediate\openout\f=/tmp/was-here \immediate\write\f{x}x",
    ],
)
def test_a_document_reads_and_writes_nothing_outside(rig: Rig, expression: str) -> None:
    last = drawn(rig, add(expression)).messages[-1]
    assert isinstance(last, wire.Finished | wire.Failed)
    if isinstance(last, wire.Failed):
        assert last.error.code is ErrorCode.latex_error
        assert "root:" not in last.error.model_dump_json()
    assert not Path("/tmp/was-here").exists()


OWN_STYLE = """
from pathlib import Path
Path('own.sty').write_text(r'\\ProvidesPackage{own}\\newcommand{\\mine}{M}')
TEMPLATE = TexTemplate()
TEMPLATE.add_to_preamble(r'\\usepackage{own}')
"""


def test_a_scenes_own_package_works_and_nothing_of_it_is_shared(rig: Rig, typesetter: Typesetter) -> None:
    before, runs = entries(rig), typesetter.runs
    body = r"self.add(MathTex(r'\mine', tex_template=TEMPLATE), MathTex('plain').shift(UP))"
    assert drawn(rig, body, head=OWN_STYLE).report.format == "png"
    assert (entries(rig), typesetter.runs) == (before, runs)
    error = drawn(rig, body, head=OWN_STYLE.replace("'own.sty'", "'other.sty'")).error
    assert "`own.sty' not found" in error.message


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("import os; os.environ['TEXINPUTS'] = '.:'", "self.add(MathTex('env'))"),
        ("config.no_latex_cleanup = True", "self.add(MathTex('kept'))"),
        ("T = TexTemplate(tex_compiler=['latex', 'latex'])", "self.add(MathTex('two', tex_template=T))"),
        ("open('words.txt', 'w').write('word')", r"self.add(Tex(r'\input{words.txt}'))"),
        ("", r"self.add(Tex(r'\newwrite\f\immediate\openout\f=words.txt a'))"),
        ("import os; os.mkdir('sub'); os.chdir('sub')", "self.add(MathTex('sub'))"),
    ],
    ids=["variable", "no clean-up", "several compilers", "own file", "writes", "another directory"],
)
def test_what_depends_on_the_scene_is_typeset_beside_it(rig: Rig, typesetter: Typesetter, head: str, body: str) -> None:
    before, runs = entries(rig), typesetter.runs
    assert drawn(rig, body, head=head).report.format == "png"
    assert (entries(rig), typesetter.runs) == (before, runs)


def test_an_unknown_compiler_is_told_as_ever(rig: Rig) -> None:
    error = drawn(rig, "self.add(Tex('x', tex_template=TexTemplate(tex_compiler='context')))").error
    assert "Tex compiler context unknown." in error.message


def test_a_file_that_the_document_names_in_a_roundabout_way_is_found(rig: Rig) -> None:
    head = "open('w0rds.txt', 'w').write('found')"
    assert drawn(rig, r"self.add(Tex(r'\edef\a{w0}\input{\a rds.txt}'))", head=head).report.format == "png"


def test_a_process_that_the_scene_forks_typesets_on_its_own(rig: Rig, typesetter: Typesetter) -> None:
    runs = typesetter.runs
    body = (
        "import os\npid = os.fork()\nif pid == 0:\n    MathTex('forked')\n    os._exit(0)\n"
        "print('status', os.waitpid(pid, 0)[1])\n" + add("parent")
    )
    outcome = drawn(rig, body)
    assert "status 0" in outcome.printed
    assert typesetter.runs == runs + 1


LIES = {
    "out of order": 'ask(2, "x")',
    "no document": 'say({"type": "typeset", "number": 1})',
    "another program": 'ask(1, "x", compiler="sh")',
    "two at once": 'ask(1, r"\\\\loop\\\\iftrue\\\\repeat"); ask(2, "x")',
    "too long": 'ask(1, "x" * 300000)',
    "an answer": 'say({"type": "typesetting", "number": 1, "svg": "<svg/>"})',
    "a result": 'say({"type": "tex_done", "svg": "<svg/>"})',
}

SPEAK = """
import json, os, select, stat, struct, time
WIRE = next(n for n in range(3, 100) if os.path.exists(f"/proc/self/fd/{n}") and stat.S_ISSOCK(os.fstat(n).st_mode))
def say(message):
    body = json.dumps(message).encode()
    data = struct.pack(">I", len(body)) + body
    while data:
        data = data[os.write(WIRE, data):]
def ask(number, source, compiler="latex"):
    say({"type": "typeset", "number": number, "source": source, "compiler": compiler, "output_format": ".dvi"})
"""


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_render_that_asks_amiss_is_ended(rig: Rig, lie: str) -> None:
    before = entries(rig)
    error = drawn(rig, f"{lie}\ntime.sleep(100)", head=SPEAK).error
    assert error.code is ErrorCode.forbidden
    assert "interfered with the engine" in error.message
    assert entries(rig) == before
    until_tex_ended()


def test_a_render_that_never_takes_its_answers_gets_no_second_one(
    rig: Rig, typesetter: Typesetter, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = typesetter.runs
    heard: list[int] = []
    begun: list[int] = []
    parse, answer = wire.parse_spoken, typesetter.answer

    def noted(body: bytes) -> wire.Spoken:
        message = parse(body)
        if isinstance(message, wire.Typeset):
            heard.append(message.number)
        return message

    async def answered(question: wire.Typeset, *more: Any) -> wire.Typesetting:
        begun.append(question.number)
        return await answer(question, *more)

    monkeypatch.setattr(wire, "parse_spoken", noted)
    monkeypatch.setattr(typesetter, "answer", answered)
    rule = r"\documentclass{minimal}\begin{document}\count0=0 " + (
        r"\loop\special{dvisvgm:raw aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}"
        r"\advance\count0 by 1 \ifnum\count0<9000\repeat x\end{document}"
    )
    # It asks again as soon as there is something to read, and reads nothing.
    ask = "".join(f"ask({n}, r'''{rule}%{n}''')\nselect.select([WIRE], [], [])\n" for n in (1, 2, 3))
    outcome = drawn(rig, ask + "time.sleep(1000)", head=SPEAK, expires_when=lambda _: 2 in heard)
    assert outcome.error.code is ErrorCode.timeout
    assert begun == [1]
    assert typesetter.runs == runs + 1


def test_a_render_that_says_it_is_done_while_it_asks_leaves_nothing(rig: Rig) -> None:
    body = add(r"w\loop\iftrue\repeat").replace("self.add", "import threading\nthreading.Thread(target=lambda: ", 1)
    outcome = drawn(rig, f"{body}, daemon=True).start()\nself.add(Circle())")
    assert outcome.report.format == "png"
    until_tex_ended()


@pytest.mark.parametrize(
    "said",
    [
        b"\0\0\0\5junk!",
        b"\xff\xff\xff\xff",
        wire.encode(TexDone(svg="<svg/>")),
        wire.encode(wire.Hello()) * 2,
        wire.encode(wire.Hello()) + wire.encode(wire.Logged(level="info", text="x")),
    ],
)
def test_what_a_tex_process_must_not_say_is_no_answer(
    rig: Rig, said: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = entries(rig)

    async def lying(*arguments: Any, **more: Any) -> TexDone:
        reader = asyncio.StreamReader()
        reader.feed_data(said)
        reader.feed_eof()
        return await tex_child._said(reader)

    monkeypatch.setattr(confined, "typeset_in_child", lying)
    assert drawn(rig, add("lied to")).report.format == "png"  # by its own LaTeX
    assert "TeX could not be run apart from the render" in caplog.text
    assert entries(rig) == before
