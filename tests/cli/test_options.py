from __future__ import annotations

from typing import get_args

import pytest
import typer

from manimcast.cli import options
from manimcast.spec import AspectRatio, EncoderPreset, Engine, Format, Quality


@pytest.mark.parametrize(
    ("literal", "enum"),
    [
        (options.FORMATS, Format),
        (options.RATIOS, AspectRatio),
        (options.ENGINES, Engine),
        (options.PRESETS, EncoderPreset),
    ],
)
def test_choices_are_those_of_the_spec(literal: object, enum: type[Format]) -> None:
    assert list(get_args(literal)) == [member.value for member in enum]


def test_qualities_are_those_of_the_spec() -> None:
    assert [Quality(name) for name in options.QUALITIES] == list(Quality)


@pytest.mark.parametrize(("given", "name"), [("l", "low"), ("k", "fourk"), ("high", "high"), ("low_quality", "low")])
def test_qualities_have_manims_letters_and_long_forms(given: str, name: str) -> None:
    assert options.quality_name(given) == name


def test_sizes_and_ranges() -> None:
    assert options.picture_size("1280x720") == {"width": 1280, "height": 720}
    assert options.picture_size("1280,720") == {"width": 1280, "height": 720}
    assert options.animation_range("2,5") == (2, 5)
    assert options.animation_range("3") == (3, 3)


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (options.quality_name, "best"),
        (options.picture_size, "1280"),
        (options.picture_size, "-1x720"),
        (options.animation_range, "2,"),
        (options.animation_range, "a"),
    ],
)
def test_what_makes_no_sense_is_refused(parse: object, value: str) -> None:
    assert callable(parse)
    with pytest.raises(typer.BadParameter):
        parse(value)
