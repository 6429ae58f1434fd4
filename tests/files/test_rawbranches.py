"""Columns that are described from the stream of their tree are described as uproot's objects describe them."""

from __future__ import annotations

from struct import pack_into
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest
import uproot
from hypothesis import given, settings
from hypothesis import strategies as st

from hep_tables_coffea import files
from hep_tables_coffea.files.lazytree import LazyTree
from hep_tables_coffea.files.rawbranches import raw_branches

if TYPE_CHECKING:
    from collections.abc import Callable

    from hep_tables_coffea.files.table import Table

#: Trees with the numbers of their branches that are ordinary.
TREES = [
    ("PHYSLITE_example.root", "CollectionTree", 54),
    ("edm4hep.root", "events", 0),
    ("edm4hep.root", "podio_metadata", 0),
    ("missing_luminosityBlock.root", "Events", 1582),
    ("nano_dimuon.root", "Events", 1601),
    ("nano_dy.root", "Events", 1499),
    ("nano_dy.root", "Runs", 8),
    ("nano_dy_empty.root", "Events", 1499),
    ("nano_tt_v12.root", "Events", 654),
    ("nano_tt_v15.root", "Events", 2656),
    ("treemaker.root", "PreSelection", 122),
    ("uproot-HZZ.root", "events", 51),
]
NUMBERS = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]


def both(path: str, tree: str) -> tuple[Table, Table]:
    """A table described with and without looking at the stream."""
    with pytest.MonkeyPatch.context() as patch:
        files.forget(path)
        ours = files.describe(path, tree)
        patch.setattr("hep_tables_coffea.files.ttree.raw_branches", lambda *_: {})
        files.forget(path)
        theirs = files.describe(path, tree)
    files.forget(path)
    return ours, theirs


@pytest.mark.parametrize(("name", "tree", "number"), TREES)
def test_description_of_real_files_is_that_of_uproot(
    data: Callable[[str], str], name: str, tree: str, number: int
) -> None:
    with uproot.open(data(name), array_cache=None, object_cache=None) as file:
        lazy = LazyTree(file, tree)
        assert len(raw_branches(lazy, int(lazy.tree.num_entries))) == number
    ours, theirs = both(data(name), tree)
    assert list(ours.columns) == list(theirs.columns)
    assert [column for column in ours.columns.values() if column != theirs.columns[column.name]] == []
    assert (ours.clusters, ours.uuid, ours.num_entries) == (theirs.clusters, theirs.uuid, theirs.num_entries)


@settings(max_examples=30)
@given(st.data())
def test_description_of_any_file_is_that_of_uproot(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = str(tmp_path_factory.mktemp("raw") / "events.root")
    dtypes = data.draw(st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=5))
    shapes = [data.draw(st.sampled_from(["", "list", "3 * ", "record"])) for _ in dtypes]
    sizes = data.draw(st.lists(st.integers(0, 9), max_size=3))

    def content(dtype: str, shape: str, size: int) -> Any:
        if shape == "3 * ":
            return np.zeros((size, 3), dtype=dtype)
        lists = ak.unflatten(np.zeros(size * 2, dtype=dtype), np.full(size, 2))
        records = {"list": lists, "record": ak.zip({"pt": lists, "n": lists})}
        return records.get(shape, np.zeros(size, dtype=dtype))

    def batch(size: int) -> dict[str, Any]:
        return {f"b{i}": content(dtype, shape, size) for i, (dtype, shape) in enumerate(zip(dtypes, shapes))}

    with uproot.recreate(path) as file:
        types = {name: ak.to_layout(array).form.type for name, array in batch(1).items()}
        made = file.mktree("folder/tree", types, title=data.draw(st.text(max_size=300)))
        for size in sizes:
            made.extend(batch(size))
    ours, theirs = both(path, "folder/tree")
    assert ours == theirs
    assert list(ours.columns) == list(theirs.columns)


def test_ordinary_branches_are_not_parsed(data: Callable[[str], str], nothing_kept: None) -> None:
    assert len(files.describe(data("nano_dy.root"), "Events").columns) == 1499
    source: Any = files.handles.acquire(data("nano_dy.root")).source("Events")
    assert len(source._lazy.tree.branches) == 0


def test_other_branches_are_not_kept(small_tree: str) -> None:
    assert len(files.describe(small_tree).columns) == 5
    source: Any = files.handles.acquire(small_tree).source("Events")
    assert len(source._lazy.tree.branches) == 0


@pytest.fixture
def lazy(small_tree: str) -> Any:
    with uproot.open(small_tree, object_cache=None) as file:
        yield LazyTree(file, "Events")


def test_what_is_said_of_a_branch(lazy: LazyTree) -> None:
    found = raw_branches(lazy, 10)
    jets = found["Jet_pt"]
    assert list(found) == ["event", "flag", "nJet_pt", "Jet_pt"]
    assert (jets.name, jets.title, jets.dtype, jets.counter) == ("Jet_pt", "Jet_pt[nJet_pt]/F", "float32", "nJet_pt")
    assert jets.nbytes == lazy["Jet_pt"].uncompressed_bytes
    assert np.frombuffer(jets.edges, ">i8").tolist() == [0, 4, 8, 10]


def test_branches_with_other_entries_than_their_tree_are_left_out(lazy: LazyTree) -> None:
    assert raw_branches(lazy, 11) == {}


@pytest.mark.parametrize("change", ["version", "stop", "class", "cut"])
def test_unexpected_branch_is_left_out(lazy: LazyTree, change: str) -> None:
    raw, origin, spans = lazy.stream()
    flag, raw = next(span for span in spans if span.name == "flag"), memoryview(bytearray(raw))
    changed = {"stop": flag._replace(stop=flag.stop + 1), "class": flag._replace(classname="TBranchElement")}
    if change == "version":
        pack_into(">H", raw, flag.body, 99)
    if change == "cut":
        raw = raw[: flag.body + 100]
    spans = [changed.get(change, span) if span is flag else span for span in spans]
    tree: Any = SimpleNamespace(stream=lambda: (raw, origin, spans))
    found = raw_branches(tree, 10)
    assert "flag" not in found
    assert "event" in found or change == "cut"


def test_counter_that_is_no_leaf_is_left_out(lazy: LazyTree) -> None:
    raw, origin, spans = lazy.stream()
    tree: Any = SimpleNamespace(stream=lambda: (raw, origin + 3, spans))
    assert "Jet_pt" not in raw_branches(tree, 10)


def test_tree_that_was_parsed_has_no_stream(small_tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hep_tables_coffea.files.lazytree._spans", lambda *_: 1 / 0)
    with uproot.open(small_tree, object_cache=None) as file:
        assert raw_branches(LazyTree(file, "Events"), 10) == {}
