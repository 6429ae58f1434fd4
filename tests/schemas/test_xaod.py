"""ATLAS events without a file: the schema that comes from the tables of func_adl_servicex_xaodr22."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.graph import build, serialize
from hep_tables_coffea.record.array import wrap
from hep_tables_coffea.schemas._xaod_types import class_fields
from hep_tables_coffea.schemas.xaod import Column, Step, access, pack
from hep_tables_coffea.types.dataset import Dataset, Sample
from hep_tables_coffea.types.schema import Group, Leaf

pytest.importorskip("func_adl_servicex_xaodr22")

MODEL = Path(__file__).parent.parent / "servicex" / "xaod" / "event_model.h"


def events(**rules: Any) -> ht.Array:
    """Recorded events, with no file behind them."""
    sample = Sample("zee", (("rucio://mc20:zee", None),))
    return wrap(build.source(Dataset("zee", (sample,), pack.build({}, **rules))))


def collection(name: str, **rules: Any) -> Group:
    found = pack.build({}, **rules).root.fields[name]
    assert isinstance(found, Group)
    return found


def leaf(path: str, **rules: Any) -> Leaf:
    """`leaf("Electrons.pt")`; what is before the last dot is a collection or a call of one."""
    name, _, field = path.rpartition(".")
    found = collection(name, **rules).fields[field]
    assert isinstance(found, Leaf)
    return found


def named(dictionaries: list[dict[str, Any]], kind: str) -> list[str]:
    return [one.get("name", one.get("method_name")) for one in dictionaries if one["metadata_type"] == kind]


# -- what an event has ------------------------------------------------------------------------------------------------


def test_every_collection_of_the_tables_is_there_and_can_be_made() -> None:
    root = pack.build({}).root
    assert len(root.fields) == 122
    assert len(root.leaves()) > 3500


def test_a_method_without_arguments_is_a_column_of_its_type() -> None:
    assert leaf("Electrons.pt") == Leaf("Electrons('AnalysisElectrons').pt", "float64", 1, "double [MeV]")
    assert leaf("EventInfo.eventNumber") == Leaf(
        "EventInfo('EventInfo').eventNumber", "uint64", 0, "unsigned long long"
    )


def test_a_list_of_numbers_is_one_list_deeper_and_has_the_type_of_the_list() -> None:
    weights = leaf("EventInfo.mcEventWeights")
    assert (weights.dtype, weights.depth) == ("float32", 1)


def test_an_enumeration_is_a_number_whose_meaning_is_in_its_doc() -> None:
    quality = leaf("Muons.quality")
    assert (quality.dtype, quality.doc) == ("int32", "0 Tight, 1 Medium, 2 Loose, 3 VeryLoose")


def test_a_list_of_objects_is_a_collection_in_each_row() -> None:
    inner = collection("Jets").fields["getConstituents"]
    assert isinstance(inner, Group)
    assert inner.is_list
    assert inner.behavior == "PtEtaPhiMLorentzVector"
    assert inner.fields["pt"] == Leaf("Jets('AnalysisJets').getConstituents.pt", "float64", 2, "double [MeV]")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("Electrons.isolationValue", "takes arguments"),
        ("Muons.primaryTrackParticle", "one object that need not be there"),
        ("Electrons.p4", "itself this vector"),
        ("EventInfo.subEvents", "neither a number nor a list"),
        ("BTaggings.pu", "no usual bank"),
    ],
)
def test_what_is_no_column_says_why(path: str, reason: str) -> None:
    assert reason in leaf(path).problem


def test_methods_that_change_an_object_or_tell_of_its_store_are_left_out() -> None:
    names = set(collection("Muons").fields)
    assert not {"setCharge", "clearDecorations", "hasStore", "trackIndices"} & names


def test_particles_have_each_coordinate_once() -> None:
    jets = collection("Jets")
    stored = jets.fields["stored"]
    assert isinstance(stored, Group)
    assert (jets.behavior, set(stored.fields)) == ("PtEtaPhiMLorentzVector", {"e", "px", "py", "pz"})
    assert collection("Electrons").behavior == "Candidate"


def test_missing_energy_is_a_vector_in_the_transverse_plane() -> None:
    met = collection("MissingET")
    assert met.behavior == "PolarTwoVector"
    assert met.fields["pt"] == met.fields["met"]


def test_the_event_model_of_the_tests_has_the_methods_and_types_of_the_tables() -> None:
    text = MODEL.read_text()
    found = 0
    for body in re.findall(r"^OBJECT\((\w+), \w+\)\n(.*?)^\};", text, re.DOTALL | re.MULTILINE):
        fields = class_fields(f"xAOD::{body[0]}", "x", 0)
        for type_, method in re.findall(r"VALUE\((.+), (\w+)\)", body[1]):
            known = fields[method]
            assert isinstance(known, Leaf)
            element = re.sub(r"std::|vector<|>", "", type_)
            assert (known.doc.removesuffix(" [MeV]"), known.depth) == (element, int("vector" in type_)), method
            found += 1
    assert found > 30


# -- banks and calibration --------------------------------------------------------------------------------------------


def test_the_usual_banks_follow_the_format() -> None:
    assert leaf("Electrons.pt").column == "Electrons('AnalysisElectrons').pt"
    uncalibrated = leaf("Electrons.pt", format="PHYS", calibrate=False)
    assert uncalibrated.column == "Electrons('Electrons').pt"
    assert leaf("Vertices.z").column == "Vertices('PrimaryVertices').z"


def test_a_bank_is_part_of_the_identity() -> None:
    source = events()._node
    usual, named_bank = source, build.field(source, "Electrons('Electrons')")
    one, other = build.field(build.field(usual, "Electrons"), "pt"), build.field(named_bank, "pt")
    assert one.digest != other.digest
    with pytest.raises(ht.HepTablesError, match="two collections, Electrons and Electrons_Electrons"):
        wrap(one) + wrap(other)


def test_a_calibrated_collection_says_what_it_is_made_of() -> None:
    column = leaf("Jets.pt", format="PHYS").column
    assert access(column) == Column(
        "Jets", "AntiKt4EMPFlowJetsCalib_OR_NOSYS", (Step("pt"),), "AntiKt4EMPFlowJets", "NOSYS"
    )


def test_a_variation_reaches_the_bank_and_the_jobs() -> None:
    schema = pack.build({}, format="PHYS", systematic="JET_JER__1up")
    column = schema.root.fields["Jets"].fields["pt"].column  # type: ignore[union-attr]
    assert "Calib_OR_JET_JER__1up" in column
    first = pack.metadata(schema, [column])[0]
    assert "sysService.systematicsList = ['JET_JER__1up']" in first["script"]


def test_jobs_come_in_the_order_in_which_they_depend_on_each_other() -> None:
    schema = pack.build({}, format="PHYS")
    found = pack.metadata(schema, [leaf("Muons.pt", format="PHYS").column])
    seen: set[str] = set()
    for one in found:
        if one["metadata_type"] == "add_job_script":
            assert set(one.get("depends_on", ())) <= seen
            seen.add(one["name"])
    assert {"sys_error_tool", "corrections_muon", "add_calibration_to_job"} <= seen


def test_changes_of_the_calibration_reach_the_bank() -> None:
    changed = leaf("Electrons.pt", format="PHYS", configuration={"electron_working_point": "TightLHElectron"})
    assert "Electrons_TightLHElectron_NonIso" in changed.column


def test_one_query_has_one_calibration() -> None:
    schema = pack.build({}, format="PHYS")
    calls = [f"Jets('AntiKt4EMPFlowJets', systematic={name!r})" for name in ("NOSYS", "JET_JER__1up")]
    columns = [schema.root.fields[call].fields["pt"].column for call in calls]  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="one query cannot calibrate in two ways"):
        pack.metadata(schema, columns)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("Jets('AnalysisJets', calibrate=False)", "Jets of PHYSLITE: .* not possible"),
        ("Jets('AnalysisJets', bank=1)", "Jets takes no bank: it takes calibrate, systematic"),
        ("Vertices('PrimaryVertices', calibrate=True)", "Vertices takes no calibrate"),
        ("Jets(1)", r"Jets\(1\) is no collection"),
    ],
)
def test_a_call_that_cannot_be_is_refused(call: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        collection(call)


# -- what a query needs -----------------------------------------------------------------------------------------------


def test_metadata_of_a_column_are_the_collection_and_the_method() -> None:
    schema = pack.build({})
    found = pack.metadata(schema, ["Electrons('AnalysisElectrons').pt"])
    assert found[0] == {
        "metadata_type": "add_atlas_event_collection_info",
        "name": "Electrons",
        "include_files": ["xAODEgamma/ElectronContainer.h"],
        "container_type": "DataVector<xAOD::Electron_v1>",
        "element_type": "xAOD::Electron_v1",
        "contains_collection": True,
        "link_libraries": ["xAODEgamma"],
    }
    assert named(found, "add_method_type_info") == ["pt"]


def test_metadata_are_not_repeated() -> None:
    found = pack.metadata(pack.build({}), ["Electrons('A').pt", "Electrons('B').pt", "Electrons('B').eta"])
    assert named(found, "add_atlas_event_collection_info") == ["Electrons"]
    assert named(found, "add_method_type_info") == ["pt", "eta"]


def test_metadata_of_the_user_come_last() -> None:
    mine = {"metadata_type": "inject_code", "name": "mine", "body_includes": ["mine.h"]}
    assert pack.metadata(pack.build({}, metadata=[mine]), ["Jets('A').pt"])[-1] == mine


def test_lists_of_whole_numbers_keep_their_type_where_the_tables_would_cut_them_off() -> None:
    found = pack.metadata(pack.build({}), ["L1TopoRawDatas('x').dataWords"])
    types = [one["return_type_element"] for one in found if "return_type_element" in one]
    assert types == ["unsigned int"]


def test_attributes_are_columns_that_a_function_reads() -> None:
    rules: dict[str, Any] = {"attributes": {"Jets": {"Width": "float", "TrackPt": "vector<float>"}}}
    width, pts = leaf("Jets.Width", **rules), leaf("Jets.TrackPt", **rules)
    assert (width.dtype, width.depth, pts.depth) == ("float32", 1, 2)
    assert access(width.column).steps == (Step("auxdata_float", ("Width",)),)
    found = pack.metadata(pack.build({}, **rules), [width.column, pts.column])
    assert named(found, "add_cpp_function") == ["auxdata_float", "auxdata_vector_float"]


def test_a_name_that_is_no_column_is_not_taken_apart() -> None:
    with pytest.raises(ValueError, match="'Electron_pt' is no column"):
        access("Electron_pt")


# -- rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"bank": "x"}, "it has no rule bank: its rules are format, calibrate"),
        ({"format": "AOD"}, "no format 'AOD' of xAOD events: PHYS, PHYSLITE"),
        ({"configuration": {"muon": 1}}, "a calibration has no 'muon'"),
        ({"attributes": {"Jet": {"Width": "float"}}}, "attributes of Jet: there is no such collection"),
        ({"metadata": [{1, 2}]}, "its rules go to a server, as JSON"),
    ],
)
def test_rules_that_do_not_exist_are_refused(rules: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack.build({}, **rules)


def test_an_attribute_has_a_type_that_a_column_can_have() -> None:
    with pytest.raises(ValueError, match="'Width' has the type 'real'"):
        collection("Jets", attributes={"Jets": {"Width": "real"}})


def test_no_file_is_taken_for_xaod_events() -> None:
    assert pack.matches({"AnalysisElectronsAuxDyn.pt": Leaf("AnalysisElectronsAuxDyn.pt", "float32", 1)}) == 0


# -- recording --------------------------------------------------------------------------------------------------------


def test_methods_are_recorded_as_they_are_called_in_the_paper() -> None:
    electrons = events().Electrons
    good = electrons[(electrons.pt() > 50000) & (abs(electrons.eta()) < 1.5)]
    assert (good.pt() / 1000).type == "event * Electrons' * float64"


def test_objects_behave_as_vectors() -> None:
    df = events()
    pair = ht.pairs(df.Electrons)
    assert (pair.a + pair.b).mass.type == "event * Electrons_2 * float64"
    assert df.Electrons.nearest(df.TruthParticles).pdgId.type == "event * Electrons * ?int32"
    assert df.Jets.e.type == "event * Jets * float64"


def test_an_unknown_method_is_an_error_with_the_names_close_to_it() -> None:
    with pytest.raises(AttributeError, match=r"Electrons has no 'ptt'[\s\S]*did you mean pt\?"):
        _ = events().Electrons.ptt


def test_an_unknown_collection_is_an_error_with_the_names_close_to_it() -> None:
    with pytest.raises(AttributeError, match=r"events has no 'Elecrons'[\s\S]*did you mean Electrons\?"):
        _ = events().Elecrons


def test_what_is_recorded_can_be_sent_away() -> None:
    node = build.field(build.field(events()._node, "Electrons('Electrons')"), "pt")
    (again,) = serialize.load(serialize.dump([node]))
    assert again.digest == node.digest
    assert again.args[0].type.group.fields["pt"].column == "Electrons('Electrons').pt"


# -- the package ------------------------------------------------------------------------------------------------------


def test_the_tables_are_not_read_before_a_schema_is_built() -> None:
    code = (
        "import sys; import hep_tables_coffea.schemas.xaod; "
        "assert not {'func_adl_servicex_xaodr22', 'func_adl'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_package_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "func_adl_servicex_xaodr22", None)
    with pytest.raises(ValueError, match=r"pip install 'hep_tables_coffea\[servicex\]'"):
        pack.build({})
