"""The documents about Modal are true of the code: commands, settings, log lines, error texts, figures.

Every command in a fenced ``sh`` block of MODAL_DEPLOYMENT.md and INTEGRATION_SUMMARY.md is run by a test, which is
named here, or carries the comment ``# needs a Modal account``.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from manimcast.cli.main import app
from manimcast.executors.price import Rate
from manimcast.settings import Settings
from tests.docs.pages import DOCS, ROOT, code, name, prose
from tests.docs.test_settings import default

GUIDE = ROOT / "MODAL_DEPLOYMENT.md"
SUMMARY = ROOT / "INTEGRATION_SUMMARY.md"
INTERNALS = DOCS / "internals" / "modal.md"
MIGRATE = DOCS / "how-to" / "migrate.md"
PAGES = (GUIDE, SUMMARY, INTERNALS, MIGRATE)

MARK = "# needs a Modal account"
RUN = "tests/docs/test_modal_commands.py"
EXERCISED = {
    "python3 -m venv .venv": f"{RUN}::test_a_host_that_only_serves",
    ". .venv/bin/activate": f"{RUN}::test_a_host_that_only_serves",
    "pip install -r requirements.txt": f"{RUN}::test_a_host_that_only_serves",
    "pip install --no-deps --editable .": f"{RUN}::test_a_host_that_only_serves",
    "./dev setup": f"{RUN}::test_set_up_says_that_everything_is_there",
    "manimcast deploy": f"{RUN}::test_deploy_and_look",
    "manimcast modal health": f"{RUN}::test_deploy_and_look",
    "python api/modal_manim.py": f"{RUN}::test_deploy_and_look",
    "modal app list": f"{RUN}::test_deploy_and_look",
    "modal app logs manim-renderer-api": f"{RUN}::test_deploy_and_look",
    "modal run api/modal_manim.py": f"{RUN}::test_run_without_a_deploy",
    "MODAL_MEMORY=8192 manimcast deploy": f"{RUN}::test_roll_back",
    "modal app history manim-renderer-api": f"{RUN}::test_roll_back",
    "modal app rollback manim-renderer-api": f"{RUN}::test_roll_back",
    "modal environment create staging": f"{RUN}::test_environments",
    "manimcast deploy --env staging": f"{RUN}::test_environments",
    "manimcast modal health --env staging": f"{RUN}::test_environments",
    "MODAL_ENVIRONMENT=staging USE_MODAL=true python run.py": f"{RUN}::test_environments",
    "modal environment create preview-42": f"{RUN}::test_environments",
    "manimcast deploy --env preview-42": f"{RUN}::test_environments",
    "modal environment delete preview-42 --yes": f"{RUN}::test_environments",
    "USE_MODAL=true python run.py": f"{RUN}::test_the_service_on_modal_and_off_it",
    "USE_MODAL=false python run.py": f"{RUN}::test_the_service_on_modal_and_off_it",
    "curl -s http://127.0.0.1:8080/v1/health": "tests/e2e/test_requests.py::test_health_tells_what_it_can_do",
    "modal app stop manim-renderer-api --yes": f"{RUN}::test_stop_the_app",
}
"""Each command that is not marked, and the test that runs it."""


def commands(page: Path) -> list[tuple[str, bool]]:
    """The commands in the ``sh`` blocks of ``page``, and whether each needs an account."""
    lines = [line for block in code(page, "sh") for line in block.splitlines() if line.strip()]
    return [(line.partition(" #")[0].strip(), MARK in line) for line in lines]


def spans(page: Path) -> list[str]:
    """The inline code of ``page``."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def test_every_command_is_run_by_a_test_or_marked() -> None:
    found = commands(GUIDE) + commands(SUMMARY)
    assert len(found) > 20
    unmarked = {command for command, marked in found if not marked}
    assert unmarked == set(EXERCISED), "the documents and EXERCISED have to name the same commands"
    assert not unmarked & {command for command, marked in found if marked}, "marked in one place and not in another"


@pytest.mark.parametrize("command", EXERCISED)
def test_the_test_that_runs_a_command_exists(command: str) -> None:
    path, _, function = EXERCISED[command].partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    body = next((one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == function), None)
    assert body is not None, f"{EXERCISED[command]} is not there"
    if path == RUN:
        assert command in {one.value for one in ast.walk(body) if isinstance(one, ast.Constant)}


