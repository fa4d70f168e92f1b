from manim import *


class ManyTransforms(Scene):
    def construct(self):
        shapes = VGroup(*[Square(0.5, fill_opacity=0.6) for _ in range(48)]).arrange_in_grid(6, 8, buff=0.25)
        shapes.set_color_by_gradient(RED, YELLOW, BLUE)
        self.play(LaggedStartMap(GrowFromCenter, shapes, lag_ratio=0.02))
        for make in (Circle, Triangle, Star, Square):
            targets = VGroup(*[make().set(width=0.5).move_to(s).match_style(s) for s in shapes])
            self.play(Transform(shapes, targets, lag_ratio=0.02))
        self.play(shapes.animate.arrange_in_grid(4, 12), run_time=1.5)
        self.play(Rotate(shapes, PI))
