"""RNTuples: plain names, nested fields, clusters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest
import uproot

from hep_tables_coffea import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Ten events with 0, 1, 2, 0, 1, ... jets.
JET_PT = ak.unflatten(np.arange(9, dtype=np.float32), np.arange(10) % 3)
CONSTITUENTS = ak.zip({"e": ak.from_regular(JET_PT[:, :, np.newaxis], axis=2)})
JETS = ak.zip({"pt": JET_PT, "constituents": CONSTITUENTS}, depth_limit=2)


@pytest.fixture
def ntuple(tmp_path: Path) -> str:
    """Ten events in clusters of four, with what an RNTuple can nest."""
    events = ak.zip(
        {
            "event": np.arange(10, dtype=np.uint64),
            "jet": JETS,
            "met": ak.zip({"x": np.arange(10.0), "note": ak.Array([str(i) for i in range(10)])}),
            "weights": ak.to_regular(ak.Array(np.arange(30.0).reshape(10, 3))),
            "maybe": ak.Array([1.5, None] * 5),
        },
        depth_limit=1,
    )
    path = tmp_path / "ntuple.root"
    with uproot.recreate(path) as file:
        made = file.mkrntuple("Events", events.layout.form)
        for start in range(0, 10, 4):
            made.extend(events[start : start + 4])
    return str(path)


def test_members_of_records_are_columns(ntuple: str) -> None:
    columns = files.describe(ntuple).columns.values()
    assert [(c.name, c.dtype, c.depth, c.fixed, c.optional) for c in columns] == [
        ("event", "uint64", 0, (), False),
        ("jet.pt", "float32", 1, (), False),
        ("jet.constituents.e", "float32", 2, (), False),
        ("met.x", "float64", 0, (), False),
        ("met.note", "str", 0, (), False),
        ("weights", "float64", 1, (3,), False),
        ("maybe", "float64", 0, (), True),
    ]


def test_table_has_clusters(ntuple: str) -> None:
    table = files.describe(ntuple)
    assert (table.kind, table.tree, table.num_entries, table.clusters) == ("rntuple", "Events", 10, (0, 4, 8, 10))


def test_some_columns_are_described_as_among_all(ntuple: str) -> None:
    every = files.describe(ntuple)
    some = files.describe(ntuple, None, ["met.x", "met", "event"])
    assert some == replace(every, columns={name: every.columns[name] for name in ("met.x", "event")})


@pytest.mark.parametrize(("start", "stop"), [(0, 10), (3, 9), (4, 8), (9, 10), (10, 10)])
def test_members_are_read_by_themselves(ntuple: str, start: int, stop: int) -> None:
    got = files.read(ntuple, "Events", ["jet.constituents.e", "met.note", "weights", "maybe"], start, stop)
    assert got["jet.constituents.e"].to_list() == JETS.constituents.e[start:stop].to_list()
    assert got["met.note"].to_list() == [str(i) for i in range(start, stop)]
    assert got["weights"].to_list() == np.arange(30.0).reshape(10, 3)[start:stop].tolist()
    assert got["maybe"].to_list() == ([1.5, None] * 5)[start:stop]


def test_bytes_are_those_of_all_clusters(ntuple: str) -> None:
    columns = files.describe(ntuple).columns
    assert (columns["jet.pt"].nbytes, columns["met.x"].nbytes) == (9 * 4, 10 * 8)


def test_imported_collections_give_plain_names(data: Callable[[str], str]) -> None:
    path = data("Run2012BC_DoubleMuParked_Muons_1000evts_rntuple_v1-0-0-0.root")
    columns = files.describe(path).columns
    assert list(columns) == ["Muon_pt", "Muon_eta", "Muon_phi", "Muon_mass", "Muon_charge", "nMuon"]
    assert (columns["Muon_pt"].dtype, columns["Muon_pt"].depth, columns["Muon_pt"].counter) == ("float32", 1, "nMuon")
    assert (columns["nMuon"].dtype, columns["nMuon"].depth, columns["nMuon"].counter) == ("int64", 0, "nMuon")


def test_nanoaod_has_the_same_columns_in_both_formats(data: Callable[[str], str]) -> None:
    ntuple = files.describe(data("nano_dy_rntuple.root")).columns
    tree = files.describe(data("nano_dy.root")).columns
    assert set(ntuple) == set(tree)
    counts = {column.counter for column in tree.values()}
    assert {
        name for name, column in ntuple.items() if (column.dtype, column.depth) != (tree[name].dtype, tree[name].depth)
    } == (counts - {""})


def test_only_the_clusters_asked_for_are_decoded_and_shared_lists_once(
    ntuple: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    original = uproot.models.RNTuple.Model_ROOT_3a3a_RNTuple.read_cluster_range

    def spy(self: Any, column: int, first: int, last: int, **options: Any) -> Any:
        asked.append((first, last))
        return original(self, column, first, last, **options)

    monkeypatch.setattr(uproot.models.RNTuple.Model_ROOT_3a3a_RNTuple, "read_cluster_range", spy)
    got = files.read(ntuple, None, ["jet.pt", "jet.constituents.e", "event"], 4, 8)
    # two lists, and three columns of numbers
    assert asked == [(1, 2)] * 5
    assert got["jet.pt"].layout.offsets.data is got["jet.constituents.e"].layout.offsets.data
