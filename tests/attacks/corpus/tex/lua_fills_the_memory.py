"""Has LuaTeX take memory without end, outside of the render's own processes.

Where TeX runs apart from the render, it must be held to limits there, too.
"""

from manim import Tex, TexTemplate

EXPECT = {"latex_error", "timeout", "out_of_memory"}
BARE = {"latex_error", "timeout", "out_of_memory"}
NEEDS = {"lualatex", "dvisvgm"}
REQUEST = {"timeout": 10}

ARTICLE = r"\documentclass{article}\pagestyle{empty}"


def attack(target):
    code = "local t = {} while true do t[\\string#t + 1] = string.rep(tostring(\\string#t), 1000000) end"
    template = TexTemplate(tex_compiler="lualatex", output_format=".pdf", documentclass=ARTICLE, preamble="")
    return Tex(rf"A\directlua{{{code}}}", tex_template=template) and "it ended"
