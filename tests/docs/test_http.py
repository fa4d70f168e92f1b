"""docs/reference/http.md lists every route, docs/reference/errors.md every code of an error."""

from __future__ import annotations

from pathlib import Path

from manimcast.api.app import create_app
from manimcast.api.problems import Problem
from manimcast.settings import Settings
from manimcast.spec import ErrorCode
from tests.docs.pages import REFERENCE


def test_every_route_is_described(tmp_path: Path) -> None:
    paths = create_app(Settings(data_dir=tmp_path)).openapi()["paths"]
    routes = [f"`{method.upper()} {path}`" for path, methods in paths.items() for method in methods]
    assert len(routes) > 5
    page = (REFERENCE / "http.md").read_text(encoding="utf-8")
    missing = [route for route in routes if route not in page]
    assert not missing, f"docs/reference/http.md lacks {missing}"


def test_every_error_is_described() -> None:
    page = (REFERENCE / "errors.md").read_text(encoding="utf-8")
    codes = [code.value for code in ErrorCode] + [problem.type.rsplit(":", 1)[-1] for problem in Problem]
    missing = [code for code in codes if f"`{code}`" not in page]
    assert not missing, f"docs/reference/errors.md lacks {missing}"
