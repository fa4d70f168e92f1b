"""How fast the service is beside the stock ``manim`` command: programs that measure, never tests that are timed."""
