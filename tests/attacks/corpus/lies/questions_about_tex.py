"""Asks the service to typeset in ways that nobody asks: out of number, several at once, with other programs.

The answers go into a cache that everybody shares, so nothing but honest questions may be asked.
"""

EXPECT = "forbidden"
BARE = "forbidden"  # the service takes nothing on trust, whatever the tier

DOCUMENT = r"\documentclass{article}\begin{document}x\end{document}"


def question(**fields):
    asked = {"type": "typeset", "number": 1, "source": DOCUMENT, "compiler": "latex", "output_format": ".dvi"}
    return asked | fields


QUESTIONS = {
    "another program": [question(compiler="sh")],
    "a program with options": [question(compiler="latex --shell-escape")],
    "a path as a program": [question(compiler="../../bin/sh")],
    "a format with options": [question(output_format=".dvi --shell-escape")],
    "a path as a format": [question(output_format="/../../x")],
    "no number": [question(number=0)],
    "a number left out": [question(number=2)],
    "two at once": [question(), question(number=2)],
    "the same number again": [question(), question()],
    "too long": [question(source="x" * 300_000)],
    "an answer": [{"type": "typesetting", "number": 1, "svg": "<svg/>"}],
    "a result": [{"type": "tex_done", "svg": "<svg/>"}],
    "a job": [question(type="tex_job", version=2, limits={"seconds": 1e9, "file_bytes": 1 << 60})],
}


def attack(target):
    target.say(*QUESTIONS[target.step])
    while target.hear():
        pass


def drive(host):
    for step in QUESTIONS:
        if host.render(step=step).outcome != "forbidden":
            return f"{step}: {host.answers[-1].outcome}"
