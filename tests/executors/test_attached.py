"""Assets in real renders: every kind is where Manim looks for it, and nothing of one render is in the next."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from manimcast.spec import ErrorCode, RenderSpec
from tests.assets.samples import FAMILY, SVG, archive, attachments, font, picture, sound, use_of
from tests.engine.pictures import decoded
from tests.executors.rig import SMALL, Rig, scene
from tests.patience import PATIENCE

STILL = "\nself.wait(0.2)"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory):
    running = Rig(tmp_path_factory.mktemp("rig"))
    yield running
    running.close()


def brightness(video: Path) -> float:
    """The mean luma of the first frame's middle."""
    return float(np.mean(decoded(video)[0][1][30:42, 50:78]))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_a_picture(rig: Rig, kind: str) -> None:
    name = {"JPEG": "logo.jpg"}.get(kind, f"logo.{kind.lower()}")
    code = scene(f"self.add(ImageMobject('{name}').scale_to_fit_height(6)){STILL}")
    light, dark = (rig.render(code, assets={name: picture(kind, (value,) * 3)}) for value in (250, 60))
    assert brightness(light.video) > 200 > 100 > brightness(dark.video)


def test_a_drawing(rig: Rig) -> None:
    code = scene(f"self.add(SVGMobject('art/box.svg', fill_color=WHITE).scale(3)){STILL}")
    assert brightness(rig.render(code, assets={"art/box.svg": SVG}).video) > 200


def test_a_font_is_that_renders_alone(rig: Rig) -> None:
    body = (
        f"text = Text('AAA', font={FAMILY!r})\n"
        f"print([round(width, 3) for width in (text.width / text.height, Text('AAA').width)]){STILL}"
    )
    narrow = rig.render(scene(body), assets={"font.ttf": font(width=500)})
    wide = rig.render(scene(body), assets={"other.ttf": font(width=1500)})
    assert narrow.report.warnings == wide.report.warnings == ()
    ratios = [eval(one.printed[-1]) for one in (narrow, wide)]
    assert ratios[0][0] == pytest.approx((3 * 600 - 100) / 700, abs=0.02)
    assert ratios[1][0] == pytest.approx((3 * 1600 - 100) / 700, abs=0.02)
    assert ratios[0][1] == ratios[1][1]
    without = rig.render(scene(body))
    assert FAMILY in without.report.warnings[0]
    assert eval(without.printed[-1])[0] not in {ratios[0][0], ratios[1][0]}


def test_a_font_that_is_none(rig: Rig) -> None:
    error = rig.render(scene("self.wait()"), assets={"font.ttf": b"\0\1\0\0 and nothing of a font"}).error
    assert (error.code, error.message) == (ErrorCode.exception, "The font font.ttf cannot be read.")


@pytest.mark.parametrize(
    ("name", "codec"),
    [("tone.wav", "pcm_s16le"), ("tone.mp3", "libmp3lame"), ("tone.ogg", "libopus"), ("tone.flac", "flac")],
)
def test_a_sound(rig: Rig, name: str, codec: str) -> None:
    container = name.rpartition(".")[2]
    code = scene(f"self.add_sound({name!r})\nself.wait(0.5)")
    outcome = rig.render(code, assets={name: sound(container, codec)})
    with av.open(outcome.video) as video:
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in video.decode(audio=0)])
    assert np.abs(samples).max() > 0.1


def test_data_and_modules(rig: Rig) -> None:
    body = "import shapes, json\nself.add(shapes.ring(json.load(open('data/size.json'))))\nself.wait(0.2)"
    assets = {"shapes.py": b"def ring(size):\n    return Circle(radius=size)\n", "data/size.json": b"2"}
    assert rig.render(scene(body), assets=assets).report.frames == 2
    error = rig.render(scene(body), assets={**assets, "data/size.json": b'"two"'}).error
    assert (error.exception, error.file, error.line) == ("UFuncTypeError", "shapes.py", 2)


def test_nothing_of_it_is_in_the_next_render(rig: Rig) -> None:
    body = (
        "import os\nprint(sorted(os.listdir()), os.listdir('/tmp/arrived') if os.path.exists('/tmp/arrived') else [])"
    )
    with_them = rig.render(scene(f"{body}\nself.wait(0.1)"), assets={"a.txt": b"a", "b/c.txt": b"c"})
    without = rig.render(scene(f"{body}\nself.wait(0.1)"))
    assert with_them.printed == ["['a.txt', 'b', 'scene.py'] []"]
    assert without.printed == ["['scene.py'] []"]


def test_many_large_ones_arrive_whole(rig: Rig) -> None:
    body = (
        "import hashlib, pathlib\n"
        "print([hashlib.sha256(path.read_bytes()).hexdigest()[:8] for path in sorted(pathlib.Path('d').iterdir())])\n"
        "self.wait(0.1)"
    )
    assets = {f"d/{number}.txt": bytes([65 + number]) * (3_000_001 + number) for number in range(8)}
    outcome = rig.render(scene(body), assets=assets)
    assert outcome.printed == [str([hashlib.sha256(content).hexdigest()[:8] for content in assets.values()])]


