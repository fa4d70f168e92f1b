"""The benchmark runs from end to end, against a real server process; how long it takes is nobody's business here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from manimcast.engine.native import library


@pytest.mark.full
def test_one_small_benchmark_runs_and_keeps_its_raw_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--scenes", "circle", "--repeat", "2", "--results", str(tmp_path)]) == 0
    (path,) = tmp_path.glob("*.json")
    result = json.loads(path.read_text())
    assert sorted((run["round"], run["way"]) for run in result["runs"]) == [
        (number, way) for number in (0, 1) for way in ("cold", "stock", "warm")
    ]
    assert {run["frames"] for run in result["runs"]} == {15}
    assert all(run["seconds"] > 0 for run in result["runs"])
    assert result["machine"]["packages"]["manim"] == "0.22.0"
    assert "| circle" in capsys.readouterr().out


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
