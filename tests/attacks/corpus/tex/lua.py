"""Has LuaTeX, which is a programming language with files and commands, read and write on the host.

No setting of TeX's keeps Lua from opening files.
"""

from manim import Tex, TexTemplate

EXPECT = {"latex_error", "stopped"}
NEEDS = {"lualatex", "dvisvgm"}

ARTICLE = r"\documentclass{article}\pagestyle{empty}"


def attack(target):
    code = (
        f'local f = io.open("{target.secret_file}") if f then tex.print(f:read("*a")) end '
        f'local w = io.open("{target.folder}/written", "w") if w then w:write("I was here") w:close() end '
        f'pcall(function() os.execute("touch {target.folder}/ran") end)'
    )
    template = TexTemplate(tex_compiler="lualatex", output_format=".pdf", documentclass=ARTICLE, preamble="")
    drawn = Tex(rf"A\directlua{{{code}}}", tex_template=template).family_members_with_points()
    return len(drawn) > 1 and f"{len(drawn)} characters"
