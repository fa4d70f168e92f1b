"""Images, SVG and clouds of points."""

from pathlib import Path

from manim import *
from PIL import Image

DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 60">
<rect x="5" y="5" width="40" height="50" rx="8" fill="#cc3333" stroke="#ffffff" stroke-width="2"/>
<circle cx="70" cy="30" r="22" fill="none" stroke="#33cc99" stroke-width="4"/>
<path d="M 52 55 Q 60 10 70 30 T 95 50" fill="none" stroke="#ffcc00" stroke-width="3"/>
</svg>"""


def checks(side=16):
    across, down = np.meshgrid(np.arange(side), np.arange(side))
    array = np.zeros((side, side, 4), dtype=np.uint8)
    array[..., 0] = across * (255 // side)
    array[..., 1] = down * (255 // side)
    array[..., 2] = 255 * ((across + down) % 2)
    array[..., 3] = 255
    return array


class ImageFromArray(Scene):
    def construct(self):
        image = ImageMobject(checks()).scale(20)
        self.play(FadeIn(image), run_time=0.4)
        self.play(image.animate.shift(2 * RIGHT).scale(0.5), run_time=0.5)
        self.play(image.animate.set_opacity(0.3), Create(Square()), run_time=0.3)


class ImageFromFile(Scene):
    def construct(self):
        Image.fromarray(checks(64)).save("checks.png")
        image = ImageMobject("checks.png").set(height=4)
        image.set_resampling_algorithm(RESAMPLING_ALGORITHMS["nearest"])
        self.add(image)
        self.wait(0.2)
        self.play(Rotate(image, PI / 5), run_time=0.5)


class PicturesBehindShapes(Scene):
    def construct(self):
        image = ImageMobject(checks(8)).set(height=3)
        circle = Circle(2, color=YELLOW, fill_opacity=0.4)
        self.add(image, circle)
        self.play(circle.animate.shift(2 * LEFT), run_time=0.4)
        image.set_z_index(3)
        self.play(circle.animate.shift(2 * RIGHT), run_time=0.4)


class SvgFile(Scene):
    def construct(self):
        Path("drawing.svg").write_text(DRAWING)
        drawing = SVGMobject("drawing.svg", height=4)
        self.play(DrawBorderThenFill(drawing), run_time=0.8)
        self.play(drawing.animate.scale(0.5).to_corner(UL), run_time=0.4)


class PointClouds(Scene):
    def construct(self):
        cloud = PointCloudDot(radius=1.5, density=8, color=BLUE)
        square = PMobject(stroke_width=6).add_points(
            [[x, y, 0] for x in np.linspace(-1, 1, 15) for y in np.linspace(-1, 1, 15)], color=GREEN
        ).shift(3 * RIGHT)
        self.play(FadeIn(cloud.shift(3 * LEFT)), FadeIn(square), run_time=0.4)
        self.play(square.animate.shift(LEFT), run_time=0.4)


class Banner(Scene):
    def construct(self):
        banner = ManimBanner().scale(0.6)
        self.play(banner.create(), run_time=0.8)
        self.play(banner.expand(), run_time=0.8)
