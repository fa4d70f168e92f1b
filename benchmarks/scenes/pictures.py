from manim import *


class Pictures(Scene):
    def construct(self):
        y, x = np.mgrid[0:240, 0:320]
        waves = np.uint8(127 + 127 * np.sin(x / 15) * np.cos(y / 20))
        colors = np.dstack([waves, np.uint8(x / 320 * 255), np.uint8(y / 240 * 255)])
        picture = ImageMobject(colors).set(height=4)
        frame = SurroundingRectangle(picture, color=WHITE, buff=0)
        caption = Text("Interference", font_size=36).next_to(picture, DOWN)
        self.play(FadeIn(picture))
        self.play(Create(frame), Write(caption))
        self.wait(2)
        group = Group(picture, frame, caption)
        self.play(group.animate.scale(0.6).to_edge(LEFT))
        other = ImageMobject(255 - colors).set(height=2.4).to_edge(RIGHT)
        self.play(FadeIn(other, shift=LEFT))
        self.play(other.animate.rotate(PI / 8), run_time=1)
        self.wait(1)
        self.play(FadeOut(group), FadeOut(other))
