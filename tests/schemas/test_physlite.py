"""PHYSLITE: containers as collections, links as records, truth particles that coffea cannot make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import awkward as ak
import pytest
from coffea.nanoevents.methods import candidate

from hep_tables_coffea import files
from hep_tables_coffea.schemas.physlite import pack
from hep_tables_coffea.types.schema import Group, Leaf, Schema

Listed = Callable[[str], dict[str, Leaf]]
Described = Callable[..., dict[str, Leaf]]
Layout = Callable[[Schema], dict[str, Any]]
Find = Callable[[Schema, str], Group]
Column = Callable[[Schema, str], str]
EXAMPLE = "PHYSLITE_example.root"


@pytest.mark.parametrize(
    ("column", "name", "field"),
    [
        ("AnalysisElectronsAuxDyn.pt", "Electrons", "pt"),
        ("AnalysisElectronsAuxDyn:pt", "Electrons", "pt"),
        ("AntiKt10UFOCSSKJetsAux.eta", "AntiKt10UFOCSSKJets", "eta"),
        ("MET_Core_AnalysisMETAuxDyn.mpx", "MET_Core_MET", "mpx"),
    ],
)
def test_container_is_a_collection(listed: Listed, layout: Layout, column: str, name: str, field: str) -> None:
    columns = {column: Leaf(column, "float32", 1)}
    assert layout(pack.build(columns)) == {name: [field]}


def test_event_info_is_a_record_with_its_usual_columns_beside(listed: Listed, layout: Layout) -> None:
    schema = pack.build(listed("EventInfoAuxDyn.runNumber:uint32 EventInfoAuxDyn.mcEventWeights:[]"))
    assert layout(schema) == {"EventInfo": ("runNumber", "mcEventWeights"), "runNumber": None, "mcEventWeights": None}


def test_links_are_records_of_a_row(described: Described, group: Find) -> None:
    electrons = group(pack.build(described(EXAMPLE)), "Electrons")
    one, many = electrons.fields["TruthLink"], electrons.fields["trackParticleLinks"]
    assert isinstance(one, Group)
    assert isinstance(many, Group)
    assert (one.is_list, list(one.fields)) == (False, ["m_persKey", "m_persIndex"])
    assert (many.is_list, [leaf.depth for leaf in many.leaves()]) == (True, [2, 2])


def test_no_column_of_the_file_is_lost(described: Described) -> None:
    columns = described(EXAMPLE)
    found = [leaf for leaf in pack.build(columns).root.leaves() if leaf.constant is None]
    assert {leaf.column for leaf in found} == set(columns)


def test_objects_that_cannot_be_read_are_apart(described: Described, group: Find) -> None:
    unreadable = group(pack.build(described(EXAMPLE)), "unreadable")
    assert all(leaf.problem.startswith("uproot cannot") for leaf in unreadable.leaves())
    assert "AnalysisElectrons" in unreadable.fields
    assert "EventInfoAuxDyn.hardScatterVertexLink" not in unreadable.fields


def test_muons_without_a_mass_get_theirs(described: Described, group: Find) -> None:
    muons = group(pack.build(described(EXAMPLE)), "Muons")
    assert muons.fields["m"] == Leaf("AnalysisMuonsAuxDyn.m", "float32", 1, constant=105.658, like="pt")
    assert muons.behavior == "Candidate"


def test_stored_mass_of_electrons_stays(described: Described, group: Find) -> None:
    columns = described(EXAMPLE)
    electrons = group(pack.build(columns), "Electrons")
    assert electrons.fields["m"] is columns["AnalysisElectronsAuxDyn.m"]


def test_truth_particles_are_vectors_and_their_energy_is_stored(
    described: Described, group: Find, column: Column
) -> None:
    schema = pack.build(described(EXAMPLE))
    truth = group(schema, "TruthElectrons")
    assert truth.behavior == "LorentzVector"
    assert "e" not in truth.fields
    assert column(schema, "TruthElectrons.stored.e") == "TruthElectronsAuxDyn.e"


def test_energy_of_truth_particles_follows_from_their_mass(data: Callable[[str], str]) -> None:
    names = [f"TruthElectronsAuxDyn.{name}" for name in ("px", "py", "pz", "m", "e")]
    arrays = files.read(data(EXAMPLE), "CollectionTree", names, 0, 100)
    fields = {name.rpartition(".")[2]: arrays[name] for name in names}
    stored = fields.pop("e")
    truth = ak.zip(fields, with_name="LorentzVector", behavior=candidate.behavior)
    assert ak.count(stored) == 415
    assert ak.all(abs(truth.e / stored - 1) < 1e-6)


@pytest.mark.parametrize("name", ["PrimaryVertices", "TruthPrimaryVertices", "GSFTrackParticles", "MET_Truth"])
def test_what_has_no_momentum_is_no_vector(described: Described, group: Find, name: str) -> None:
    assert group(pack.build(described(EXAMPLE)), name).behavior == ""


def test_mass_of_a_pair_of_electrons(
    data: Callable[[str], str], described: Described, group: Find, column: Column
) -> None:
    schema = pack.build(described(EXAMPLE))
    wanted = {name: column(schema, f"Electrons.{name}") for name in ("pt", "eta", "phi", "m", "charge")}
    arrays = files.read(data(EXAMPLE), "CollectionTree", wanted.values(), 0, 100)
    fields = {name: arrays[column] for name, column in wanted.items()}
    vectors = ak.zip(fields, with_name=group(schema, "Electrons").behavior, behavior=candidate.behavior)
    assert ak.count(vectors.pt) == 134
    a, b = ak.unzip(ak.combinations(vectors[vectors.pt > 10000], 2))
    mass = (a + b).mass[a.charge != b.charge] / 1000
    assert ak.count(mass) == 42
    assert ak.sum(mass) == pytest.approx(3565.34, rel=1e-5)
