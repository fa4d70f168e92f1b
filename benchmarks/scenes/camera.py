from manim import *


class ZoomIn(MovingCameraScene):
    def construct(self):
        plane = NumberPlane()
        shapes = VGroup(
            Square(1, color=BLUE, fill_opacity=0.7),
            Circle(0.6, color=RED, fill_opacity=0.7),
            Triangle(color=GREEN, fill_opacity=0.7),
            Star(color=YELLOW, fill_opacity=0.7),
        ).arrange(RIGHT, buff=1.5)
        self.play(Create(plane), run_time=1.5)
        self.play(LaggedStartMap(FadeIn, shapes, lag_ratio=0.3))
        self.camera.frame.save_state()
        for shape in shapes:
            self.play(self.camera.frame.animate.scale_to_fit_width(4).move_to(shape), run_time=1)
            self.play(Wiggle(shape))
        self.play(Restore(self.camera.frame), run_time=1.5)
        self.wait(1)
