"""Fill a folder with typeset TeX, for renders to use instead of running LaTeX (:mod:`manimcast.engine.prepared`).

Run as ``python -m manimcast.engine.prepare FOLDER [GROUP ...]``, by whoever runs the service, never by a render. An
interrupted run goes on where it stopped. Processes of their own typeset, in an environment made from nothing as
renders have it, so that nobody's TeX or Manim configuration gets in; this one writes the folder.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from manimcast.engine.prepared import MANIFEST, TOOLS, VERSIONS, Manifest, Prepared, digest_of, file_of, key, read_svgs

UNFINISHED = "manifest.unfinished.json"
TELL_SECONDS = 2.0

Task = tuple[str, int]
"""Something to typeset: its group, and its place there."""


class PrepareError(Exception):
    """The folder cannot be filled. The message says why."""


def prepare(folder: Path, groups: Sequence[str], jobs: int, tell: Callable[[str], object]) -> int:
    """Typeset ``groups`` of the common expressions, or all, into ``folder``; return how many documents it holds then.

    ``jobs`` processes work at it; ``tell`` hears how far they are.

    Raises :class:`PrepareError`, :class:`OSError` or :class:`BrokenProcessPool`. What was typeset until then is kept
    for the next run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    with _alone_in(folder), tempfile.TemporaryDirectory(prefix="manimcast-prepare-") as scratch:
        with _pool(1, scratch, {}) as pool:
            versions, inputs, tasks = pool.submit(_survey, list(groups)).result()
        manifest, svgs = _kept(folder, versions, inputs)
        with _pool(jobs, scratch, svgs) as pool:
            manifest = _typeset(pool, folder, manifest, tasks, tell)
        _write(folder / MANIFEST, manifest.model_dump_json(indent=1).encode())
        _tidy(folder, manifest)
    return len(manifest.svgs)


def _typeset(
    pool: ProcessPoolExecutor, folder: Path, manifest: Manifest, tasks: list[Task], tell: Callable[[str], object]
) -> Manifest:
    """Have all ``tasks`` done, and write what is new as it comes."""
    futures = [pool.submit(_make, *task) for task in tasks]
    digests = dict(manifest.svgs)
    began = told = time.monotonic()
    for done, future in enumerate(futures, start=1):
        fresh = {name: svg for name, svg in future.result().items() if name not in digests}
        for name, svg in fresh.items():
            digests[name] = hashlib.sha256(svg).hexdigest()
            _write(file_of(folder, digests[name]), svg)
        manifest = manifest.model_copy(update={"svgs": dict(digests)})
        if fresh:
            _write(folder / UNFINISHED, manifest.model_dump_json().encode())
        now = time.monotonic()
        if now - told > TELL_SECONDS or done == len(futures):
            told = now
            tell(f"{done} of {len(futures)} done, {len(digests)} documents, {now - began:.0f} s\n")
    return manifest


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder for this run."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise PrepareError(f"Another run is filling {folder}.") from None
    finally:
        os.close(descriptor)


@contextmanager
def _pool(jobs: int, scratch: str, svgs: dict[str, bytes]) -> Iterator[ProcessPoolExecutor]:
    """Processes that typeset; when something fails, what they have not begun is dropped."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, spawn, _begin, (scratch, svgs)) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _kept(folder: Path, versions: dict[str, str], inputs: dict[str, str]) -> tuple[Manifest, dict[str, bytes]]:
    """Return what former runs made with the same versions, as far as it is whole."""
    digests: dict[str, str] = {}
    svgs: dict[str, bytes] = {}
    for name in (MANIFEST, UNFINISHED):
        try:
            found = Manifest.model_validate_json((folder / name).read_bytes())
        except (FileNotFoundError, ValidationError):
            continue
        if (found.versions, found.inputs) == (versions, inputs):
            svgs |= read_svgs(folder, found.svgs)
            digests |= {name: digest for name, digest in found.svgs.items() if name in svgs}
    return Manifest(versions=versions, inputs=inputs, svgs=digests), svgs


def _write(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, for everyone to read and nobody to write."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.write_bytes(content)
    fresh.chmod(0o444)
    fresh.replace(path)


def _tidy(folder: Path, manifest: Manifest) -> None:
    """Remove what other versions and interrupted runs left."""
    wanted = {file_of(folder, digest).name for digest in manifest.svgs.values()}
    for path in folder.iterdir():
        if path.name == UNFINISHED or path.suffix == ".new" or (path.suffix == ".svg" and path.name not in wanted):
            path.unlink()


# What follows runs in the processes that typeset.

_made: dict[str, bytes] = {}


def _begin(scratch: str, svgs: dict[str, bytes]) -> None:
    """Be a process that typesets: import Manim in an environment made from nothing, and note what it makes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that writes
    own = tempfile.mkdtemp(dir=scratch)
    os.chdir(own)
    path = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")
    os.environ.clear()
    os.environ.update(
        {"HOME": own, "LANG": "C.UTF-8", "PATH": path, "TEXMFOUTPUT": own, "TEXMFVAR": f"{own}/texmf-var"}
    )
    from manim import config  # noqa: PLC0415  only here, after the environment is made
    from manim.mobject.text import tex_mobject  # noqa: PLC0415

    from manimcast.engine.patches import tex  # noqa: PLC0415

    config.media_dir = own
    config.tex_dir = f"{own}/Tex"
    config.verbosity = "ERROR"
    tex.install()
    tex.use_prepared(Prepared(svgs))
    typeset = tex_mobject.tex_to_svg_file  # type: ignore[attr-defined]

    def noted(expression: str, environment: str | None = None, tex_template: Any = None) -> Path:
        template = config["tex_template"] if tex_template is None else tex_template
        svg_file = typeset(expression, environment, tex_template)
        source = svg_file.with_suffix(".tex").read_bytes()
        _made[key(source, template.tex_compiler, template.output_format)] = svg_file.read_bytes()
        return svg_file

    tex_mobject.tex_to_svg_file = noted  # type: ignore[attr-defined]


