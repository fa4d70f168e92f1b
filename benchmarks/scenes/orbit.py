from manim import *


class Orbit(ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=70 * DEGREES, theta=-60 * DEGREES)
        axes = ThreeDAxes(x_range=[-4, 4], y_range=[-4, 4], z_range=[-2, 2])
        wave = Surface(
            lambda u, v: axes.c2p(u, v, np.cos(np.sqrt(u * u + v * v))),
            u_range=[-3, 3],
            v_range=[-3, 3],
            resolution=(24, 24),
        )
        wave.set_fill_by_value(axes=axes, colorscale=[(BLUE, -1), (GREEN, 0), (YELLOW, 1)])
        title = Text("A wave from all sides").to_corner(UL)
        self.add_fixed_in_frame_mobjects(title)
        self.play(Create(axes), FadeIn(title))
        self.play(Create(wave), run_time=2)
        self.begin_ambient_camera_rotation(rate=0.4)
        self.wait(6)
        self.stop_ambient_camera_rotation()
        self.move_camera(phi=30 * DEGREES, zoom=1.3, run_time=3)
        self.play(wave.animate.set_opacity(0.4), run_time=2)
        self.move_camera(phi=75 * DEGREES, theta=20 * DEGREES, run_time=4)
        self.wait(1)
