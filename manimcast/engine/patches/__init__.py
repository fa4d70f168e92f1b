"""Every change that is made to Manim itself, in one place: one module per part of Manim, and :mod:`.every` for all."""