def option_problem(words: list[str]) -> str | None:
    """Say what is wrong with a command line of `modal` or `manimcast`, as far as their own parsers can tell."""
    if words[0] == "modal":
        group: Any = importlib.import_module("modal.cli.entry_point").entrypoint_cli
    else:
        group = typer.main.get_command(app)
    rest, known = words[1:], {"--help", "-h", "--version"}
    while hasattr(group, "get_command"):
        known |= {option for parameter in group.params for option in parameter.opts + parameter.secondary_opts}
        if not rest or rest[0] == "..." or group.name == "run":
            break
        found = group.get_command(click.Context(group), rest[0])
        if found is None:
            return f"there is no {' '.join(words[: len(words) - len(rest) + 1])}"
        group, rest = found, rest[1:]
    known |= {option for parameter in group.params for option in parameter.opts + parameter.secondary_opts}
    unknown = [word for word in rest if word.startswith("-") and word not in known]
    return f"{' '.join(words)} has no option {unknown}" if unknown else None


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=name)
def test_commands_and_their_options_exist(page: Path) -> None:
    said = [command for command, _ in commands(page)] + spans(page)
    problems, checked = [], 0
    for command in said:
        words = re.sub(r"^([A-Z_]+=\S+ )+", "", command).replace(".venv/bin/", "").split()
        if not words or (len(words) == 1 and page is not GUIDE):
            continue
        match words[0]:
            case "modal" | "manimcast":
                checked += 1
                problem = option_problem(words)
                if problem:
                    problems.append(problem)
            case "./dev":
                checked += 1
                if not re.search(rf"^{words[1]}\)", (ROOT / "dev").read_text(encoding="utf-8"), re.MULTILINE):
                    problems.append(f"./dev has no verb {words[1]}")
    assert not problems
    assert checked or page is INTERNALS


