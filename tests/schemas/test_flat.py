"""Flat trees: lists by counter, by the name of a counter, by prefix; and the user's own rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hep_tables_coffea.schemas.flat import pack
from hep_tables_coffea.types.schema import Group, Leaf, Schema

Listed = Callable[[str], dict[str, Leaf]]
Described = Callable[..., dict[str, Leaf]]
Layout = Callable[[Schema], dict[str, Any]]
Find = Callable[[Schema, str], Group]

TOY = "met njets:int32 jets_pt:[]:njets jets_eta:[]:njets nElectrons:int32 Electrons_pt:[]:nElectrons"


@pytest.mark.parametrize(
    ("text", "collections"),
    [
        (TOY, {"jets": ["pt", "eta"], "Electrons": ["pt"]}),
        ("NJet:int32 Jet_Px:[]:NJet Jet_ID:bool[]:NJet", {"Jet": ["Px", "ID"]}),
        ("el_n:int32 el_pt:[] el_eta:[]", {"el": ["pt", "eta"]}),
        ("njets:int32 jet_pt:[] jet_eta:[]", {"jet": ["pt", "eta"]}),
        ("nFat:int32 Fat_sub_pt:[] Fat_sub_eta:[]", {"Fat": ["sub_pt", "sub_eta"]}),
        ("n_mu:int32 mu.pt:[] mu.eta:[]", {"mu": ["pt", "eta"]}),
        ("nmu:int32 pt:[]:nmu eta:[]:nmu", {"mu": ["pt", "eta"]}),
        ("k:int32 mu_tight_pt:[]:k mu_tight_eta:[]:k", {"mu_tight": ["pt", "eta"]}),
        ("jets_pt:[] jets_eta:[]", {"jets": ["pt", "eta"]}),
        ("jets_pt:[]", {"jets": ["pt"]}),
        ("njets_pt:int32 jets_pt:[]:njets_pt njets_eta:int32 jets_eta:[]:njets_eta", {"jets": ["pt", "eta"]}),
        ("jets_pt:[] jets_tracks:[][]", {"jets": ["pt", "tracks"]}),
        ("pdf_weights:[]", {}),
        ("weights:[]", {}),
        ("_pt:[] pt_:[]", {}),
        ("nJet:int32 jet_pt:[]:nJet Jet_pt:[]", {"jet": ["pt"], "Jet": ["pt"]}),
    ],
)
def test_lists_are_grouped(listed: Listed, layout: Layout, text: str, collections: dict[str, list[str]]) -> None:
    found = {name: fields for name, fields in layout(pack.build(listed(text))).items() if fields is not None}
    assert found == collections


def test_event_columns_keep_their_names(listed: Listed, layout: Layout) -> None:
    assert layout(pack.build(listed("met MET_px MET_py run.number:int32"))) == {
        "met": None,
        "MET_px": None,
        "MET_py": None,
        "run.number": None,
    }


def test_counters_are_columns_too(listed: Listed, layout: Layout) -> None:
    assert layout(pack.build(listed(TOY)))["njets"] is None


def test_column_with_the_name_of_a_collection_is_not_lost(listed: Listed, layout: Layout) -> None:
    assert layout(pack.build(listed("el:int32 el_pt:[] el_eta:[]"))) == {"el": ["pt", "eta"], "el_": None}


def test_order_of_columns_does_not_change_the_collections(listed: Listed, layout: Layout) -> None:
    columns = listed("nFat:int32 Fat_sub_pt:[] Fat_pt:[] nsub:int32 sub_pt:[]:nsub x_y_z:[] x_y_w:[]")
    backwards = dict(reversed(columns.items()))
    one, other = (layout(pack.build(c)) for c in (columns, backwards))
    assert {name: sorted(fields or []) for name, fields in one.items()} == {
        name: sorted(fields or []) for name, fields in other.items()
    }


def test_collection_with_a_vector_has_its_behavior(listed: Listed, group: Find) -> None:
    schema = pack.build(
        listed("mu_pt:[] mu_eta:[] mu_phi:[] mu_m:[] mu_charge:int32[] jet_px:[] jet_py:[] jet_pz:[] jet_E:[]")
    )
    assert schema.behaviors == "coffea.nanoevents.methods.candidate"
    assert (group(schema, "mu").behavior, group(schema, "jet").behavior) == ("Candidate", "LorentzVector")


def test_list_of_lists_is_no_coordinate(listed: Listed, group: Find) -> None:
    assert group(pack.build(listed("mu_pt:[] mu_eta:[] mu_phi:[] mu_m:[][]")), "mu").behavior == ""


def test_counter_of_a_collection_is_known(listed: Listed, group: Find) -> None:
    schema = pack.build(listed("el_n:int32 el_pt:[] NJet:int32 Jet_pt:[]:NJet"))
    assert (group(schema, "el").counter, group(schema, "Jet").counter) == ("el_n", "NJet")


def test_column_with_a_problem_keeps_its_name(listed: Listed, layout: Layout) -> None:
    assert layout(pack.build(listed("jets_pt:[] jets_eta:[] jets_odd:?"))) == {"jets": ["pt", "eta"], "jets_odd": None}


def test_real_tree_has_the_collections_of_its_counters(described: Described, layout: Layout) -> None:
    columns = described("uproot-HZZ.root")
    found = layout(pack.build(columns))
    assert {name: fields for name, fields in found.items() if fields} == {
        "Jet": ["Px", "Py", "Pz", "E", "btag", "ID"],
        "Muon": ["Px", "Py", "Pz", "E", "Charge", "Iso"],
        "Electron": ["Px", "Py", "Pz", "E", "Charge", "Iso"],
        "Photon": ["Px", "Py", "Pz", "E", "Iso"],
    }
    assert found["MET_px"] is None


@pytest.mark.parametrize("name", ["uproot-HZZ.root", "nano_tt_v15.root", "treemaker.root", "PHYSLITE_example.root"])
def test_no_column_of_a_file_is_lost(described: Described, name: str) -> None:
    columns = described(name)
    assert {leaf.column for leaf in pack.build(columns).root.leaves()} == set(columns)


# -- the user's own rules --

MIXED = "jet_pt_NOSYS:[] jet_eta:[] jet_n:int32 AntiKt_m:[] mc_w:[]"


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("jet_*", ["pt_NOSYS", "eta"]),
        ("jet_", ["pt_NOSYS", "eta"]),
        ("jet", ["pt_NOSYS", "eta"]),
        ("jet_*_NOSYS", ["pt"]),
        ("jet_eta", ["jet_eta"]),
        (["jet_pt_NOSYS", "jet_eta"], ["pt_NOSYS", "eta"]),
        (["jet_eta", "AntiKt_m"], ["jet_eta", "AntiKt_m"]),
        (["jet_*_NOSYS", "AntiKt_*"], ["pt", "m"]),
        ({"pt": "jet_pt_NOSYS", "m": "AntiKt_m"}, ["pt", "m"]),
        ("jet_n", ["jet_n"]),
    ],
)
def test_rule_makes_a_collection(listed: Listed, group: Find, rule: Any, fields: list[str]) -> None:
    assert list(group(pack.build(listed(MIXED), collections={"mine": rule}), "mine").fields) == fields


def test_fields_named_by_a_rule_make_a_vector(described: Described, group: Find) -> None:
    columns = {"px": "Muon_Px", "py": "Muon_Py", "pz": "Muon_Pz", "E": "Muon_E", "charge": "Muon_Charge"}
    schema = pack.build(described("uproot-HZZ.root"), collections={"muons": columns})
    assert group(schema, "muons").behavior == "Candidate"
    assert group(schema, "muons").counter == "NMuon"


def test_rule_for_event_columns_makes_a_record(listed: Listed, group: Find) -> None:
    met = group(pack.build(listed("MET_px MET_py"), collections={"MET": "MET_*"}), "MET")
    assert (met.is_list, list(met.fields)) == (False, ["px", "py"])


def test_event_rule_takes_columns_out_of_their_collection(listed: Listed, layout: Layout) -> None:
    found = layout(pack.build(listed("jet_pt:[] jet_eta:[] jet_trigger:[]"), events=["jet_trig*"]))
    assert found == {"jet": ["pt", "eta"], "jet_trigger": None}


def test_event_rule_is_an_exception_to_a_pattern(listed: Listed, group: Find) -> None:
    columns = listed("jet_pt:[] jet_eta:[] jet_trigger:[]")
    found = pack.build(columns, collections={"mine": "jet_*"}, events=["jet_trigger"])
    assert list(group(found, "mine").fields) == ["pt", "eta"]


def test_columns_that_a_rule_leaves_over_keep_their_names(listed: Listed, layout: Layout) -> None:
    found = layout(pack.build(listed("jet_pt:[] jet_eta:[] jet_m:[]"), collections={"jet": ["jet_pt", "jet_eta"]}))
    assert found == {"jet": ["pt", "eta"], "jet_m": None}


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"collections": {"jets": "jett_*"}}, r"collections=\{'jets': 'jett_\*'\} matches no column; .* jet_eta"),
        ({"collections": {"jets": ["jet_eta", "jet_x"]}}, r"\{'jets': 'jet_x'\} matches no column"),
        ({"collections": {"jets": {"pt": "jet_p"}}}, "matches no column; .* jet_pt_NOSYS"),
        ({"events": ["mc_x"]}, r"events='mc_x' matches no column"),
        ({"collections": {"a": "jet_*", "b": ["jet_eta"]}}, r"'jet_eta' is claimed by two rules, .*'a' and .*'b'"),
        ({"collections": {"a": ["jet_eta"]}, "events": "jet_eta"}, "'jet_eta' is claimed by two rules, events and"),
        ({"collections": {"a": ["jet_eta", "jet_n"]}}, "'jet_n' cannot be in the collection 'a': .* one value"),
        ({"collection": {}}, "no rule 'collection', but collections="),
    ],
)
def test_rule_that_cannot_be_followed_is_refused(listed: Listed, rules: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack.build(listed(MIXED), **rules)
