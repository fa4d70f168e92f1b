"""Cameras that move or look twice."""

from manim import *


class MovingFrame(MovingCameraScene):
    def construct(self):
        row = VGroup(Square(color=RED), Circle(color=BLUE), Triangle(color=GREEN)).arrange(RIGHT, buff=2)
        self.add(row)
        self.camera.frame.save_state()
        self.play(self.camera.frame.animate.scale(0.5).move_to(row[0]), run_time=0.5)
        self.play(self.camera.frame.animate.move_to(row[2]), run_time=0.5)
        self.play(Restore(self.camera.frame), run_time=0.5)


class FollowingFrame(MovingCameraScene):
    def construct(self):
        graph = FunctionGraph(np.sin, x_range=[-6, 6])
        dot = Dot(color=ORANGE)
        self.add(graph, dot)
        self.camera.frame.set(width=6)
        self.camera.frame.add_updater(lambda m: m.move_to(dot.get_center()))
        self.play(MoveAlongPath(dot, graph), rate_func=linear, run_time=0.9)
        self.camera.frame.clear_updaters()


class AutoZoom(MovingCameraScene):
    def construct(self):
        squares = VGroup(Square(1).shift(3 * LEFT + UP), Square(0.5, color=RED).shift(3 * RIGHT))
        self.add(squares)
        self.play(self.camera.auto_zoom(squares[1], margin=1), run_time=0.5)
        self.play(self.camera.auto_zoom(squares, margin=1), run_time=0.4)


class ZoomedView(ZoomedScene):
    def __init__(self, **kwargs):
        super().__init__(
            zoom_factor=0.3, zoomed_display_height=2, zoomed_display_width=3, zoomed_camera_config={"default_frame_stroke_width": 3},
            **kwargs,
        )

    def construct(self):
        dot = Dot(color=YELLOW).shift(LEFT)
        self.add(dot, Text("detail", font_size=20).next_to(dot, DOWN, buff=0.1))
        self.zoomed_camera.frame.move_to(dot)
        self.activate_zooming(animate=False)
        self.wait(0.2)
        self.play(self.zoomed_camera.frame.animate.shift(0.5 * DOWN), run_time=0.5)


class ZoomingIn(ZoomedScene):
    def construct(self):
        self.add(NumberPlane(), Circle(0.4, color=RED, fill_opacity=1).shift(2 * LEFT))
        self.zoomed_camera.frame.move_to(2 * LEFT)
        self.play(Create(self.zoomed_camera.frame), run_time=0.3)
        self.activate_zooming()
        self.play(self.get_zoomed_display_pop_out_animation(), run_time=0.5)
