"""Files that several tests read."""

from __future__ import annotations

import pytest
import uproot

from hep_tables_coffea import samples


@pytest.fixture(scope="session")
def nano_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return samples.nanoaod(tmp_path_factory.mktemp("samples") / "zll.root", events=20_000, cluster=8_000)


@pytest.fixture(scope="session")
def nano(nano_path: str):
    """The tree `Events` of 20000 events."""
    return uproot.open(nano_path)["Events"]


@pytest.fixture(scope="session")
def top(tmp_path_factory: pytest.TempPathFactory):
    """The tree `Events` of 5000 top pairs."""
    path = samples.nanoaod(tmp_path_factory.mktemp("samples") / "ttbar.root", events=5_000, process="ttbar")
    return uproot.open(path)["Events"]


@pytest.fixture(scope="session")
def lite_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return samples.physlite(tmp_path_factory.mktemp("samples") / "lite.root", events=6_000)


@pytest.fixture(scope="session")
def lite(lite_path: str):
    """The tree `CollectionTree` of 6000 events."""
    return uproot.open(lite_path)["CollectionTree"]
