"""Has LuaTeX, which brings sockets, connect to a service on the loopback interface.

A TeX that can make requests makes them in the service's name.
"""

from manim import Tex, TexTemplate

EXPECT = {"latex_error", "stopped"}
BARE = {"escaped", "latex_error", "stopped"}  # newer ones have sockets only on request
NEEDS = {"lualatex", "dvisvgm"}

ARTICLE = r"\documentclass{article}\pagestyle{empty}"


def attack(target):
    code = (
        "local ok, socket = pcall(require, 'socket') if ok and socket and socket.tcp then "
        f"local c = socket.tcp() c:settimeout(2) if c:connect('127.0.0.1', {target.tcp_port}) then "
        "tex.print('connected') end end"
    )
    template = TexTemplate(tex_compiler="lualatex", output_format=".pdf", documentclass=ARTICLE, preamble="")
    drawn = Tex(rf"A\directlua{{{code}}}", tex_template=template).family_members_with_points()
    return len(drawn) > 1 and "connected"
