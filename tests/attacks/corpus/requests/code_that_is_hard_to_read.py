"""Posts code that breaks parsers: nested, endless, in other encodings, with null bytes.

Python's own parser is what they meet first, in a process that must be thrown away after.
"""

EXPECT = {"syntax_error", "exception", "no_scene", "out_of_memory", "killed", "timeout", "refused"}
BARE = {"syntax_error", "exception", "no_scene", "out_of_memory", "killed", "timeout", "refused"}
REQUEST = {"timeout": 2}

CODES = {
    "brackets": "(" * 100_000,
    "closed brackets": "(" * 5000 + ")" * 5000,
    "signs": "x = " + "-" * 200_000 + "1",
    "attributes": "x" + ".x" * 100_000,
    "calls": "x = 1\nx" + "()" * 60_000,
    "indented": "".join(" " * depth + "if 1:\n" for depth in range(600)) + " " * 600 + "pass",
    "formatted": "x = f'" + "{" * 10_000 + "'",
    "null bytes": "x = 1\x00\nimport os",
    "encoding": "# -*- coding: unknown-encoding -*-\nx = 1",
    "encoding of another alphabet": "# -*- coding: utf-7 -*-\n+AGkAbQBwAG8AcgB0- os",
    "power": "x = 9**9**9",
    "repeated": "x = ((('a' * 10**9) * 10) * 10)",
    "form feeds": "\f" * 200_000,
    "look-alikes": "сlass Sсene(object): pass",
}


def drive(host):
    for name, code in CODES.items():
        answer = host.render(code)
        if answer.status >= 500 or answer.outcome not in EXPECT:
            return f"{name}: {answer.status} {answer.outcome} {answer.detail[:100]}"
