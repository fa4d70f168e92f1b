from manim import *


class TwentyPlays(Scene):
    def construct(self):
        numbers = VGroup(*[Text(str(k), font_size=30) for k in range(1, 11)]).arrange_in_grid(2, 5, buff=1)
        for number in numbers:
            self.play(FadeIn(number, scale=0.5), run_time=0.4)
        for number, color in zip(numbers[:9], color_gradient([RED, YELLOW, BLUE], 9)):
            box = Circle(0.45, color=color).move_to(number)
            self.play(Create(box), run_time=0.4)
        self.play(Create(Square(3, color=YELLOW)), run_time=1)
