"""Fixtures of all tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("HT_TEST_DATA", ROOT.parent / "shared" / "data"))

#: What a program begins with that cannot import this library, as on a worker that does not have it.
WITHOUT_US = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "hep_tables_coffea":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
"""

# The first example compiles and imports, so a deadline would measure that.
hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if "CI" in os.environ else "default")


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What is kept on disk is kept here, not in the folder of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEP_TABLES_COFFEA_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def data() -> Callable[[str], str]:
    """`data("nano_dy.root")`: the path of a real file. Without it the test is skipped, or fails if HT_REQUIRE_DATA is set."""

    def path(name: str) -> str:
        found = DATA / name
        if not found.exists():
            reason = f"{found} is missing: set HT_TEST_DATA to the folder of the data files"
            if "HT_REQUIRE_DATA" in os.environ:
                pytest.fail(reason)
            pytest.skip(reason)
        return str(found)

    return path


@pytest.fixture
def without_us(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`without_us(program, *args)`: a program is run to its end in the folder of the test, without this library."""

    def run(program: str, *args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", WITHOUT_US + program, *args]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done

    return run


@pytest.fixture
def by_value(tmp_path: Path) -> Callable[[Any], str]:
    """`by_value(task)`: a file with the pickle of a task, and in it what the task needs of this library."""

    def dump(task: Any) -> str:
        import cloudpickle

        import hep_tables_coffea

        cloudpickle.register_pickle_by_value(hep_tables_coffea)
        try:
            (tmp_path / "task").write_bytes(cloudpickle.dumps(task))
        finally:
            cloudpickle.unregister_pickle_by_value(hep_tables_coffea)
        return str(tmp_path / "task")

    return dump
