"""Has LuaTeX start programs, by all the ways that it knows, outside of the render's own processes.

Its lists of what is allowed have been circumvented before (CVE-2023-32700).
"""

from manim import Tex, TexTemplate

EXPECT = {"latex_error", "stopped"}
BARE = {"escaped", "latex_error", "stopped"}  # newer ones do so only on request
NEEDS = {"lualatex", "dvisvgm"}

ARTICLE = r"\documentclass{article}\pagestyle{empty}"


def attack(target):
    touch = f"touch {target.folder}/ran"
    code = (
        f"pcall(os.execute, '{touch}') pcall(io.popen, '{touch}') pcall(os.exec, '{touch}') pcall(os.spawn, '{touch}') "
        "local r = debug.getregistry and debug.getregistry() or {} "
        "for name, value in pairs(r) do if type(value) == 'function' then "
        f"pcall(value, '{touch}', 'r') end end"
    )
    template = TexTemplate(tex_compiler="lualatex", output_format=".pdf", documentclass=ARTICLE, preamble="")
    Tex(rf"A\directlua{{{code}}}", tex_template=template)
