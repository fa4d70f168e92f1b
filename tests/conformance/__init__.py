"""The promise of equal frames, checked: each scene drawn by stock Manim and by the engine, byte by byte."""
