"""Three dimensions."""

from manim import *


class SpaceAxes(ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=70 * DEGREES, theta=-45 * DEGREES)
        axes = ThreeDAxes(x_length=6, y_length=6, z_length=4)
        curve = ParametricFunction(lambda t: [np.cos(t), np.sin(t), t / 4], t_range=[-6, 6], color=YELLOW)
        self.add(axes)
        self.play(Create(curve), run_time=0.6)


class TurningCube(ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=60 * DEGREES, theta=30 * DEGREES)
        cube = Cube(fill_opacity=0.8, stroke_width=2)
        self.play(FadeIn(cube), run_time=0.3)
        self.play(Rotate(cube, PI / 3, axis=UP), run_time=0.5)


class BallSurface(ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=65 * DEGREES, theta=20 * DEGREES)
        ball = Sphere(radius=1.5, resolution=(10, 10)).set_color(BLUE)
        self.add(ball)
        self.move_camera(phi=30 * DEGREES, theta=80 * DEGREES, run_time=0.6)


class WavySurface(ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=60 * DEGREES, theta=-60 * DEGREES, zoom=0.8)
        surface = Surface(
            lambda u, v: np.array([u, v, np.sin(u) * np.cos(v)]), u_range=[-3, 3], v_range=[-3, 3], resolution=(10, 10),
            checkerboard_colors=[RED_D, RED_E],
        )
        self.play(Create(surface), run_time=0.5)
        self.play(surface.animate.set_fill_by_checkerboard(BLUE, GREEN), run_time=0.3)


class AmbientTurn(ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=70 * DEGREES, theta=0)
        self.add(Prism([2, 1, 3], fill_opacity=0.7), ThreeDAxes())
        self.begin_ambient_camera_rotation(rate=1.2)
        self.wait(0.6)
        self.stop_ambient_camera_rotation()
        self.wait(0.2)


class IllusionTurn(ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=75 * DEGREES, theta=30 * DEGREES)
        self.add(ThreeDAxes(), Circle(fill_opacity=0.5))
        self.begin_3dillusion_camera_rotation(rate=2)
        self.wait(0.6)
        self.stop_3dillusion_camera_rotation()


class FixedInFrame(ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=70 * DEGREES, theta=-30 * DEGREES)
        title = Text("stays", font_size=40).to_corner(UL)
        label = Text("faces you", font_size=30).move_to([2, 0, 1])
        self.add_fixed_in_frame_mobjects(title)
        self.add_fixed_orientation_mobjects(label)
        self.add(ThreeDAxes(), Square(2, fill_opacity=0.4))
        self.move_camera(theta=40 * DEGREES, run_time=0.6)
        self.remove_fixed_in_frame_mobjects(title)
        self.wait(0.2)


class RoundSolids(ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=65 * DEGREES, theta=-50 * DEGREES)
        solids = Group(
            Cone(direction=OUT, resolution=8), Cylinder(radius=0.6, height=2, resolution=(4, 10)),
            Torus(0.9, 0.3, resolution=(10, 8)),
        ).arrange(RIGHT, buff=0.7)
        self.play(FadeIn(solids), run_time=0.3)
        self.play(Rotate(solids[2], PI / 2, axis=RIGHT), run_time=0.4)


class Polyhedra(ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=60 * DEGREES, theta=-60 * DEGREES)
        solids = VGroup(Tetrahedron(), Octahedron(), Icosahedron(edge_length=0.8)).arrange(RIGHT, buff=1)
        self.add(solids)
        self.play(*[Rotate(s, 1, axis=OUT) for s in solids], run_time=0.5)


class ArrowsInSpace(ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=60 * DEGREES, theta=40 * DEGREES)
        arrows = VGroup(*[Arrow3D(ORIGIN, 2 * d, resolution=6, color=c) for d, c in ((RIGHT, RED), (UP, GREEN), (OUT, BLUE))])
        self.add(arrows, Dot3D([1, 1, 1], color=YELLOW, resolution=(6, 6)))
        self.play(Rotate(arrows, 0.6, axis=OUT, about_point=ORIGIN), run_time=0.4)


class LightAndZoom(ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=50 * DEGREES, theta=10 * DEGREES)
        ball = Sphere(resolution=(8, 8))
        self.add(ball)
        self.renderer.camera.light_source.move_to(5 * IN)
        self.wait(0.1)
        self.move_camera(zoom=1.8, frame_center=RIGHT, gamma=0.5, run_time=0.5, added_anims=[ball.animate.shift(UP)])
