"""What the encoder is told."""

from __future__ import annotations

from pathlib import Path

from tests.engine.in_child import in_child

CODE = """
    def options(**fields):
        fields.setdefault("frame_rate", 30)
        configure.apply(RenderSpec(code="class It(Scene): pass", **fields), HERE)
        return dict(config.video_encoder_options)

    answer([
        options() == configure.X264_DEFAULTS | {"threads": "1"},
        options(frame_rate=60) == configure.x264_defaults(60) | {"threads": "1"} != options(),
        options(format="gif") == configure.X264_DEFAULTS | {"threads": "1"},
        options(encoder_preset="medium"),
        options(format="webm", encoder_preset="medium"),
        options(format="mov", transparent=True, encoder_preset="medium"),
        options(format="webm", transparent=True),
    ])
"""


def test_the_encoder_is_told_our_choice_or_the_presets_own(tmp_path: Path) -> None:
    told = in_child(tmp_path, CODE)
    assert told == [True, True, True, {"threads": "1", "preset": "medium"}, {"threads": "1"}, {}, {"threads": "1"}]
