"""Random scenes, drawn by stock Manim and by the engine: where frames differ, the smallest scene that shows it.

``python -m tests.conformance.fuzz --scenes 200 --seed 1``
"""
