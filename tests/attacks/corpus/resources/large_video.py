"""Encodes noise without loss, of which a short video becomes a large file.

Videos are stored, for as long as the operator keeps them.
"""

import numpy as np
from manim import ImageMobject, config

EXPECT = {"output_too_large", "forbidden"}
BARE = {"output_too_large", "forbidden"}  # the length of files is a limit of the process itself


def attack(target):
    config.video_encoder_options = {"crf": "0", "preset": "ultrafast"}
    random = np.random.default_rng(0)
    for _ in range(36):
        target.scene.clear()
        target.scene.add(ImageMobject(random.integers(0, 255, (480, 854, 4), np.uint8)).scale_to_fit_height(8))
        target.scene.wait(1 / 15)
    target.goes_on = True
