from manim import *


class TurningSurface(ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=65 * DEGREES, theta=-45 * DEGREES)
        surface = Surface(
            lambda u, v: np.array([u, v, np.sin(u) * np.cos(v)]),
            u_range=[-3, 3],
            v_range=[-3, 3],
            resolution=(20, 20),
        )
        self.play(Create(surface))
        self.begin_ambient_camera_rotation(rate=0.6)
        self.wait(4)
