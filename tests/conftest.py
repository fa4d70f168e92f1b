"""What holds for every test: where temporary files go, and that no verdict depends on how fast this machine is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# The same examples each time, and none is too slow: Hypothesis's own profile for continuous integration.
hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session", autouse=True)
def _temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have temporary files of this process, and of all that it starts, in one folder that is gone at the end.

    Whoever is killed leaves such files behind, and some tests kill. What pytest itself keeps of a failed test
    (``tmp_path``) is elsewhere, and stays.
    """
    tmp_path_factory.getbasetemp()  # is made where it always is
    folder = Path(tempfile.mkdtemp(prefix="manimcast-tests-"))
    folder.chmod(0o1777)  # as /tmp: what runs as another user has its files here too
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)
        yield
    shutil.rmtree(folder, ignore_errors=True)
