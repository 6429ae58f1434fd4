"""Branches that are parsed one by one are those that uproot parses together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import uproot

from hep_tables_coffea import files
from hep_tables_coffea.files.lazytree import LazyTree

if TYPE_CHECKING:
    from collections.abc import Callable

TREES = [
    ("PHYSLITE_example.root", "CollectionTree"),
    ("edm4hep.root", "events"),
    ("nano_dy.root", "Events"),
    ("nano_tt_v15.root", "Events"),
    ("treemaker.root", "PreSelection"),
    ("uproot-HZZ.root", "events"),
]


def parsed(tree: LazyTree) -> list[str]:
    return [branch.name for branch in tree.tree.branches]


def described(branch: Any) -> list[Any]:
    """What reading depends on, of a branch and of those below it."""
    own = (
        branch.name,
        branch.title,
        repr(branch.interpretation).partition(" at 0x")[0],
        branch.cache_key.partition("(")[0],
    )
    return [own, branch.num_baskets, branch.compressed_bytes, *map(described, branch.branches)]


@pytest.mark.parametrize(("name", "tree"), TREES)
def test_single_branches_are_those_of_the_whole_tree(data: Callable[[str], str], name: str, tree: str) -> None:
    with uproot.open(data(name), array_cache=None, object_cache=None) as file:
        lazy, whole = LazyTree(file, tree), file[tree]
        assert parsed(lazy) == []
        assert list(lazy.names()) == [branch.name for branch in whole.branches]
        assert [lazy.is_leaf(name) for name in lazy.names()] == [not branch.branches for branch in whole.branches]
        some = [branch.name for branch in whole.branches][::-17]
        assert [described(lazy[name]) for name in some] == [described(whole[name]) for name in some]
        assert len(parsed(lazy)) <= 2 * len(some) + 1


def test_counter_is_parsed_with_what_it_counts(data: Callable[[str], str]) -> None:
    with uproot.open(data("nano_dy.root"), object_cache=None) as file:
        lazy = LazyTree(file, "Events")
        assert lazy["Muon_pt"].count_leaf.member("fName") == "nMuon"
        assert "Muon_eta" not in parsed(lazy)
        assert lazy["Muon_pt"] is lazy["Muon_pt"]
        assert [parsed(lazy).count(name) for name in ("Muon_pt", "nMuon")] == [1, 1]


def test_unknown_name_parses_nothing(data: Callable[[str], str]) -> None:
    with uproot.open(data("nano_dy.root"), object_cache=None) as file:
        lazy = LazyTree(file, "Events")
        assert "Muon_nope" not in lazy
        assert not lazy.is_leaf("Muon_nope")
        assert parsed(lazy) == []


@pytest.mark.parametrize("step", ["_name", "_spans"])
def test_unexpected_stream_is_left_to_uproot(small_tree: str, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    monkeypatch.setattr(f"hep_tables_coffea.files.lazytree.{step}", lambda *_: 1 / 0)
    with uproot.open(small_tree, object_cache=None) as file:
        lazy = LazyTree(file, "Events")
        assert parsed(lazy) == list(lazy.names()) == ["event", "flag", "nJet_pt", "Jet_pt", "weights"]
        assert lazy.is_leaf("Jet_pt")
    assert files.read(small_tree, None, ["Jet_pt"], 2, 3)["Jet_pt"].to_list() == [[1, 2]]


def test_branch_of_unexpected_kind_is_left_to_uproot(small_tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hep_tables_coffea.files.lazytree._is_leaf", lambda *_: 1 / 0)
    with uproot.open(small_tree, object_cache=None) as file:
        lazy = LazyTree(file, "Events")
        assert parsed(lazy) == []
        assert lazy.is_leaf("Jet_pt")
        assert not lazy.is_leaf("Jet_nope")
        assert len(parsed(lazy)) == 5


def test_branch_that_is_not_as_expected_is_left_to_uproot(small_tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LazyTree, "_parse", lambda *_: 1 / 0)
    with uproot.open(small_tree, object_cache=None) as file:
        lazy = LazyTree(file, "Events")
        assert lazy["Jet_pt"].name == "Jet_pt"
        assert len(parsed(lazy)) == 5


def test_worker_parses_nothing_that_the_stream_describes(data: Callable[[str], str], nothing_kept: None) -> None:
    arrays = files.read(data("nano_dy.root"), "Events", ["Muon_pt"], 0, 10)
    source = files.handles.acquire(data("nano_dy.root")).source("Events")
    assert parsed(source._lazy) == []
    assert str(arrays["Muon_pt"].type) == "10 * var * float32"


def test_worker_parses_what_uproot_reads(
    data: Callable[[str], str], nothing_kept: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hep_tables_coffea.files.ttree.read_baskets", lambda *_: {})
    arrays = files.read(data("nano_dy.root"), "Events", ["Muon_pt"], 0, 10)
    source = files.handles.acquire(data("nano_dy.root")).source("Events")
    # and its counter, and those in which a class was met first
    assert {"Muon_pt", "nMuon"} < set(parsed(source._lazy))
    assert len(parsed(source._lazy)) < 6
    assert str(arrays["Muon_pt"].type) == "10 * var * float32"
