from manim import *


class PictureAndCamera(MovingCameraScene):
    def construct(self):
        y, x = np.mgrid[0:270, 0:480]
        colours = [127 + 127 * np.sin(x / 37 + y / 61), 127 + 127 * np.cos(x / 53), 255 * y / 270]
        noise = np.random.default_rng(1).integers(-12, 12, (270, 480, 3))
        pixels = np.clip(np.stack(colours, axis=-1) + noise, 0, 255).astype(np.uint8)
        picture = ImageMobject(pixels).set(height=6)
        frame = Rectangle(width=picture.width, height=picture.height, color=YELLOW)
        self.play(FadeIn(picture))
        self.play(Create(frame))
        self.play(self.camera.frame.animate.scale(0.4).move_to(picture.get_corner(UR)), run_time=2)
        self.wait()
        self.play(self.camera.frame.animate.scale(3).move_to(ORIGIN), picture.animate.rotate(0.3), run_time=2)
