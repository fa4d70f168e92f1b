"""Scenes with files of their own; drawn by stock Manim in a folder that has the same ones."""

import manimpango
from manim import *

manimpango.register_font("face.ttf")


class Pictures(Scene):
    def construct(self):
        logo = ImageMobject("logo.png").scale_to_fit_height(2).shift(LEFT * 3)
        box = SVGMobject("art/box.svg", fill_color=BLUE).shift(RIGHT * 3)
        self.add(logo)
        self.play(Create(box), run_time=0.5)
        self.play(logo.animate.shift(RIGHT), Rotate(box, PI / 3), run_time=0.5)


class Lettering(Scene):
    def construct(self):
        text = Text("Hello there", font="Manimcast Sample")
        self.play(Write(text), run_time=0.5)
        self.play(Transform(text, Text("ABC", font="Manimcast Sample", weight=BOLD)), run_time=0.5)


class Table(Scene):
    def construct(self):
        with open("data/points.csv") as file:
            points = [tuple(map(float, line.split(","))) for line in file]
        dots = VGroup(*(Dot([x, y, 0]) for x, y in points))
        self.play(LaggedStart(*map(GrowFromCenter, dots)), run_time=0.5)
        self.add_sound("tone.wav")
        self.wait(0.3)
