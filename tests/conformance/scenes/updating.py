"""Things that change by themselves."""

from manim import *


class SteppedByTime(Scene):
    def construct(self):
        ball = Dot(3 * LEFT + UP, radius=0.2, color=RED)
        ball.velocity = np.array([4.0, 0.0, 0.0])

        def fall(mobject, dt):
            mobject.velocity = mobject.velocity + 6 * DOWN * dt
            mobject.shift(mobject.velocity * dt)

        ball.add_updater(fall)
        self.add(ball)
        self.wait(0.6)
        ball.suspend_updating()
        self.wait(0.2)
        ball.resume_updating()
        self.play(FadeIn(Square()), run_time=0.5)


class Redrawn(Scene):
    def construct(self):
        t = ValueTracker(0)
        text = always_redraw(lambda: Text(f"t = {t.get_value():.2f}", font_size=40).to_edge(UP))
        arc = always_redraw(lambda: Arc(1.5, 0, t.get_value() + 0.01, color=BLUE))
        self.add(text, arc)
        self.play(t.animate.set_value(5), run_time=0.6)
        self.wait(0.2)


class TrackedNumbers(Scene):
    def construct(self):
        t = ValueTracker(1)
        number = DecimalNumber(1, font_size=70).add_updater(lambda m: m.set_value(t.get_value()))
        bar = Rectangle(height=0.5, width=1, fill_opacity=1, color=TEAL).shift(DOWN)
        bar.add_updater(lambda m: m.stretch_to_fit_width(t.get_value()))
        self.add(number, bar)
        self.play(t.animate.set_value(6), run_time=0.6, rate_func=linear)
        self.play(t.animate.increment_value(-4), run_time=0.4)
        t += 1
        self.wait(0.2, frozen_frame=False)


class Traced(Scene):
    def construct(self):
        dot = Dot(2 * RIGHT, color=YELLOW)
        path = TracedPath(dot.get_center, stroke_color=RED, stroke_width=5)
        fading = TracedPath(lambda: dot.get_center() * 0.6, dissipating_time=0.3, stroke_opacity=[0, 1])
        self.add(path, fading, dot)
        self.play(Rotate(dot, 1.5 * PI, about_point=ORIGIN), run_time=0.9, rate_func=linear)


class Attached(Scene):
    def construct(self):
        square = Square(1, color=BLUE)
        label = Text("label", font_size=28)
        label.add_updater(lambda m: m.next_to(square, UP))
        line = Line(ORIGIN, RIGHT).add_updater(lambda m: m.put_start_and_end_on(3 * DOWN, square.get_center()))
        self.add(square, label, line)
        self.play(square.animate.shift(3 * RIGHT + UP), run_time=0.5)
        self.play(Rotate(square, PI / 4), run_time=0.3)


class SceneUpdater(Scene):
    def construct(self):
        dots = VGroup()
        self.add(dots)
        self.elapsed = 0.0

        def grow(dt):
            self.elapsed += dt
            dots.add(Dot([self.elapsed * 5 - 3, np.sin(self.elapsed * 9), 0]))

        self.add_updater(grow)
        self.wait(0.7, frozen_frame=False)
        self.remove_updater(grow)
        self.play(dots.animate.set_color(RED), run_time=0.3)


class FunctionAnimations(Scene):
    def construct(self):
        square = Square()
        follower = Dot(color=RED)
        self.play(
            UpdateFromAlphaFunc(square, lambda m, a: m.become(Square(1 + 2 * a).rotate(a))),
            UpdateFromFunc(follower, lambda m: m.move_to(square.get_corner(UR))),
            run_time=0.6,
        )
        self.play(MaintainPositionRelativeTo(follower, square), square.animate.shift(LEFT), run_time=0.4)


class TurnedByUpdaters(Scene):
    def construct(self):
        wheel = VGroup(Circle(), Line(LEFT, RIGHT), Line(UP, DOWN))
        turn_animation_into_updater(Rotating(wheel, angle=TAU, run_time=1))
        always_shift(wheel, RIGHT, rate=1)
        other = always_rotate(Square(1).shift(2 * DOWN), rate=2)
        fade = Text("fades").shift(2 * UP)
        cycle_animation(FadeIn(fade, run_time=0.3))
        self.add(wheel, other, fade)
        self.wait(0.9)


class UpdatersDuringPlay(Scene):
    def construct(self):
        dot = Dot(3 * LEFT).add_updater(lambda m, dt: m.shift(2 * RIGHT * dt))
        square = Square().add_updater(lambda m, dt: m.rotate(dt))
        self.add(dot, square)
        self.play(square.animate.shift(2 * UP), run_time=0.5)
        self.play(FadeOut(square, suspend_mobject_updating=False), run_time=0.5)
        self.wait(0.3)
