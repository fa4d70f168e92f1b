"""Plane shapes, their styles and what can be built from them."""

from manim import *


class Polygons(Scene):
    def construct(self):
        row = VGroup(
            Triangle(color=RED), Square(color=GREEN), RegularPolygon(5, color=BLUE), Star(7, color=YELLOW),
            RoundedRectangle(corner_radius=0.4, width=2, height=1.5, color=PURPLE),
            RegularPolygram(7, density=3, color=ORANGE),
        ).arrange_in_grid(2, 3, buff=0.6)
        self.play(Create(row, lag_ratio=0.2), run_time=1)
        self.play(row.animate.set_fill(opacity=0.5), run_time=0.4)


class RoundThings(Scene):
    def construct(self):
        things = VGroup(
            Circle(color=RED), Ellipse(width=2.5, height=1, color=GREEN), Annulus(0.5, 1, color=BLUE),
            Sector(radius=1, angle=2, color=YELLOW), AnnularSector(0.4, 1.1, angle=PI, color=PINK),
            Arc(1, 0.3, 4, color=TEAL), ArcBetweenPoints(LEFT, RIGHT, angle=PI / 2),
            ArcPolygon(LEFT, RIGHT, UP, radius=1.6, color=GOLD), LabeledDot(Text("7", font_size=24)),
            CubicBezier(LEFT, LEFT + UP * 2, RIGHT + DOWN * 2, RIGHT),
        ).arrange_in_grid(2, 5, buff=0.5)
        self.play(LaggedStart(*[GrowFromCenter(t) for t in things], lag_ratio=0.1), run_time=1)
        self.wait(0.2)


class ArrowsAndAngles(Scene):
    def construct(self):
        first = Line(ORIGIN, 2 * RIGHT)
        second = Line(ORIGIN, 2 * UP + RIGHT)
        angle = Angle(first, second, radius=0.6, other_angle=False, color=YELLOW)
        right = RightAngle(Line(3 * LEFT, 2 * LEFT), Line(3 * LEFT, 3 * LEFT + UP), length=0.3)
        tips = VGroup(
            Arrow(LEFT, RIGHT, tip_shape=StealthTip), Arrow(LEFT, RIGHT, tip_shape=ArrowCircleFilledTip),
            Arrow(LEFT, RIGHT, tip_shape=ArrowSquareTip), DoubleArrow(LEFT, RIGHT), CurvedArrow(LEFT, RIGHT),
            Vector([1, 1], color=RED),
        ).arrange(DOWN, buff=0.35).to_edge(RIGHT)
        self.play(Create(first), Create(second), run_time=0.4)
        self.play(Create(angle), FadeIn(right), *[GrowArrow(t) for t in tips[:3]], FadeIn(tips[3:]), run_time=0.8)
        self.wait(0.2)


class DashedAndStroked(Scene):
    def construct(self):
        line = DashedLine(4 * LEFT + 2 * UP, 4 * RIGHT + 2 * UP, dash_length=0.3, color=YELLOW)
        ring = DashedVMobject(Circle(1.2, color=RED), num_dashes=18, dashed_ratio=0.6)
        thick = VGroup(*[Line(ORIGIN, 2 * UP, stroke_width=w) for w in (0.5, 2, 6, 14)]).arrange(RIGHT).shift(3 * RIGHT)
        joints = VGroup(*[
            VMobject(stroke_width=16, joint_type=j, cap_style=c).set_points_as_corners([LEFT, UP, RIGHT]).scale(0.5)
            for j, c in zip(
                (LineJointType.ROUND, LineJointType.BEVEL, LineJointType.MITER),
                (CapStyleType.ROUND, CapStyleType.SQUARE, CapStyleType.BUTT),
            )
        ]).arrange(DOWN).shift(3 * LEFT)
        self.add(thick)
        self.play(Create(line), Create(ring), FadeIn(joints), run_time=0.8)
        self.play(Rotate(ring, PI / 3), run_time=0.5)


class Gradients(Scene):
    def construct(self):
        square = Square(3).set_fill(color=[RED, YELLOW, GREEN], opacity=0.8).set_stroke(color=[BLUE, WHITE], width=10)
        circle = Circle(1.5, fill_opacity=1).set_color_by_gradient(PINK, TEAL).set_sheen(-0.4, DR)
        VGroup(square, circle).arrange(RIGHT, buff=1)
        self.play(DrawBorderThenFill(square), FadeIn(circle), run_time=0.8)
        self.play(square.animate.set_sheen_direction(UP), circle.animate.set_color(ORANGE), run_time=0.6)


