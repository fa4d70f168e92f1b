"""What holds for every test: where temporary files go, and that no verdict depends on speed; shared fixtures."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import hypothesis
import pytest

from tests.buckets import BucketServer, Proxy, nanio, proxy

# The same examples each time, and none is too slow: Hypothesis's own profile for continuous integration.
hypothesis.settings.load_profile("ci")

FOLDER = "manimcast-tests-"
IN_USE = ".in-use"
"""A file in that folder, locked for as long as the tests run that it is of."""


@pytest.fixture(scope="session", autouse=True)
def _temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have temporary files of this process, and of all that it starts, in one folder that is gone at the end.

    Whoever is killed leaves such files behind, and some tests kill; tests that are killed themselves leave the folder
    to the next ones to remove. What pytest itself keeps of a failed test (``tmp_path``) is elsewhere, and stays.
    """
    tmp_path_factory.getbasetemp()  # is made where it always is
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=FOLDER))
    folder.chmod(0o1777)  # as /tmp: what runs as another user has its files here too
    with pytest.MonkeyPatch.context() as patch, (folder / IN_USE).open("w") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)
        yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[BucketServer]:
    """A server with an empty bucket."""
    with nanio(tmp_path / "nanio") as running:
        yield running


@pytest.fixture
def way(bucket: BucketServer) -> Iterator[Proxy]:
    """What stands between the service and that server, and makes trouble when told to."""
    with proxy(bucket.address) as running:
        yield running


def _sweep() -> None:
    """Remove what earlier tests have left that were killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        with suppress(OSError), (left / IN_USE).open("r+") as mark:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
