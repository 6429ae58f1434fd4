"""TreeMaker: split vectors and the columns beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hep_tables_coffea.schemas.treemaker import pack
from hep_tables_coffea.types.schema import Group, Leaf, Schema

Listed = Callable[[str], dict[str, Leaf]]
Described = Callable[..., dict[str, Leaf]]
Layout = Callable[[Schema], dict[str, Any]]
Find = Callable[[Schema, str], Group]


def vector(name: str, parts: str = "Pt Eta Phi E") -> str:
    return " ".join(f"{name}.fCoordinates.f{part}:float64[]" for part in parts.split())


def test_split_vector_and_its_columns_are_a_collection(listed: Listed, layout: Layout, group: Find) -> None:
    schema = pack.build(listed(f"{vector('Jets')} Jets_ptD:[] Jets_jec_x:[]"))
    assert layout(schema) == {"Jets": ["pt", "eta", "phi", "energy", "ptD", "jec_x"]}
    assert group(schema, "Jets").behavior == "PtEtaPhiELorentzVector"


def test_charged_vector_is_a_candidate(listed: Listed, group: Find) -> None:
    schema = pack.build(listed(f"{vector('Muons')} Muons_charge:int32[]"))
    assert group(schema, "Muons").behavior == "Candidate"


def test_points_are_vectors_of_three(listed: Listed, layout: Layout, group: Find) -> None:
    schema = pack.build(listed(vector("PrimaryVertices", "X Y Z")))
    assert layout(schema) == {"PrimaryVertices": ["x", "y", "z"]}
    assert group(schema, "PrimaryVertices").behavior == "ThreeVector"


def test_point_of_each_row_is_a_record(listed: Listed, group: Find) -> None:
    schema = pack.build(listed(f"{vector('Tracks', 'X Y Z')} {vector('Tracks_referencePoint', 'X Y Z')}"))
    point = group(schema, "Tracks.referencePoint")
    assert (point.is_list, list(point.fields), point.behavior) == (False, ["x", "y", "z"], "ThreeVector")


def test_what_is_nested_by_counts_is_a_collection_of_its_own(listed: Listed, layout: Layout) -> None:
    text = f"{vector('JetsAK8')} {vector('JetsAK8_subjets')} JetsAK8_subjetsCounts:int32[] JetsAK8_subjets_ptD:[]"
    text += " JetsAK8_hits:int32[] JetsAK8_hitsCounts:int32[]"
    assert layout(pack.build(listed(text))) == {
        "JetsAK8": ["pt", "eta", "phi", "energy", "subjetsCounts", "hitsCounts"],
        "JetsAK8_subjets": ["pt", "eta", "phi", "energy", "ptD"],
        "JetsAK8_hits": None,
    }


def test_event_columns_keep_their_names(listed: Listed, layout: Layout) -> None:
    found = layout(pack.build(listed(f"MT_AK8 MET METUp:[] NJets:int32 {vector('Jets')}")))
    assert [name for name, fields in found.items() if fields is None] == ["MT_AK8", "MET", "METUp", "NJets"]


def test_no_column_of_the_file_is_lost(described: Described) -> None:
    columns = described("treemaker.root")
    assert {leaf.column for leaf in pack.build(columns).root.leaves()} == set(columns)