def test_a_scene_that_reads_nothing_has_them_all_the_same(rig: Rig) -> None:
    """The dry run is given them too, for every scene."""
    assets = {"seconds.json": b"0.5"}
    code = "import json\n" + "".join(
        f"class {name}(Scene):\n    def construct(self):\n        self.wait(json.load(open('seconds.json')))\n"
        for name in ("One", "Two")
    )
    spec = RenderSpec.model_validate({"code": code, "assets": [use_of("seconds.json", b"0.5")], **SMALL})
    with attachments(assets) as attached:
        inspection = rig.run(rig.executor.inspect(spec, timeout=PATIENCE, attached=attached))
    assert [(report.scene, report.frames, report.error) for report in inspection.reports] == [
        ("One", 5, None),
        ("Two", 5, None),
    ]


def test_a_project(rig: Rig) -> None:
    project = archive(
        {
            "scenes/__init__.py": "",
            "scenes/intro.py": "from lib.shapes import ring\nclass Intro(Scene):\n    def construct(self):\n"
            "        self.add(ring(), Text('AAA', font='Manimcast Sample'), ImageMobject('art/logo.png'))\n"
            "        self.wait(0.2)\n",
            "lib/shapes.py": "def ring():\n    return Circle(PARAMS['radius'])\n",
            "art/logo.png": picture("PNG"),
            "art/font.ttf": font(),
        }
    )
    outcome = rig.render("from scenes.intro import *", assets={"project.zip": project}, params={"radius": 2})
    assert (outcome.report.scene, outcome.report.frames, outcome.report.warnings) == ("Intro", 2, ())
    error = rig.render("from scenes.intro import *", assets={"project.zip": project}).error
    assert (error.exception, error.file, error.line) == ("KeyError", "lib/shapes.py", 2)
    error = rig.render("pass", assets={"project.zip": project}, files={"LIB/shapes.py": ""}).error
    same = "'LIB/shapes.py' in files and 'lib/shapes.py' in the archive project.zip are the same name, but for capitals"
    assert error.message == f"The files do not go together: {same}."


P, Q, BOTH = "the archive p.zip", "the archive q.zip", "The files do not go together:"


@pytest.mark.parametrize(
    ("assets", "files", "said"),
    [
        ({"p.zip": {"a.txt": "p"}, "q.zip": {"a.txt": "q"}}, {}, f"'a.txt' is there twice: in {P} and in {Q}."),
        ({"p.zip": {"a.txt": "p"}, "a.txt": b"a"}, {}, f"'a.txt' is there twice: in {P} and in assets."),
        ({"a.txt": b"a", "p.zip": {"a.txt": "p"}}, {}, f"'a.txt' is there twice: in assets and in {P}."),
        ({"p.zip": {"a.txt": "p"}}, {"a.txt": "f"}, f"'a.txt' is there twice: in files and in {P}."),
        ({"p.zip": {"a.txt": "p"}, "a.txt/b.txt": b"a"}, {}, f"'a.txt' is a file in {P} and a folder in assets."),
        ({"a.txt": b"a", "p.zip": {"a.txt/b.txt": "p"}}, {}, f"'a.txt' is a file in assets and a folder in {P}."),
        ({"p.zip": {"a.txt": "p"}}, {"a.txt/b": "f"}, f"'a.txt' is a file in {P} and a folder in files."),
        ({"p.zip": {"a.txt": "p"}, "A.txt": b"a"}, {}, f"'a.txt' in {P} and 'A.txt' in assets are the same name, "),
        ({"p.zip": {"a/b": "p"}, "q.zip": {"A/c": "q"}}, {}, f"'a' in {P} and 'A' in {Q} are the same folder, "),
    ],
)
def test_what_cannot_lie_together_is_named_with_what_brings_it(
    rig: Rig, assets: dict[str, Any], files: dict[str, str], said: str
) -> None:
    content = {name: archive(one) if isinstance(one, dict) else one for name, one in assets.items()}
    error = rig.render(scene("self.wait()"), assets=content, files=files).error
    assert error.code is ErrorCode.exception
    assert error.message.startswith(f"{BOTH} {said}")


def test_archives_and_others_side_by_side(rig: Rig) -> None:
    assets = {"p.zip": archive({"a/b.txt": "p"}), "a/c.txt": b"c", "a/q.zip": archive({"d.txt": "q", "e/f.txt": "f"})}
    body = "from pathlib import Path\nprint(sorted(map(str, Path('a').rglob('*.txt'))))\nself.wait(0.1)"
    outcome = rig.render(scene(body), assets=assets)
    assert outcome.printed == ["['a/b.txt', 'a/c.txt', 'a/d.txt', 'a/e/f.txt']"]


def test_an_archive_that_is_refused_ends_the_render(rig: Rig) -> None:
    error = rig.render(scene("self.wait()"), assets={"a.zip": archive({"../out.txt": "x"})}).error
    assert error.code is ErrorCode.exception
    assert error.message.startswith("The archive a.zip cannot be unpacked: '../out.txt' cannot be the name of a file")
