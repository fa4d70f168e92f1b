"""The native part answers the same on other processors, as far as that shows on this one.

What differs there: no copies of functions for vector instructions, ``char`` without a sign, and a multiplication that
compilers fuse with an addition unless they are told not to. docs/internals/native.md says how arm64 itself was tried.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
import shlex
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest

from manimcast.engine.native import build, library

pytestmark = pytest.mark.skipif(library is None, reason="the native part is not compiled")

Plane = npt.NDArray[np.uint8]

FUSES = {"space.c"}
"""Asks for it by name, to compute what BLAS does."""

X86_FUSED = re.compile(r"\tvfn?m(?:add|sub)\w+")


def _compiled(folder: Path, *options: str, flags: tuple[str, ...] = build.FLAGS) -> ModuleType:
    path = build.target(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CC", shlex.join([*build._compiler(), *options]))
        patch.setattr(build, "FLAGS", flags)
        build.compile_to(path)
    name = "manimcast.engine.native._native"
    spec = importlib.util.spec_from_file_location(
        name, path, loader=importlib.machinery.ExtensionFileLoader(name, str(path))
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module is not library
    return module


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The extension as it is compiled where nothing is special, and without a warning."""
    return _compiled(tmp_path_factory.mktemp("native"), "-Werror", "-DBASELINE", "-funsigned-char")


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("size", [(2, 8), (34, 18), (62, 10), (96, 34), (854, 16)], ids=str)
def test_pictures_are_converted_the_same(elsewhere: ModuleType, size: tuple[int, int], exact: bool) -> None:
    width, height = size
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 4), np.uint8)

    def planes(native: ModuleType) -> list[bytes]:
        y, alpha = (np.zeros((height, width), np.uint8) for _ in range(2))
        u, v = (np.zeros((height // 2, width // 2), np.uint8) for _ in range(2))
        argb = np.zeros((height, width, 4), np.uint8)
        native.rgba_to_yuv420(pixels, width, height, 0, height, exact, y, width, u, v, width // 2)
        native.rgba_to_alpha(pixels, width, height, 0, height, alpha, width)
        native.rgba_to_argb(pixels, width, height, 0, height, argb, 4 * width)
        return [plane.tobytes() for plane in (y, u, v, alpha, argb)]

    assert planes(elsewhere) == planes(library)


@pytest.mark.parametrize("number", range(8))
def test_images_are_seen_the_same_in_perspective(elsewhere: ModuleType, number: int) -> None:
    chance = np.random.default_rng(number)
    pixels = chance.integers(0, 256, (19, 23, 4), np.uint8)
    coefficients = (*chance.uniform(-1, 1, 6).tolist(), *chance.uniform(-0.01, 0.01, 2).tolist())

    def seen(native: ModuleType) -> bytes:
        out = np.empty((31, 37, 4), np.uint8)
        native.perspective(pixels, 23, 19, coefficients, -7, -5, 37, 31, out)
        return out.tobytes()

    assert any(seen(library))
    assert seen(elsewhere) == seen(library)


@pytest.mark.parametrize("way", range(24))
def test_points_are_projected_the_same(elsewhere: ModuleType, way: int) -> None:
    a, b = np.random.default_rng(way).normal(size=(2, 500, 3))
    assert elsewhere.dots(way, a, b) == library.dots(way, a, b)


def _pictures(kind: str, height: int, width: int) -> Iterator[Plane]:
    """Yield pictures, Y above U and V beside each other; the last but one is the same as the one before."""
    rows, columns = np.mgrid[0 : height * 3 // 2, 0:width]
    ramp = ((columns // 3 + rows // 2) % 200 + 20).astype(np.uint8)
    yield ramp
    for number in (1, 2, 3, 3, 1):
        if kind == "noise":
            yield np.random.default_rng(number).integers(0, 256, ramp.shape, np.uint8)
        elif kind == "moves":
            yield np.roll(ramp, (-5 * number, 7 * number), (0, 1))
        else:
            turned = columns * (100 - number) + rows * 7 * number
            yield np.where(turned // 400 % 3 == 0, 220, 30).astype(np.uint8)


@pytest.mark.parametrize("qp", [20, 30, 37, 51])
@pytest.mark.parametrize("transform8", [False, True])
@pytest.mark.parametrize("kind", ["noise", "moves", "lines"])
def test_pictures_are_coded_the_same(elsewhere: ModuleType, kind: str, transform8: bool, qp: int) -> None:
    width, height = 96, 64

    def coded(native: ModuleType) -> list[bytes]:
        coder, answers = native.h264_coder(width, height), list[bytes]()
        for number, picture in enumerate(_pictures(kind, height, width)):
            chroma = picture[height:, : width // 2].copy(), picture[height:, width // 2 :].copy()
            planes = picture[:height], width, chroma[0], width // 2, chroma[1], width // 2
            native.h264_changes(coder, *planes, 0, height)
            if number == 0:
                native.h264_begin(coder, -2, 3, transform8, *planes)
                continue
            answers.append(native.h264_code(coder, b"\x61\x9a", min(number, 3), 3, qp, max(qp - 4, 0), 2))
            answers.append(native.h264_reconstructed(coder))
        return answers

    assert coded(elsewhere) == coded(library)


def test_gradients_are_pixmans(elsewhere: ModuleType) -> None:
    """It compares a few hundred with pixman's before it lays any."""
    assert elsewhere.gradients(True)
    assert library.gradients(True)


@pytest.mark.skipif("fma" not in Path("/proc/cpuinfo").read_text().split(), reason="needs fused instructions")
def test_gradients_are_left_to_pixman_where_a_compiler_rounded_otherwise(tmp_path: Path) -> None:
    """As on arm64, where it is pixman that was compiled so. Here it is ours, which is as good."""
    fused = tuple("-ffp-contract=fast" if flag == "-ffp-contract=off" else flag for flag in build.FLAGS)
    assert not _compiled(tmp_path, "-DBASELINE", "-mfma", flags=fused).gradients(True)
    assert library.gradients(True)


@pytest.mark.skipif("x86_64" not in sysconfig.get_platform(), reason="asks for x86's fused instructions")
def test_no_multiplication_is_fused_with_an_addition(tmp_path: Path) -> None:
    """Where the processor can, as every arm64, compilers do so by themselves; the result has another last bit."""
    sources = [path for path in build.sources() if "double" in path.read_text() and path.name not in FUSES]

    def fused(*flags: str) -> int:
        found = 0
        for source in sources:
            include = f"-I{sysconfig.get_path('include')}"
            command = [*build._compiler(), *build.FLAGS, "-mfma", *flags, include, '-DSOURCES="x"', "-S", str(source)]
            subprocess.run([*command, "-o", str(tmp_path / "out.s")], check=True, capture_output=True)
            found += len(X86_FUSED.findall((tmp_path / "out.s").read_text()))
        return found

    assert fused() == 0
    assert fused("-ffp-contract=fast") > 0


@pytest.mark.parametrize("source", build.sources(), ids=lambda path: path.name)
def test_pythons_header_comes_before_those_of_libc(source: Path) -> None:
    """It says which parts of libc are to be declared; outside of the system's folders compilers warn of it as well."""
    command = [*build._compiler(), *build.FLAGS, f"-I{sysconfig.get_path('include')}", "-M", str(source)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    _, _, *included = done.stdout.replace("\\\n", " ").split()
    of_others = [name for name in map(Path, included) if build.HERE not in name.parents and "predef" not in name.name]
    if "Python.h" in {path.name for path in of_others}:
        assert of_others[0].name == "Python.h"
