from manim import *


class Solids(ThreeDScene):
    def construct(self):
        axes = ThreeDAxes(x_length=6, y_length=6, z_length=4)
        self.set_camera_orientation(phi=70 * DEGREES, theta=30 * DEGREES)
        cube = Cube(1.5, fill_opacity=0.7)
        sphere = Sphere(radius=0.9, resolution=(12, 12)).shift(2.5 * RIGHT)
        label = Text("Solids", font_size=40).to_corner(UL)
        self.add_fixed_in_frame_mobjects(label)
        self.play(Create(axes), run_time=1)
        self.play(FadeIn(cube), FadeIn(sphere))
        self.move_camera(theta=120 * DEGREES, run_time=2)
        self.play(Rotate(cube, PI / 2, axis=UP), run_time=1)
        self.wait(1)
