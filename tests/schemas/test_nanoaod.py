"""NanoAOD: collections by prefix and counter, behaviors, constant columns, references."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import awkward as ak
import pytest
import uproot

import hep_tables_coffea as ht
from hep_tables_coffea.schemas.nanoaod import pack
from hep_tables_coffea.types.schema import Group, Leaf, Reference, Schema

Listed = Callable[[str], dict[str, Leaf]]
Described = Callable[..., dict[str, Leaf]]
Layout = Callable[[Schema], dict[str, Any]]
Find = Callable[[Schema, str], Group]

FILES = [
    "nano_dy.root",
    "nano_dy.parquet",
    "nano_dy_rntuple.root",
    "nano_dy_empty.root",
    "nano_dimuon.root",
    "nano_dimuon.parquet",
    "nano_tt_v12.root",
    "nano_tt_v15.root",
    "missing_luminosityBlock.root",
    "Run2012B_SingleMu-1000.parquet",
    "Run2012BC_DoubleMuParked_Muons_1000evts_rntuple_v1-0-0-0.root",
]
VECTOR = "Jet_pt:[] Jet_eta:[] Jet_phi:[] Jet_mass:[]"


def test_prefix_with_counter_is_a_collection(listed: Listed, layout: Layout) -> None:
    schema = pack.build(listed("nJet:int32 Jet_pt:[]:nJet Jet_btag_deep:[]:nJet"))
    assert layout(schema) == {"Jet": ["pt", "btag_deep"], "nJet": None}


def test_prefix_of_event_columns_is_a_record(listed: Listed, layout: Layout) -> None:
    schema = pack.build(listed("MET_pt MET_phi HLT_IsoMu24:bool"))
    assert layout(schema) == {"MET": ("pt", "phi"), "HLT": ("IsoMu24",)}


def test_list_without_prefix_is_a_list_of_the_event(listed: Listed) -> None:
    schema = pack.build(listed("nLHEPdfWeight:int32 LHEPdfWeight:[]:nLHEPdfWeight"))
    leaf = schema.root.fields["LHEPdfWeight"]
    assert isinstance(leaf, Leaf)
    assert leaf.depth == 1


def test_collection_without_its_counter_is_a_collection(listed: Listed, layout: Layout) -> None:
    assert layout(pack.build(listed("Jet_pt:[] Jet_eta:[]"))) == {"Jet": ["pt", "eta"]}


def test_list_of_records_is_a_collection(listed: Listed, layout: Layout) -> None:
    schema = pack.build(listed("run:int32 Jet.pt:[] Jet.btag_deep:[] My_Jets.pt:[] MET.pt HLT_IsoMu24:bool"))
    names = {"Jet": ["pt", "btag_deep"], "My_Jets": ["pt"], "MET": ("pt",), "HLT": ("IsoMu24",), "run": None}
    assert layout(schema) == names


def test_records_in_records_are_records_of_each_row(listed: Listed, group: Find) -> None:
    jet = group(pack.build(listed("Jet.pt:[] Jet.id.loose:bool[] Jet.parts.e:[][]")), "Jet")
    members = {name: (member.is_list, list(member.fields)) for name, member in jet.fields.items() if name != "pt"}  # type: ignore[union-attr]
    assert members == {"id": (False, ["loose"]), "parts": (True, ["e"])}


def test_column_and_member_of_a_record_with_one_name_are_both_there(listed: Listed, layout: Layout) -> None:
    schema = pack.build(listed("Jet_pt:[] Jet.pt:[] Jet.eta:[]"))
    assert layout(schema) == {"Jet": ["pt", "eta"], "Jet.pt": None}


@pytest.fixture(scope="module")
def regrouped(data: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """`regrouped("parquet")`: some of `nano_dy.root`, with a list of records for each collection."""

    def write(kind: str) -> str:
        wanted = {"Muon": "pt eta phi mass charge genPartIdx", "GenPart": "pt eta phi mass pdgId genPartIdxMother"}
        with uproot.open({data("nano_dy.root"): "Events"}) as tree:
            groups = {
                name: ak.zip({field: tree[f"{name}_{field}"].array() for field in fields.split()})
                for name, fields in wanted.items()
            }
            met = {"MET": ak.zip({field: tree[f"MET_{field}"].array() for field in ("pt", "phi")})}
        events = ak.zip(groups | met, depth_limit=1)
        path = tmp_path_factory.mktemp("regrouped") / f"events.{kind}"
        if kind == "parquet":
            ak.to_parquet(events, path)
        else:
            with uproot.recreate(path) as file:
                file.mkrntuple("Events", events)
        return str(path)

    return write


@pytest.mark.parametrize("engine", ["columnar", "fused"])
@pytest.mark.parametrize("kind", ["root", "parquet"])
def test_lists_of_records_give_what_the_columns_give(
    data: Callable[[str], str], regrouped: Callable[[str], str], kind: str, engine: str
) -> None:
    def asked(events: Any) -> dict[str, Any]:
        pairs = ht.pairs(events.Muon[events.Muon.pt > 3])
        return {
            "mass": (pairs.a + pairs.b).mass,
            "matched": events.Muon.matched_gen.pdgId,
            "mothers": events.GenPart.parent.pt,
            "met": events.MET.pt[events.Muon.Count() > 1],
            "hist": ht.Hist.new.Reg(10, 0, 100, name="pt").Double().fill(events.Muon.pt),
        }

    expected = ht.make_local(asked(ht.nanoaod(data("nano_dy.root"))), engine=engine)
    found = ht.make_local(asked(ht.nanoaod(regrouped(kind))), engine=engine)
    for name in ("mass", "matched", "mothers", "met"):
        assert found[name].tolist() == expected[name].tolist()
    assert found["hist"] == expected["hist"]
    assert len(ak.flatten(found["mass"])) > 5


def test_counter_of_a_single_column_is_no_collection(listed: Listed, layout: Layout) -> None:
    schema = pack.build(listed("nJet_pt:int32 Jet_pt:[]:nJet_pt nJet_eta:int32 Jet_eta:[]:nJet_eta"))
    assert layout(schema) == {"Jet": ["pt", "eta"], "nJet_pt": None, "nJet_eta": None}


def test_lists_with_other_counters_are_lists_of_a_record(listed: Listed) -> None:
    schema = pack.build(listed("LHE_HT LHE_weights:[]:nw"))
    member = schema.root.fields["LHE"]
    assert isinstance(member, Group)
    assert (member.is_list, list(member.fields)) == (False, ["HT", "weights"])


def test_event_column_with_the_prefix_of_a_collection_keeps_its_name(listed: Listed, layout: Layout) -> None:
    schema = pack.build(listed("nJet:int32 Jet_pt:[]:nJet Jet_leading:"))
    assert layout(schema) == {"Jet": ["pt"], "nJet": None, "Jet_leading": None}


def test_column_with_the_name_of_a_collection_is_not_lost(listed: Listed, layout: Layout) -> None:
    assert layout(pack.build(listed("Jet:int32 Jet_pt:[]"))) == {"Jet": ["pt"], "Jet_": None}


@pytest.mark.parametrize("name", FILES)
def test_no_column_of_a_file_is_lost(described: Described, name: str) -> None:
    columns = described(name)
    schema = pack.build(columns)
    found = [leaf for leaf in schema.root.leaves() if leaf.constant is None]
    assert {leaf.column for leaf in found} == set(columns)
    assert all(leaf is columns[leaf.column] for leaf in found)


def test_missing_charge_of_jets_is_constant(listed: Listed, group: Find) -> None:
    jet = group(pack.build(listed(VECTOR)), "Jet")
    assert jet.fields["charge"] == Leaf("Jet_charge", "float32", 1, constant=0.0, like="pt")
    assert jet.behavior == "Jet"


def test_stored_charge_of_jets_stays(listed: Listed, group: Find) -> None:
    columns = listed(f"{VECTOR} Jet_charge:int32[]")
    assert group(pack.build(columns), "Jet").fields["charge"] is columns["Jet_charge"]


def test_energy_beside_a_mass_is_renamed_as_in_coffea(listed: Listed, group: Find) -> None:
    text = VECTOR.replace("Jet", "Electron") + " Electron_charge:int32[] Electron_energy:[]"
    columns = listed(text)
    electron = group(pack.build(columns), "Electron")
    assert electron.behavior == "Electron"
    assert electron.fields["regrEnergy"] is columns["Electron_energy"]


def test_raw_momentum_of_corrected_jets_is_their_momentum(listed: Listed, group: Find) -> None:
    columns = listed("nCorrT1METJet:int32 CorrT1METJet_rawPt:[] CorrT1METJet_eta:[] CorrT1METJet_phi:[]")
    jets = group(pack.build(columns), "CorrT1METJet")
    assert jets.fields["pt"] is columns["CorrT1METJet_rawPt"]
    assert jets.behavior == "PtEtaPhiMCollection"


@pytest.mark.parametrize(
    ("text", "behavior"),
    [
        ("Jet_pt:[]", ""),
        ("Muon_pt:[] Muon_eta:[] Muon_phi:[] Muon_mass:[]", "PtEtaPhiMCollection"),
        ("My_pt:[] My_eta:[] My_phi:[] My_mass:[] My_charge:[]", "PtEtaPhiMCandidate"),
        ("PFMET_pt PFMET_phi", "MissingET"),
        ("MET_pt", ""),
        ("PV_npvs:int32", ""),
        ("PV_x PV_y PV_z", "Vertex"),
        ("SV_x:[] SV_y:[] SV_z:[]", ""),
        ("Muon_pt:[] Muon_eta:[] Muon_phi:[] Muon_mass:[] Muon_charge:?", "PtEtaPhiMCollection"),
    ],
)
def test_behavior_is_the_one_that_the_fields_allow(listed: Listed, group: Find, text: str, behavior: str) -> None:
    assert group(pack.build(listed(text)), text.partition("_")[0]).behavior == behavior


def test_references_are_named_as_in_coffea(described: Described, group: Find) -> None:
    schema = pack.build(described("nano_dy.root"))
    assert group(schema, "Muon").references == {
        "matched_gen": Reference("GenPart", ("genPartIdx",)),
        "matched_jet": Reference("Jet", ("jetIdx",)),
        "matched_fsrPhoton": Reference("FsrPhoton", ("fsrPhotonIdx",)),
    }
    assert group(schema, "GenPart").references == {
        "parent": Reference("GenPart", ("genPartIdxMother",)),
        "children": Reference("GenPart", ("genPartIdxMother",), many=True, inverse=True),
    }
    assert group(schema, "FatJet").references == {
        "subjets": Reference("SubJet", ("subJetIdx1", "subJetIdx2"), many=True)
    }


def test_reference_without_its_target_is_left_out(listed: Listed, group: Find) -> None:
    muon = group(pack.build(listed("Muon_pt:[] Muon_jetIdx:int32[] Muon_genPartIdx:int32[] Jet_pt:[]")), "Muon")
    assert list(muon.references) == ["matched_jet"]


def test_constituents_of_pfnano_are_found_by_their_jet(listed: Listed, group: Find) -> None:
    schema = pack.build(listed("Jet_pt:[] JetPFCands_jetIdx:int32[] JetPFCands_pFCandsIdx:int32[] PFCands_pt:[]"))
    assert group(schema, "Jet").references == {
        "constituents": Reference("JetPFCands", ("jetIdx",), many=True, inverse=True)
    }
    assert group(schema, "JetPFCands").references["pf"] == Reference("PFCands", ("pFCandsIdx",))


def test_description_of_a_collection_is_that_of_its_counter(described: Described, group: Find) -> None:
    muon = group(pack.build(described("nano_dy.root")), "Muon")
    assert muon.counter == "nMuon"
    assert muon.doc.startswith("slimmedMuons after basic selection")


def test_column_with_a_problem_stays(listed: Listed, group: Find) -> None:
    jet = group(pack.build(listed("nJet:int32 Jet_pt:[] Jet_odd:?")), "Jet")
    assert jet.fields["odd"] == Leaf("Jet_odd", "", problem="cannot be read")


def test_rules_are_refused(listed: Listed) -> None:
    with pytest.raises(ValueError, match=r"'nanoaod' takes no 'collections'.*'flat'"):
        pack.build(listed("run:int32"), collections={})
