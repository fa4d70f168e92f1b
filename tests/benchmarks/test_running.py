"""The benchmarks run from end to end, against a real server process; how long it takes is nobody's business here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from manimcast.engine.native import library


@pytest.mark.full
def test_one_small_benchmark_runs_and_keeps_its_raw_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--scenes", "circle", "--quality", "low", "--repeat", "2", "--parts", "pairs", "quality"]
    assert main(["warm", "cold", *small, "--results", str(tmp_path)]) == 0
    (path,) = tmp_path.glob("*.json")
    result = json.loads(path.read_text())
    assert sorted((run["round"], run["way"]) for run in result["runs"]) == [
        (number, way) for number in (0, 1) for way in ("cold", "stock", "warm")
    ]
    assert {run["frames"] for run in result["runs"]} == {15}
    assert all(run["seconds"] > 0 and run["cpu"] > 0 and run["bytes"] > 0 for run in result["runs"])
    assert result["machine"]["packages"]["manim"] == "0.22.0"
    (fidelity,) = result["fidelity"]
    assert 30 < fidelity["stock_psnr"] < 100
    assert 30 < fidelity["psnr"] < 100
    said = capsys.readouterr().out
    assert "| circle" in said
    assert "| typical 2D scenes, 480p15" in said
    assert path.with_suffix(".md").read_text().strip() in said


@pytest.mark.full
def test_a_profile_names_functions_of_manim(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "--class", "short", "--results", str(tmp_path)]) == 0
    assert "manim." in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["short-low.svg", "short-low.txt"]


def test_an_unknown_scene_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--scenes", "nothing"])
    assert stopped.value.code == 2
    assert "invalid choice: 'nothing'" in capsys.readouterr().err


@pytest.mark.skipif(library is None, reason="the extension is not compiled")
def test_the_conversions_benchmark_runs_and_keeps_its_raw_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", "--repeat", "2", "--results", str(tmp_path)]) == 0
    (path,) = tmp_path.glob("convert-*.json")
    runs = json.loads(path.read_text())["runs"]
    assert len({(run["size"], run["round"], run["way"]) for run in runs}) == len(runs) == 4 * 2 * 4
    assert all(run["milliseconds"] > 0 for run in runs)
    assert "| 1080p |" in capsys.readouterr().out
