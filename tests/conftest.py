"""Fixtures of all tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("HT_TEST_DATA", ROOT.parent / "shared" / "data"))

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
