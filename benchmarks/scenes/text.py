from manim import *

LINES = (
    "A scene is drawn frame by frame, and every frame",
    "is made of shapes. Letters are shapes as well, with",
    "many curves each, so a page of text is a heavy one.",
    "Here are some two hundred glyphs, written all at once.",
)


class TextHeavy(Scene):
    def construct(self):
        page = VGroup(*[Text(line, font_size=30) for line in LINES]).arrange(DOWN, buff=0.4)
        self.play(Write(page), run_time=2)
        self.play(page.animate.scale(0.8).set_color(YELLOW))
        self.play(FadeOut(page, shift=UP))
