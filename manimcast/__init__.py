"""manimcast turns Manim scenes into videos on demand."""

__version__ = "0.1.0"