def _survey(wanted: list[str]) -> tuple[dict[str, str], dict[str, str], list[Task]]:
    """Return the versions of the tools, the files that LaTeX reads, and what is to be done."""
    from manimcast.engine.common_tex import groups  # noqa: PLC0415
    from manimcast.engine.fingerprint import fingerprint  # noqa: PLC0415

    known = groups()
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise PrepareError(f"There is no group {', '.join(unknown)}. Groups: {', '.join(known)}.")
    versions = {name: fingerprint()[name] for name in VERSIONS}
    missing = [name for name in TOOLS if versions[name] == "none"]
    if missing:
        raise PrepareError(f"Not installed here, or not on the PATH: {', '.join(missing)}.")
    tasks = [(group, index) for group in wanted or known for index in range(len(known[group]))]
    return versions, _inputs(), tasks


def _inputs() -> dict[str, str]:
    """Return the installed files that LaTeX reads for a formula in Manim's own template, with their SHA-256."""
    from manim import TexTemplate  # noqa: PLC0415

    source = TexTemplate().get_texcode_for_expression_in_env("x", "align*")
    Path("inputs.tex").write_text(source, encoding="utf-8")
    command = ["latex", "-recorder", "-interaction=batchmode", "-halt-on-error", "inputs.tex"]
    if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode != 0:
        log = Path("inputs.log")
        problems = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("!")]
        raise PrepareError(f"LaTeX cannot typeset x in Manim's template: {' '.join(problems) or 'it does not say why'}")
    lines = Path("inputs.fls").read_text(encoding="utf-8").splitlines()
    paths = sorted({line.removeprefix("INPUT ") for line in lines if line.startswith("INPUT /")})
    digests = {path: digest_of(Path(path)) for path in paths if Path(path).is_file()}
    return {path: digest for path, digest in digests.items() if digest is not None}


def _make(group: str, index: int) -> dict[str, bytes]:
    """Make one thing and return every document that it took, by key, with its SVG."""
    from manim.mobject.text import numbers  # noqa: PLC0415

    from manimcast.engine.common_tex import groups  # noqa: PLC0415

    # Counters keep their characters by text alone, whichever class made them first; each starts anew, as in a render.
    numbers.string_to_mob_map.clear()
    _made.clear()
    name, make = groups()[group][index]
    try:
        make()
    except Exception as error:
        raise PrepareError(f"{name}: {type(error).__name__}: {error}") from error
    return dict(_made)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m manimcast.engine.prepare",
        description="Typeset common TeX into a folder, for renders to use instead of running LaTeX.",
    )
    parser.add_argument("folder", type=Path, help="where to put it; made when it is not there")
    parser.add_argument("group", nargs="*", help="what to prepare; default: everything")
    parser.add_argument(
        "--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes at once; default: one per core"
    )
    chosen = parser.parse_args(arguments)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        count = prepare(chosen.folder.absolute(), chosen.group, chosen.jobs, sys.stdout.write)
    except (PrepareError, BrokenProcessPool, OSError) as error:
        sys.stderr.write(f"Cannot prepare TeX: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; the next run goes on from here.\n")
        return 130
    sys.stdout.write(f"{chosen.folder} holds {count} documents. Point PREPARED_TEX at it.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
