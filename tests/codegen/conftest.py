"""A small table for tests of generated code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import awkward as ak
import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def d(tmp_path_factory: pytest.TempPathFactory) -> ht.Array:
    """`met`, `flag`, `name` for each event, `jets` with `pt` and `eta`."""
    file: Path = tmp_path_factory.mktemp("small") / "small.parquet"
    columns = {
        "met": ak.Array([10.0, -30.0, 70.0]),
        "flag": ak.Array([True, False, True]),
        "name": ak.Array(["ab", "", "c"]),
        "jets_pt": ak.Array([[50.0, 20.0], [], [31.0]]),
        "jets_eta": ak.Array([[0.5, 1.0], [], [0.2]]),
    }
    ak.to_parquet(ak.zip(columns, depth_limit=1), file)
    return ht.flat(file)
