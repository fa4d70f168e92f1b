"""The tables in docs/internals/system-calls.md: ``python -m tests.sandbox.syscall_page`` writes them anew."""

from __future__ import annotations

from collections.abc import Iterator

from manimcast.sandbox.host.syscalls import PERMITTED, Call, OneOf
from manimcast.sandbox.host.syscalls_refused import REFUSED
from tests.docs.pages import DOCS

PAGE = DOCS / "internals" / "system-calls.md"
BEGIN = "<!-- From here on written by `python -m tests.sandbox.syscall_page`. -->\n"


def tables() -> str:
    """Return what is in the tables of calls, as Markdown."""
    return "\n".join([BEGIN, *_permitted(), *_refused()])


def _permitted() -> Iterator[str]:
    yield "## What is permitted\n"
    for group in PERMITTED:
        yield f"### {group.title}\n\n{group.reason}\n"
        yield "| call | x86_64 | aarch64 | what makes it, and what of it is permitted |\n| --- | --- | --- | --- |"
        for call in group.calls:
            yield f"| `{call.name}` | {_number(call.x86_64)} | {_number(call.aarch64)} | {_use(call)} |"
        yield ""


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def _use(call: Call) -> str:
    names = [f"`{name}`" for test in call.tests if isinstance(test, OneOf) for name in test.values]
    return call.use + (f": {', '.join(names)}" if len(names) > 1 else "")


def _refused() -> Iterator[str]:
    yield "## What is refused\n\nEvery other call of Linux 6.19.\n"
    yield "| | calls | answer | why |\n| --- | --- | --- | --- |"
    for refusal in REFUSED:
        calls = ", ".join(f"`{call.name}`" for call in refusal.calls)
        yield f"| {refusal.title} | {calls} | {refusal.answer.name} | {refusal.reason} |"
    yield ""


def main() -> None:
    """Write the page's tables anew."""
    prose = PAGE.read_text(encoding="utf-8").split(BEGIN)[0]
    PAGE.write_text(prose + tables(), encoding="utf-8")


if __name__ == "__main__":
    main()
