"""TTrees: what is said of their columns, and what is read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest
import uproot

from hep_tables_coffea import files
from hep_tables_coffea.files import Column
from hep_tables_coffea.files.rawbranches import RawBranches
from hep_tables_coffea.files.source import KEPT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Ten events with 0, 1, 2, 0, 1, ... jets.
JET_PT = ak.unflatten(np.arange(9, dtype=np.float32), np.arange(10) % 3)


def test_columns_have_the_stored_names_and_types(small_tree: str) -> None:
    columns = files.describe(small_tree).columns.values()
    assert [(c.name, c.dtype, c.depth, c.fixed, c.counter, c.problem) for c in columns] == [
        ("event", "int64", 0, (), "", ""),
        ("flag", "bool", 0, (), "", ""),
        ("nJet_pt", "int32", 0, (), "", ""),
        ("Jet_pt", "float32", 1, (), "nJet_pt", ""),
        ("weights", "float64", 1, (3,), "", ""),
    ]


def test_table_says_what_the_file_says(small_tree: str) -> None:
    table = files.describe(small_tree)
    with uproot.open(small_tree) as file:
        assert table.uuid == file.file.hex_uuid
    assert (table.path, table.tree, table.kind, table.num_entries) == (small_tree, "Events", "ttree", 10)


def test_some_columns_are_described_as_among_all(data: Callable[[str], str], nothing_kept: None) -> None:
    names = ["Muon_pt", "HLT_IsoMu24", "Muon_nope", "run", "Muon_pt"]
    some = files.describe(data("nano_dy.root"), "Events", names)
    source = files.handles.acquire(data("nano_dy.root")).source("Events")
    assert len(source._lazy.tree.branches) == 0
    assert files.describe(data("nano_dy.root"), "Events", names) is some
    every = files.describe(data("nano_dy.root"), "Events")
    assert list(some.columns) == ["Muon_pt", "HLT_IsoMu24", "run"]
    assert replace(some, columns={}) == replace(every, columns={})
    assert all(column == every.columns[name] for name, column in some.columns.items())


def test_clusters_are_those_of_the_columns_described_and_of_their_counters(tmp_path: Path) -> None:
    path = str(tmp_path / "steps.root")
    with uproot.recreate(path) as file:
        made = file.mktree("Events", {"x": "int32", "y": "var * int32"})
        for _ in range(2):
            made.extend({"x": np.arange(5), "y": ak.unflatten(np.arange(5), [1, 1, 1, 1, 1])})
    source: Any = files.handles.acquire(path).source("Events")
    for name, edges in (("x", [0, 3, 10]), ("ny", [0, 4, 10])):
        source._raw._found[name] = source._raw.get(name)._replace(edges=np.array(edges, dtype=">i8").tobytes())
    clusters = [files.describe(path, None, names).clusters for names in (["x"], ["y"], ["ny"], ["x", "y"], [])]
    assert clusters == [(0, 3, 10), (0, 10), (0, 4, 10), (0, 10), (0, 10)]


def test_some_descriptions_are_kept(small_tree: str) -> None:
    first = files.describe(small_tree, None, ["flag"])
    assert files.describe(small_tree, None, iter(["flag"])) is first
    for number in range(KEPT):
        files.describe(small_tree, None, [f"absent{number}"])
    again = files.describe(small_tree, None, ["flag"])
    assert again == first
    assert again is not first


def test_clusters_are_where_all_baskets_begin(small_tree: str) -> None:
    assert files.describe(small_tree).clusters == (0, 4, 8, 10)


def test_bytes_are_those_of_the_baskets(small_tree: str) -> None:
    with uproot.open(small_tree) as file:
        expected = file["Events/Jet_pt"].uncompressed_bytes
    assert files.describe(small_tree).columns["Jet_pt"].nbytes == expected


@pytest.mark.parametrize(("start", "stop"), [(0, 10), (0, 4), (3, 9), (5, 6), (10, 10), (0, 0)])
def test_any_range_of_entries_can_be_read(small_tree: str, small_events: dict[str, Any], start: int, stop: int) -> None:
    got = files.read(small_tree, "Events", ["Jet_pt", "flag"], start, stop)
    assert got["Jet_pt"].to_list() == JET_PT[start:stop].to_list()
    assert got["flag"].to_list() == small_events["flag"][start:stop].tolist()


def test_no_entries_have_the_type_of_some(small_tree: str) -> None:
    names = list(files.describe(small_tree).columns)
    none, some = files.read(small_tree, None, names, 0, 0), files.read(small_tree, None, names, 0, 1)
    assert {name: str(none[name].type.content) for name in names} == {
        name: str(some[name].type.content) for name in names
    }


def test_fixed_size_arrays_are_lists_of_any_length(small_tree: str) -> None:
    weights = files.read(small_tree, None, ["weights"], 8, 10)["weights"]
    assert str(weights.type) == "2 * var * float64"
    assert weights.to_list() == [[24, 25, 26], [27, 28, 29]]


def test_arrays_hold_no_more_than_was_asked_for(small_tree: str) -> None:
    layout = files.read(small_tree, None, ["Jet_pt"], 5, 6)["Jet_pt"].layout
    assert (layout.offsets[0], len(layout.content)) == (0, 2)


def test_absent_name_is_absent_from_the_result(small_tree: str) -> None:
    assert list(files.read(small_tree, None, ["Jet_eta", "event", "Jet.pt", ""], 0, 1)) == ["event"]


def test_name_asked_for_twice_is_read_once(small_tree: str) -> None:
    assert list(files.read(small_tree, None, ["event", "event"], 0, 1)) == ["event"]


@pytest.mark.parametrize(("start", "stop"), [(-1, 4), (4, 3), (0, 11)])
def test_entries_that_the_table_has_not_are_refused(small_tree: str, start: int, stop: int) -> None:
    with pytest.raises(ValueError, match=rf"events.root has entries 0 to 10: cannot read {start} to {stop}"):
        files.read(small_tree, None, ["event"], start, stop)


def test_tree_in_a_folder_has_its_path_as_name(write_tree: Callable[..., str], small_events: dict[str, Any]) -> None:
    path = write_tree(small_events, tree="TreeMaker2/PreSelection")
    assert files.trees(path) == ["TreeMaker2/PreSelection"]
    assert files.describe(path).tree == "TreeMaker2/PreSelection"
    assert files.read(path, "TreeMaker2/PreSelection", ["event"], 0, 2)["event"].to_list() == [0, 1]


def test_tree_is_found_with_its_cycle_and_named_without(small_tree: str) -> None:
    assert files.describe(small_tree, "Events;1").tree == "Events"


def test_tree_without_events_has_columns(write_tree: Callable[..., str], small_events: dict[str, Any]) -> None:
    path = write_tree({key: array[:0] for key, array in small_events.items()})
    table = files.describe(path)
    assert (table.num_entries, table.clusters, table.columns["Jet_pt"].depth) == (0, (0,), 1)
    assert str(files.read(path, None, ["Jet_pt"], 0, 0)["Jet_pt"].type) == "0 * var * float32"


def test_branch_that_ends_before_its_tree_has_a_problem(small_tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uproot.TBranch, "entry_offsets", [0, 4])
    monkeypatch.setattr(RawBranches, "_parse", lambda *_: None)
    assert files.describe(small_tree).columns["event"].problem == "it has 4 entries, its tree 10"


def test_documentation_is_kept_but_not_the_declaration(data: Callable[[str], str]) -> None:
    columns = files.describe(data("nano_dy.root")).columns
    assert columns["Jet_phi"] == Column(
        "Jet_phi", "float32", 1, title="phi", counter="nJet", nbytes=columns["Jet_phi"].nbytes
    )
    assert columns["run"].title == ""
    assert files.describe(data("uproot-HZZ.root")).columns["Jet_Px"].title == ""


def test_split_collection_is_read_leaf_by_leaf(data: Callable[[str], str]) -> None:
    columns = files.describe(data("edm4hep.root")).columns
    assert columns["MCParticleCollection.momentum.x"].counter == "MCParticleCollection"
    assert columns["ClusterCollection.positionError.values[6]"].fixed == (6,)
    assert columns["ClusterCollection.positionError.values[6]"].depth == 2
    assert "MCParticleCollection" not in columns


def test_repeated_names_get_the_path(data: Callable[[str], str]) -> None:
    columns = files.describe(data("edm4hep.root"), "podio_metadata").columns
    assert {"major", "edm4hep___Version/major"} < set(columns)
    got = files.read(data("edm4hep.root"), "podio_metadata", ["major", "edm4hep___Version/major"], 0, 1)
    assert {name: array.to_list() for name, array in got.items()} == {"major": [1], "edm4hep___Version/major": [0]}


def test_strings_are_one_value(data: Callable[[str], str]) -> None:
    columns = files.describe(data("edm4hep.root"), "podio_metadata").columns
    assert (columns["m_names"].dtype, columns["m_names"].depth) == ("str", 1)


def test_members_of_nested_element_links_are_columns(data: Callable[[str], str]) -> None:
    path, name = data("PHYSLITE_example.root"), "AnalysisElectronsAuxDyn.trackParticleLinks"
    columns = files.describe(path).columns
    assert name not in columns
    assert (columns[f"{name}.m_persIndex"].dtype, columns[f"{name}.m_persIndex"].depth) == ("uint32", 2)
    got = files.read(path, None, [f"{name}.m_persIndex", f"{name}.m_persKey"], 20, 22)
    with uproot.open(path) as file:
        links = file["CollectionTree"][name].array(entry_start=20, entry_stop=22)
    assert {key.rpartition(".")[2]: array.to_list() for key, array in got.items()} == {
        member: links[member].to_list() for member in ("m_persIndex", "m_persKey")
    }


def test_member_is_read_before_anything_is_described(data: Callable[[str], str]) -> None:
    got = files.read(data("PHYSLITE_example.root"), "CollectionTree", ["TrigConfKeys.m_smk"], 0, 1)
    assert str(got["TrigConfKeys.m_smk"].type) == "1 * uint32"


def test_truth_collections_are_readable(data: Callable[[str], str]) -> None:
    path = data("PHYSLITE_example.root")
    truth = [name for name in files.describe(path).columns if name.startswith("TruthElectronsAuxDyn.")]
    assert {"TruthElectronsAuxDyn.e", "TruthElectronsAuxDyn.m", "TruthElectronsAuxDyn.px"} < set(truth)
    assert all(len(array) == 100 for array in files.read(path, None, truth, 0, 100).values())


def test_containers_without_data_are_no_columns(data: Callable[[str], str]) -> None:
    columns = files.describe(data("PHYSLITE_example.root")).columns
    assert not {"AnalysisElectronsAux.", "EventInfo", "AnalysisElectronsAuxDyn.ambiguityLink"} & set(columns)


def test_column_that_uproot_cannot_read_says_so(data: Callable[[str], str]) -> None:
    path = data("PHYSLITE_example.root")
    column = files.describe(path).columns["AnalysisElectrons"]
    assert (column.dtype, column.depth) == ("", 0)
    assert column.problem.startswith("uproot cannot make an array of its type DataVector<xAOD::Electron_v1>: classes")
    with pytest.raises(ValueError, match=r"PHYSLITE_example.root: column 'AnalysisElectrons' cannot be read: uproot"):
        files.read(path, None, ["AnalysisElectrons"], 0, 1)


def test_arrays_are_plain(data: Callable[[str], str]) -> None:
    name = "METAssoc_AnalysisMETAux.jetLink.m_persIndex"
    array = files.read(data("PHYSLITE_example.root"), None, [name], 0, 10)[name]
    assert type(array) is ak.Array
    assert array.behavior is None
    assert array.attrs == {}
    assert array.layout.parameters == array.layout.content.parameters == {}
    assert isinstance(array.layout.content.data, np.ndarray)
