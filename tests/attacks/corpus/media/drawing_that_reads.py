"""Gives manim a drawing that takes in a file of the host as an entity, and one as a picture.

XML can name files and addresses, and many parsers fetch them.
"""

import contextlib
from xml.etree import ElementTree

from manim import SVGMobject

EXPECT = "stopped"
BARE = "stopped"  # the parser takes in nothing

DRAWING = """<!DOCTYPE svg [<!ENTITY secret SYSTEM "file://{file}">]>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">
<text>&secret;</text><image width="9" height="9" xlink:href="http://127.0.0.1:{port}/a.png"/>
<use xlink:href="file://{file}#a"/><rect width="1" height="1"/></svg>"""


def attack(target):
    with open("reads.svg", "w") as file:
        file.write(DRAWING.format(file=target.secret_file, port=target.tcp_port))
    with contextlib.suppress(ElementTree.ParseError):
        if len(SVGMobject("reads.svg")) > 1:
            return "it drew more than its own rectangle"
    with contextlib.suppress(ElementTree.ParseError):
        return "".join(ElementTree.parse("reads.svg").getroot().itertext()).strip()
