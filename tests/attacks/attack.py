"""An attack: a file of the corpus, what is expected of it, and the code that it is posted as."""

from __future__ import annotations

import ast
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manimcast.spec import ErrorCode

if TYPE_CHECKING:
    from tests.attacks.host import Host

CORPUS = Path(__file__).parent / "corpus"
INSIDE = Path(__file__).with_name("inside.py")

ESCAPED, STOPPED, BROKEN, RENDERED, KILLED, REFUSED = "escaped", "stopped", "broken", "rendered", "killed", "refused"
OUTCOMES = frozenset({ESCAPED, STOPPED, BROKEN, RENDERED, KILLED, REFUSED, *ErrorCode})
"""What can come of an attack: it got through; was stopped; has a mistake of its own; its render gave a video; its
process was killed; its request was refused; or its render failed with one of the error codes."""

NEVER_SAFE = frozenset({ESCAPED, BROKEN, ErrorCode.internal})

Drive = Callable[["Host"], object]


class CorpusError(Exception):
    """A file of the corpus is not an attack as docs/how-to/add-an-attack.md describes them."""


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes
    ----------
    name
        ``area/name``, from where its file lies.
    summary
        What it tries, in one line.
    expect
        Outcomes that are safe.
    bare
        Outcomes without a sandbox. What does not get through there either says why in a comment.
    dangerous
        Why it must not run without a sandbox, if it must not.
    request
        Fields of the request besides the code. With any, it goes to ``/v1/renders`` instead of the original endpoint.
    needs
        Programs without which it means nothing; and machines on which it means something, if not on all.
    drive
        Makes the requests, where a single one with the attack's own text is not enough.
    """

    name: str
    text: str
    summary: str
    expect: frozenset[str]
    bare: frozenset[str] = frozenset({ESCAPED})
    dangerous: str | None = None
    request: dict[str, Any] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    machines: frozenset[str] = frozenset()
    drive: Drive | None = None

    def code(self, facts: dict[str, Any]) -> str:
        """Return what is posted: the attack's own text, so that line numbers are its own, and what is below it."""
        last = f"Attack.target = Target({facts!r})\nAttack.attack = staticmethod(attack)\n"
        return f"{self.text}\n\n{INSIDE.read_text(encoding='utf-8')}\n\n{last}"

    def missing(self) -> str | None:
        """Return why it would mean nothing here, if it would not."""
        if self.machines and platform.machine() not in self.machines:
            return f"only for {', '.join(sorted(self.machines))}"
        lacking = [program for program in sorted(self.needs) if shutil.which(program) is None]
        return f"needs {', '.join(lacking)}" if lacking else None


def load(path: Path, corpus: Path = CORPUS) -> Attack:
    """Read one file, or raise :class:`CorpusError`.

    Its text runs in the render; here it runs only when it has a ``drive``.
    """
    name = path.relative_to(corpus).with_suffix("").as_posix()
    text = path.read_text(encoding="utf-8")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise CorpusError(f"{name}: {error}") from None
    constants = dict(_constants(tree))
    if taken := _names(tree) & _names(ast.parse(INSIDE.read_text(encoding="utf-8"))):
        raise CorpusError(f"{name}: what is posted with it has other uses for {', '.join(sorted(taken))}")
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    summary = (ast.get_docstring(tree) or "").partition("\n")[0]
    if not summary:
        raise CorpusError(f"{name}: its docstring says in the first line what it tries")
    if not functions & {"attack", "drive"}:
        raise CorpusError(f"{name}: it defines attack(target), or drive(host), or both")
    if "EXPECT" not in constants:
        raise CorpusError(f"{name}: EXPECT names the outcomes that are safe")
    attack = Attack(
        name=name,
        text=text,
        summary=summary,
        expect=_outcomes(name, constants.pop("EXPECT")),
        bare=_outcomes(name, constants.pop("BARE", ESCAPED)),
        dangerous=constants.pop("DANGEROUS", None),
        request=constants.pop("REQUEST", {}),
        needs=frozenset(constants.pop("NEEDS", ())),
        machines=frozenset(constants.pop("MACHINES", ())),
        drive=_drive(path, text) if "drive" in functions else None,
    )
    if wrong := attack.expect & NEVER_SAFE:
        raise CorpusError(f"{name}: {', '.join(sorted(wrong))} is never safe")
    return attack


def load_all(*names: str) -> list[Attack]:
    """Read the corpus: all of it, or the attacks and areas that are named."""
    attacks = [load(path) for path in sorted(CORPUS.glob("*/*.py"))]
    if not names:
        return attacks
    for name in names:
        if not any(_is_called(attack, name) for attack in attacks):
            raise CorpusError(f"there is no attack or area {name}")
    return [attack for attack in attacks if any(_is_called(attack, name) for name in names)]


def _names(tree: ast.Module) -> set[str]:
    """Return what a module defines."""
    found = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Assign(targets=targets):
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return found


def _is_called(attack: Attack, name: str) -> bool:
    return attack.name == name or attack.name.startswith(f"{name.rstrip('/')}/")


def _constants(tree: ast.Module) -> list[tuple[str, Any]]:
    found = []
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in {"EXPECT", "BARE", "DANGEROUS", "REQUEST", "NEEDS", "MACHINES"}:
                found.append((name, ast.literal_eval(node.value)))
    return found


def _outcomes(name: str, value: object) -> frozenset[str]:
    outcomes = frozenset({value} if isinstance(value, str) else value if isinstance(value, set) else ())
    if not outcomes or outcomes - OUTCOMES:
        raise CorpusError(f"{name}: outcomes are one or a set of {', '.join(sorted(OUTCOMES))}; not {value!r}")
    return outcomes


def _drive(path: Path, text: str) -> Drive:
    namespace: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    exec(compile(text, str(path), "exec", dont_inherit=True), namespace)
    drive: Drive = namespace["drive"]
    return drive
