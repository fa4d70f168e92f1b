"""Sections, captions, sound, stills and the scene's own hooks."""

import math
import struct
import wave

from manim import *


def beep(name, seconds=0.4, pitch=440):
    with wave.open(name, "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        count = int(22050 * seconds)
        samples = (int(12000 * math.sin(2 * math.pi * pitch * k / 22050)) for k in range(count))
        file.writeframes(b"".join(struct.pack("<h", s) for s in samples))


class Sections(Scene):
    def construct(self):
        square = Square()
        self.play(Create(square), run_time=0.4)
        self.next_section("second")
        self.play(square.animate.shift(RIGHT), run_time=0.4)
        self.next_section("third", DefaultSectionType.NORMAL)
        self.wait(0.3)


class SkippedSection(Scene):
    def construct(self):
        square = Square()
        self.next_section("intro", skip_animations=True)
        self.play(Create(square), run_time=0.5)
        self.play(square.animate.shift(2 * LEFT), run_time=0.5)
        self.wait(0.5)
        self.next_section("shown")
        self.play(Rotate(square), run_time=0.5)
        self.next_section("hidden", skip_animations=True)
        self.play(FadeOut(square), run_time=0.3)
        self.next_section("end")
        self.play(FadeIn(Circle()), run_time=0.3)


class SkippedWithUpdater(Scene):
    def construct(self):
        dot = Dot(4 * LEFT).add_updater(lambda m, dt: m.shift(2 * RIGHT * dt))
        self.add(dot)
        self.next_section(skip_animations=True)
        self.wait(0.8)
        self.next_section()
        self.wait(0.5)


class Subcaptions(Scene):
    def construct(self):
        self.add_subcaption("first caption", duration=0.5)
        self.play(Create(Square()), run_time=0.5)
        self.play(FadeIn(Circle()), run_time=0.5, subcaption="with the circle", subcaption_duration=0.4)
        self.wait(0.2)


class Sound(Scene):
    def construct(self):
        beep("beep.wav")
        self.add_sound("beep.wav")
        self.play(FadeIn(Square()), run_time=0.5)
        self.add_sound("beep.wav", time_offset=0.1, gain=-6)
        self.wait(0.5)


class NoAnimation(Scene):
    def construct(self):
        self.add(Square(color=RED, fill_opacity=0.5), Text("still"))


class Nothing(Scene):
    pass


class OnlyWait(Scene):
    def construct(self):
        self.wait(0.5)


class NoFrames(Scene):
    def construct(self):
        self.add(Dot())
        self.play(Create(Square()), run_time=0.3)
        self.remove(*self.mobjects)
        self.wait(0.3)
        self.add(Circle())


class SetupAndTearDown(Scene):
    def setup(self):
        self.mark = Square(color=GREEN)
        self.add(self.mark)

    def construct(self):
        self.play(self.mark.animate.shift(RIGHT), run_time=0.4)

    def tear_down(self):
        self.play(FadeOut(self.mark), run_time=0.3)


class Inherited(SetupAndTearDown):
    def construct(self):
        super().construct()
        self.clear()
        self.play(GrowFromCenter(Circle(color=RED)), run_time=0.3)


class ReadsTheFrame(Scene):
    def construct(self):
        self.play(Create(Circle(1, color=RED, fill_opacity=1)), run_time=0.4)
        brightness = float(self.renderer.get_frame()[..., :3].mean())
        self.play(FadeIn(Text(f"{brightness:.3f}").shift(2 * UP)), run_time=0.3)
        image = ImageMobject(self.renderer.get_frame()[::4, ::4]).set(height=2).to_corner(DR)
        self.play(FadeIn(image), run_time=0.3)


class ReadsTheFrameInUpdater(Scene):
    def construct(self):
        bar = Rectangle(width=1, height=0.4, fill_opacity=1).shift(3 * DOWN)
        bar.add_updater(lambda m: m.stretch_to_fit_width(0.5 + float(self.renderer.get_frame()[..., 0].mean()) / 10))
        self.add(bar)
        self.play(GrowFromCenter(Square(4, color=RED, fill_opacity=1)), run_time=0.8)


class ReadsTheClock(Scene):
    def construct(self):
        number = DecimalNumber(0, num_decimal_places=3)
        number.add_updater(lambda m: m.set_value(self.renderer.time))
        self.add(number)
        self.play(FadeIn(Square()), run_time=0.4)
        self.play(FadeIn(Text(f"{self.time:.3f} {self.renderer.num_plays}").shift(2 * UP)), run_time=0.3)


class Stored(Scene):
    def construct(self):
        before = [Dot(k * RIGHT) for k in range(3)]
        self.add(*before)
        self.play(*[FadeOut(d) for d in before], run_time=0.3)
        self.play(FadeIn(Text(str(len(self.mobjects)))), run_time=0.3)
        self.replace(self.mobjects[0], Circle())
        self.wait(0.2)


class CaughtError(Scene):
    def construct(self):
        try:
            self.play(Create(Text))
        except TypeError:
            self.add(Cross(Square()))
        try:
            self.play()
        except ValueError:
            self.wait(0.2)
        self.play(FadeIn(Dot(2 * UP)), run_time=0.3)
