"""Puts control characters where a scene's own words are shown: exceptions, lines of code, prints, logs, names.

They make terminals hide, forge and even run what is on them.
"""

EXPECT = {"exception", "rendered"}
BARE = {"exception", "rendered"}

ESCAPE = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x08\x9b31m"
BODIES = (
    "print(E); sys.stderr.write(E)\n        raise ValueError(E)",
    "logging.getLogger('manim').error(E); logging.getLogger().error(E); warnings.warn(E)\n        self.wait(0.1)",
    "self.next_section(E); self.add_subcaption(E, duration=1)\n        self.wait(0.1)",
    f"raise type(E, (Exception,), {{}})(f'{ESCAPE}')  # {ESCAPE}",
    "raise ImportError(E, name=E, path=E)",
    "getattr(self, E)",
    "self.wait(0.1)\n        type(self).__name__ = E",
)
SCENE = (
    "import logging, sys, warnings\nE = {escape!r}\n\n\nclass Shown(Scene):\n    def construct(self):\n        {body}\n"
)


def drive(host):
    for body in BODIES:
        answer = host.render(SCENE.format(escape=ESCAPE, body=body))
        shown = host.client.get(f"/v1/renders/{answer.render_id}")
        for text in (shown.text, answer.text):
            if any(f"\\u{code:04x}" in text.lower() for code in (0x1B, 0x07, 0x08, 0x9B)) or "\x9b" in text:
                return f"{body.strip()[:60]}: it is in the answer"
