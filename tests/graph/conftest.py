"""A small table for tests of the graph."""

from __future__ import annotations

import awkward as ak
import pytest

import hep_tables_coffea as ht


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("graph") / "table.parquet"
    columns = {"met": ak.Array([1.0]), "jets_pt": ak.Array([[1.0, 2.0]]), "jets_eta": ak.Array([[0.0, 1.0]])}
    ak.to_parquet(ak.zip(columns | {"el_pt": ak.Array([[3.0]])}, depth_limit=1), file)
    return str(file)


@pytest.fixture
def d(path: str) -> ht.Array:
    return ht.flat(path)
