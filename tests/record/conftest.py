"""A small table for tests of recording: every kind of column, missing values, empty lists, lists in lists."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest
from coffea.nanoevents.methods import vector

import hep_tables_coffea as ht
from hep_tables_coffea.testing.comparing import type_problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

F, I = np.float32, np.int32

COLUMNS: dict[str, Any] = {
    "met": np.array([10.0, -30.0, 70.0, 5.5], F),
    "w": np.array([1.0, 2.0, 0.5, -1.0]),
    "n": np.array([1, -2, 3, 0], I),
    "u": np.array([1, 2, 255, 0], np.uint8),
    "flag": np.array([True, False, True, True]),
    "big": np.array([2**62, 1, -5, 0]),
    "u64": np.array([2**63, 1, 5, 0], np.uint64),
    "name": ["ab", "", "c d", "é'\"\n"],
    "jets_pt": ak.values_astype(ak.Array([[50.0, 20.0, 35.0], [], [31.0], [5.0, 5.0]]), F),
    "jets_eta": [[0.5, 1.0, -2.6], [], [0.2], [0.0, 1.0]],
    "jets_phi": [[0.5, 3.0, -2.6], [], [0.2], [0.0, 1.0]],
    "jets_mass": [[5.0, 6.0, 7.0], [], [0.2], [0.0, 1.0]],
    "jets_n": ak.values_astype(ak.Array([[1, -2, 3], [], [0], [7, 7]]), I),
    "jets_b": [[True, False, True], [], [False], [True, True]],
    "jets_tag": [["a", "b", ""], [], ["cc"], ["a", "a"]],
    "jets_o": [[1.0, None, 3.0], [], [None], [None, 2.0]],
    "jets_vec": [[[1.0, 2.0], [], [3.0]], [], [[4.0, 5.0, 6.0]], [[], [7.0]]],
    "el_pt": [[40.0, 3.0], [60.0], [], [1.0]],
    "el_eta": [[0.4, 1.3], [0.1], [], [3.0]],
    "el_phi": [[0.0, 1.0], [0.1], [], [0.2]],
    "el_mass": [[0.0, 0.0], [0.1], [], [0.2]],
    "mu_pt": [[4.0], [], [6.0, 7.0], []],
    "mu_eta": [[0.4], [], [0.1, 0.2], []],
    "mu_phi": [[0.0], [], [0.1, 0.3], []],
    "mu_mass": [[0.0], [], [0.1, 0.1], []],
}


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table as a Parquet file."""
    file = tmp_path_factory.mktemp("toy") / "toy.parquet"
    ak.to_parquet(ak.zip({name: ak.Array(column) for name, column in COLUMNS.items()}, depth_limit=1), file)
    return file


@pytest.fixture(scope="session")
def d(path: Path) -> ht.Array:
    """The table, opened."""
    return ht.flat(path)


@pytest.fixture(scope="session")
def eager() -> ak.Array:
    """The table in memory, as coffea would lay it out."""
    events: dict[str, Any] = {}
    groups: dict[str, dict[str, Any]] = {}
    for name, column in COLUMNS.items():
        group, _, field = name.rpartition("_")
        (groups.setdefault(group, {}) if group else events)[field] = ak.Array(column)
    options = {"depth_limit": 2, "with_name": "PtEtaPhiMLorentzVector", "behavior": vector.behavior}
    return ak.zip(events | {name: ak.zip(fields, **options) for name, fields in groups.items()}, depth_limit=1)


def plain(value: Any) -> Any:
    """A result as Python's own lists, dicts and numbers."""
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value


def same(one: Any, other: Any) -> bool:
    """Equal in kind and value; floats to six digits, and NaN is NaN."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
    return type(one) is type(other) and bool(one == other)


def names(events: Any) -> dict[str, Any]:
    """What an expression of the tables of cases can name."""
    return {"np": np, "ak": ak, "ht": ht, "d": events, "jets": events.jets, "pt": events.jets.pt, "met": events.met}


@pytest.fixture
def record(d: ht.Array) -> Callable[[str], Any]:
    """`record("jets.pt * 2")`: the recorded value of an expression."""
    extra = {"el": d.el, "mu": d.mu, "good": d.jets[d.jets.pt > 10], "ev": d[d.met > 0]}
    return lambda text: eval(text, names(d) | extra)


@pytest.fixture
def answer(record: Callable[[str], Any]) -> Callable[[str], Any]:
    """The value of an expression as plain Python; the same for any chunks, and of the type that was declared."""

    def value(text: str) -> Any:
        recorded = record(text)
        answers = [ht.make_local(recorded, chunksize=size) for size in (None, 1, 3)]
        if isinstance(recorded, ht.Array):
            assert [type_problem(one, recorded._node) for one in answers] == ["", "", ""]
        found = [plain(one) for one in answers]
        assert all(same(found[0], one) for one in found), f"depends on the chunks: {found}"
        return found[0]

    return value


@pytest.fixture
def check(answer: Callable[[str], Any]) -> Callable[[str, Any], None]:
    """Assert that an expression has this value."""

    def assert_value(text: str, expected: Any) -> None:
        found = answer(text)
        assert same(found, plain(expected)), f"{found} is not {expected}"

    return assert_value


@pytest.fixture
def computed(eager: ak.Array) -> Callable[[str], Any]:
    """The value of an expression on arrays in memory."""

    def value(text: str) -> Any:
        with np.errstate(all="ignore"):
            return eval(text, names(eager))

    return value
