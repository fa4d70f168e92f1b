"""Asks for something long to be typeset, and never reads the answer.

Who waits until it is read, waits for ever; who does not wait, keeps it.
"""

import time

EXPECT = {"timeout", "forbidden"}
BARE = {"timeout", "forbidden"}
REQUEST = {"timeout": 2}
NEEDS = {"latex", "dvisvgm"}

DOCUMENT = (
    r"\documentclass{article}\begin{document}\newcount\n\hsize 9000pt\noindent"
    r"\loop\vrule width \n sp\kern 1sp\advance\n by 1 \ifnum\n<9000 \repeat\end{document}"
)


def attack(target):
    question = {"type": "typeset", "number": 1, "source": DOCUMENT, "compiler": "latex", "output_format": ".dvi"}
    target.say(question)
    time.sleep(60)