class SeeThrough(Scene):
    def construct(self):
        discs = VGroup(*[
            Circle(1.3, fill_opacity=o, color=c).shift(1.1 * rotate_vector(RIGHT, k * TAU / 3))
            for k, (c, o) in enumerate([(RED, 0.3), (GREEN, 0.5), (BLUE, 0.8)])
        ])
        self.add(discs)
        self.play(discs.animate.set_opacity(0.15), run_time=0.5)
        self.play(Rotate(discs, PI / 2), discs[0].animate.set_stroke(opacity=1, width=12), run_time=0.5)


class BooleanOperations(Scene):
    def construct(self):
        square = Square(2).shift(0.5 * LEFT)
        circle = Circle(1.1).shift(0.5 * RIGHT)
        results = VGroup(
            Union(square, circle, color=RED, fill_opacity=0.6),
            Intersection(square, circle, color=GREEN, fill_opacity=0.6),
            Difference(square, circle, color=BLUE, fill_opacity=0.6),
            Exclusion(square, circle, color=YELLOW, fill_opacity=0.6),
        )
        self.add(square, circle)
        self.play(*[FadeIn(r) for r in results], run_time=0.3)
        self.play(results.animate.scale(0.7).arrange_in_grid(2, 2, buff=0.8), run_time=0.7)


class Layers(Scene):
    def construct(self):
        low = Square(2.5, color=RED, fill_opacity=1, z_index=1)
        high = Circle(1.2, color=BLUE, fill_opacity=1, z_index=0).shift(RIGHT)
        self.add(low, high)
        self.wait(0.2)
        high.set_z_index(2)
        self.play(high.animate.shift(2 * LEFT), run_time=0.5)
        self.bring_to_front(low)
        self.play(low.animate.rotate(PI / 4), run_time=0.4)


class Foreground(Scene):
    def construct(self):
        frame = Square(3, color=YELLOW, stroke_width=12)
        self.add_foreground_mobject(frame)
        ball = Circle(0.8, color=GREEN, fill_opacity=1).shift(3 * LEFT)
        self.play(ball.animate.shift(3 * RIGHT), run_time=0.6)
        self.remove_foreground_mobject(frame)
        self.play(ball.animate.shift(3 * RIGHT), run_time=0.6)


class BracesAndMarks(Scene):
    def construct(self):
        bar = Rectangle(width=5, height=1, color=BLUE, fill_opacity=0.4)
        brace = Brace(bar, DOWN)
        label = brace.get_text("five units")
        cross = Cross(Square(1).shift(2 * UP))
        self.play(FadeIn(bar), GrowFromCenter(brace), run_time=0.5)
        self.play(Write(label), Create(cross), Create(SurroundingRectangle(bar, buff=0.2)), run_time=0.7)
        self.play(Create(Underline(label)), run_time=0.3)


class HolesAndHulls(Scene):
    def construct(self):
        plate = Cutout(
            Square(3.5), Circle(0.6).shift(UL * 0.8), Triangle().scale(0.6).shift(DR * 0.8), fill_opacity=0.9, color=TEAL
        ).shift(3 * LEFT)
        points = [[0, 0, 0], [2, 0.2, 0], [1, 2, 0], [0.8, 0.9, 0], [2.2, 1.8, 0]]
        hull = ConvexHull(*points, color=GOLD).shift(2 * RIGHT)
        dots = VGroup(*[Dot(p) for p in points]).shift(2 * RIGHT)
        self.play(FadeIn(plate), FadeIn(dots), run_time=0.3)
        self.play(Create(hull), plate.animate.rotate(0.5), run_time=0.6)


class DictAndGroups(Scene):
    def construct(self):
        parts = VDict({"s": Square(color=RED), "c": Circle(color=BLUE).shift(2 * RIGHT)}, show_keys=False)
        group = Group(parts, Dot(2 * UP, color=YELLOW), Text("mixed", font_size=30).shift(2 * DOWN))
        self.play(FadeIn(group), run_time=0.4)
        self.play(parts["s"].animate.scale(1.5), parts["c"].animate.shift(RIGHT), run_time=0.5)
        self.play(FadeOut(group, shift=UP), run_time=0.4)