def test_a_wrong_command_would_be_noticed() -> None:
    assert option_problem(["modal", "app", "rollbak", "x"])
    assert option_problem(["modal", "app", "stop", "x", "--certainly"])
    assert option_problem(["manimcast", "deploy", "--environment", "x"])
    assert option_problem(["manimcast", "modal", "helth"])
    assert option_problem(["modal", "app", "rollback", "manim-renderer-api", "v3"]) is None


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_settings_exist_and_have_the_defaults_that_are_told(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    foreign = {"USE_LOCAL_STORAGE", "MODAL_SERVER_URL"} | set(re.findall(r"S3_[A-Z_]*", text))
    named = set(re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b(?!\.md)", text)) - foreign
    unknown = [one for one in sorted(named) if one.lower() not in Settings.model_fields]
    assert not unknown
    told = re.findall(r"`([A-Z_]+)` \((\d[\d.]*)\)", text)
    told += re.findall(r"`([A-Z_]+)`,? (\d[\d.]*)(?= MiB| s\b|, )", text)
    for setting, value in told:
        field = Settings.model_fields[setting.lower()]
        assert default(field) == value, f"{setting} is told to be {value}"
    assert told or page not in {GUIDE, INTERNALS}


@cache
def strings() -> str:
    """Every string of the package, in small letters and without what is formatted in."""
    found = []
    for path in sorted((ROOT / "manimcast").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.JoinedStr(values=values):
                    parts = [str(one.value) if isinstance(one, ast.Constant) else "" for one in values]
                    found.append("".join(parts))
                case ast.Constant(value=str(value)):
                    found.append(re.sub(r"%(\.\d)?[sdf]", "", value))
    return "\n".join(found).lower()


def is_said(text: str) -> bool:
    """Whether the package has a message such as ``text``, in which ``...``, ``<...>`` and figures stand for others."""
    parts = re.split(r"\.\.\.|<[\w ]+>|\d[\d.]*|manim-renderer-api", text.lower())
    return all(part.strip(" .;") in strings() for part in parts if len(part.strip(" .;")) > 2)


LOG = re.compile(r"^\[(?:INFO|WARNING|ERROR|MODAL)\] (.+)$", re.MULTILINE)


@pytest.mark.parametrize("page", [GUIDE, SUMMARY], ids=name)
def test_log_lines_are_those_of_the_code(page: Path) -> None:
    lines = LOG.findall(page.read_text(encoding="utf-8").replace("`", "\n"))
    assert len(lines) >= 5
    for line in lines:
        for sentence in re.split(r"(?<=\.) (?=Falling)", line):
            general = re.sub(r"^Modal failed: |http://\S+", "...", sentence).replace("back to local", "back to ...")
            assert is_said(general), line


def test_error_texts_are_those_of_the_code() -> None:
    _, _, text = GUIDE.read_text(encoding="utf-8").partition("\n## Troubleshooting\n")
    foreign = {"Function has not been hydrated", "Video file not found", "Failed to upload to S3"}
    headings = [
        said for line in re.findall(r"^### (.+)$", text, re.MULTILINE) for said in re.findall("`([^`]+)`", line)
    ]
    reasons = re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)
    quoted = re.findall(r"^`([^`]+)`: ", text, re.MULTILINE)
    assert foreign < set(headings)
    assert len(headings) > 10
    assert len(reasons) > 6
    for said in [*headings, *reasons, *quoted]:
        assert said in foreign or is_said(said), said
    assert not is_said("Modal did not feel like it within 5 s")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_paths_exist(page: Path) -> None:
    paths = [
        span for span in spans(page) if re.fullmatch(r"(manimcast|tests|api|docs|executors|sandbox)/[\w./-]+", span)
    ]
    missing = [path for path in paths if not (ROOT / path).exists() and not (ROOT / "manimcast" / path).exists()]
    assert not missing
    home = ROOT / "manimcast" / "executors" / "modal"
    modules = re.findall(r"`(\w+\.py)`", page.read_text(encoding="utf-8")) if page in {SUMMARY, INTERNALS} else []
    lost = [one for one in modules if not (home / one).exists() and one != "faults.py"]
    assert not lost
    if page is SUMMARY:
        assert {path.name for path in home.glob("*.py")} - {"__init__.py"} <= set(modules)


def test_functions_are_as_described() -> None:
    tree = ast.parse((ROOT / "manimcast/executors/modal/app.py").read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list}
    text = SUMMARY.read_text(encoding="utf-8")
    assert set(functions) == set(re.findall(r"^\| `(\w+)\(", text, re.MULTILINE))
    arguments = re.search(r"^\| `compile_manim_animation\(([^)]*)\)` .*\| `\{([^}]*)\}`", text, re.MULTILINE)
    assert arguments is not None
    spec = functions["compile_manim_animation"].args
    defaults = [None] * (len(spec.args) - len(spec.defaults)) + [ast.literal_eval(each) for each in spec.defaults]
    told = [part.strip().partition("=") for part in arguments[1].split(",")]
    assert [one[0] for one in told] == [*(one.arg for one in spec.args), f"**{spec.kwarg.arg if spec.kwarg else ''}"]
    assert [ast.literal_eval(one[2]) for one in told[1:-1]] == defaults[1:]
    from manimcast.executors.modal.plain import _answer  # noqa: PLC0415  it is what is compared

    assert {field.strip() for field in arguments[2].split(",")} == set(_answer(0.0))


def test_figures_follow_from_the_price_settings() -> None:
    settings = Settings(_env_file=None)
    rate = Rate(
        cores=settings.modal_cores,
        gib=settings.modal_memory / 1024,
        usd_core_second=settings.modal_price_core_second,
        usd_gib_second=settings.modal_price_gib_second,
    )
    text = GUIDE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| ([\d,]+) \| \$([\d.,]+) \|$", text, re.MULTILINE)
    assert len(rows) >= 6
    for seconds, told in rows:
        places = len(told.partition(".")[2])
        assert f"{rate.estimate(float(seconds.replace(',', ''))).usd_estimate:.{places}f}" == told, seconds
    second = rate.estimate(1).usd_estimate
    assert f"a second is ${second:.8f}" in text
    assert f"at ${settings.modal_price_core_second:.7f}" in text
    assert f"at ${settings.modal_price_gib_second:.8f}" in text
    assert (
        f"{settings.modal_max_containers} containers are ${second * settings.modal_max_containers * 3600:.2f}" in text
    )
    assert f"{30 * 24 * 3600 // 10:,} ten-second clips" in text


@pytest.mark.parametrize(
    ("page", "module", "constant", "said"),
    [
        (GUIDE, "modal.protocol", "HEADROOM", "less {} MiB"),
        (GUIDE, "modal.protocol", "MARGIN", "`MODAL_TIMEOUT` less {} s"),
        (INTERNALS, "modal.protocol", "MARGIN", "at most `MODAL_TIMEOUT` less {} s"),
        (INTERNALS, "modal.protocol", "ALIVE_SECONDS", "nothing else for {:g} s"),
        (INTERNALS, "modal.calls", "TRANSFER_SECONDS", "{:g} s for the files"),
        (INTERNALS, "modal.calls", "CANCEL_SECONDS", "up to {:g} s"),
        (INTERNALS, "modal.remote", "WAITING_ITEMS", "a queue of {}"),
    ],
)
def test_numbers_are_those_of_the_code(page: Path, module: str, constant: str, said: str) -> None:
    value = getattr(importlib.import_module(f"manimcast.executors.{module}"), constant)
    assert said.format(value) in " ".join(page.read_text(encoding="utf-8").split())


def test_what_is_told_of_the_image_is_in_it() -> None:
    from manimcast.executors.modal import image  # noqa: PLC0415  imports Modal's client

    text = GUIDE.read_text(encoding="utf-8")
    for font, package in {
        "DejaVu": "fonts-dejavu",
        "Liberation": "fonts-liberation",
        "CJK": "fonts-noto-cjk",
        "Noto": "fonts-noto-core",
        "Roboto": "fonts-roboto",
        "Open Sans": "fonts-open-sans",
    }.items():
        assert font in text
        assert package in image.FONTS
    assert image.USER == "scene"
    source = inspect.getsource(importlib.import_module("manimcast.executors.modal.app"))
    for promise in ("block_network", "restrict_modal_access", "single_use_containers"):
        assert f"`{promise}=True`" in text
        assert re.search(rf'"?{promise}"?[:=] ?True', source)
