"""Columns that are described from the stream of their tree are described as uproot's objects describe them."""

from __future__ import annotations

from struct import pack_into
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest
import uproot
from hypothesis import given, settings
from hypothesis import strategies as st

from hep_tables_coffea import files
from hep_tables_coffea.files.lazytree import LazyTree
from hep_tables_coffea.files.rawbranches import RawBranches

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
        patch.setattr(RawBranches, "_parse", lambda *_: None)
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
        assert len(RawBranches(lazy, int(lazy.tree.num_entries)).all()) == number
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


class Changed:
    """A tree with another stream, or another place for a branch."""

    def __init__(self, lazy: LazyTree, raw: Any = None, origin: int = 0, **changes: Any) -> None:
        stream = lazy.stream()
        assert stream is not None
        self._lazy, self._raw, self._changes = lazy, stream[0] if raw is None else raw, changes
        self._origin = stream[1] + origin

    def stream(self) -> Any:
        return self._raw, self._origin

    def names(self) -> Any:
        return self._lazy.names()

    def __contains__(self, name: str) -> bool:
        return name in self._lazy

    def span(self, name: str) -> Any:
        return self._lazy.span(name)._replace(**self._changes if name == "flag" else {})


def test_what_is_said_of_a_branch(lazy: LazyTree) -> None:
    found = RawBranches(lazy, 10).all()
    jets = found["Jet_pt"]
    assert list(found) == ["event", "flag", "nJet_pt", "Jet_pt"]
    assert (jets.name, jets.title, jets.dtype, jets.counter) == ("Jet_pt", "Jet_pt[nJet_pt]/F", "float32", "nJet_pt")
    assert jets.counting == found["nJet_pt"].leaf
    assert jets.nbytes == lazy["Jet_pt"].uncompressed_bytes
    assert np.frombuffer(jets.edges, ">i8").tolist() == [0, 4, 8, 10]
    assert np.frombuffer(jets.sizes, ">i4").tolist() == lazy["Jet_pt"].member("fBasketBytes")[:3].tolist()
    assert np.frombuffer(jets.places, ">i8").tolist() == lazy["Jet_pt"].member("fBasketSeek")[:3].tolist()


def test_branch_that_was_asked_for_is_kept(lazy: LazyTree) -> None:
    raw = RawBranches(lazy, 10)
    assert raw.get("flag") is raw.get("flag")
    assert (raw.get("weights"), raw.get("nothing")) == (None, None)


def test_branches_with_other_entries_than_their_tree_are_left_out(lazy: LazyTree) -> None:
    assert RawBranches(lazy, 11).all() == {}


@pytest.mark.parametrize("changes", [{"stop": 10**6}, {"classname": "TBranchElement"}, {"body": 0}, {"body": 10**6}])
def test_branch_that_is_not_where_it_was_expected_is_left_out(lazy: LazyTree, changes: dict[str, Any]) -> None:
    tree: Any = Changed(lazy, **changes)
    assert list(RawBranches(tree, 10).all()) == ["event", "nJet_pt", "Jet_pt"]


def test_branch_of_unknown_version_is_left_out(lazy: LazyTree) -> None:
    stream = lazy.stream()
    assert stream is not None
    raw = memoryview(bytearray(stream[0]))
    pack_into(">H", raw, lazy.span("flag").body, 99)
    tree: Any = Changed(lazy, raw)
    assert list(RawBranches(tree, 10).all()) == ["event", "nJet_pt", "Jet_pt"]


def test_counter_that_is_not_where_it_should_be_is_left_out(lazy: LazyTree) -> None:
    tree: Any = Changed(lazy, origin=3)
    assert "Jet_pt" not in RawBranches(tree, 10).all()


def test_any_damage_is_left_out_or_does_not_matter(lazy: LazyTree) -> None:
    """No exception, whatever the bytes of a branch are."""
    stream, span = lazy.stream(), lazy.span("Jet_pt")
    assert stream is not None
    rng = np.random.default_rng(1)
    for place in range(span.body, span.stop):
        raw = memoryview(bytearray(stream[0]))
        raw[place] = int(rng.integers(256))
        tree: Any = Changed(lazy, raw)
        assert list(RawBranches(tree, 10).all())[:3] == ["event", "flag", "nJet_pt"]


def test_tree_that_was_parsed_has_no_stream(small_tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hep_tables_coffea.files.lazytree._spans", lambda *_: 1 / 0)
    with uproot.open(small_tree, object_cache=None) as file:
        assert RawBranches(LazyTree(file, "Events"), 10).all() == {}
