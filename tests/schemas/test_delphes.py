"""Delphes: stored names and those that vectors need."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import awkward as ak
import pytest
import uproot
from coffea.nanoevents.methods import candidate

from hep_tables_coffea import files
from hep_tables_coffea.schemas.delphes import pack
from hep_tables_coffea.types.schema import Group, Leaf, Schema

if TYPE_CHECKING:
    from pathlib import Path

Listed = Callable[[str], dict[str, Leaf]]
Described = Callable[..., dict[str, Leaf]]
Layout = Callable[[Schema], dict[str, Any]]
Find = Callable[[Schema, str], Group]


@pytest.fixture
def small(tmp_path: Path) -> str:
    """Two events with names as Delphes gives them; uproot cannot write the TClonesArrays that they come from."""
    path = str(tmp_path / "delphes.root")
    one, two = ak.Array([[50.0, 40.0], [30.0]]), ak.Array([[20.0], []])
    zero, flat = ak.zeros_like(one), ak.zeros_like(two)
    columns = {
        "Event.Number": ak.Array([[7], [8]]),
        "Jet.PT": one,
        "Jet.Eta": zero,
        "Jet.Phi": zero + ak.local_index(one),
        "Jet.Mass": zero + 5,
        "Jet_size": ak.Array([2, 1]),
        "Muon.PT": two,
        "Muon.Eta": flat,
        "Muon.Phi": flat + 2,
        "Muon.Charge": ak.values_astype(flat + 1, "int32"),
        "Muon_size": ak.Array([1, 0]),
        "MissingET.MET": ak.Array([[10.0], [20.0]]),
        "MissingET.Eta": ak.Array([[1.0], [2.0]]),
        "MissingET.Phi": ak.Array([[0.5], [0.25]]),
        "MissingET_size": ak.Array([1, 1]),
    }
    with uproot.recreate(path) as file:
        file.mktree("Delphes", {name: array.layout.form.type for name, array in columns.items()})
        file["Delphes"].extend(columns)
    return path


def arrays(path: str, group: Group) -> ak.Array:
    """The stored coordinates of a collection, and its constants, as a vector."""
    names = {name: leaf for name, leaf in group.fields.items() if isinstance(leaf, Leaf) and name.islower()}
    stored = files.read(path, "Delphes", [leaf.column for leaf in names.values()], 0, 2)
    fields = {name: stored[leaf.column] for name, leaf in names.items() if leaf.constant is None}
    fields |= {n: ak.full_like(fields[f.like], f.constant) for n, f in names.items() if f.constant is not None}
    return ak.zip(fields, with_name=group.behavior, behavior=candidate.behavior)


def test_small_file_is_known_by_its_names(small: str, described: Described) -> None:
    assert pack.matches(described(small, "Delphes")) == 92


def test_momentum_has_the_names_of_vectors_too(small: str, described: Described, group: Find) -> None:
    columns = described(small, "Delphes")
    jet = group(pack.build(columns), "Jet")
    assert list(jet.fields) == ["PT", "Eta", "Phi", "Mass", "pt", "eta", "phi", "mass"]
    assert jet.fields["pt"] is jet.fields["PT"] is columns["Jet.PT"]
    assert (jet.behavior, jet.counter) == ("PtEtaPhiMLorentzVector", "Jet_size")


def test_muons_have_no_mass(small: str, described: Described, group: Find) -> None:
    muon = group(pack.build(described(small, "Delphes")), "Muon")
    assert muon.fields["mass"] == Leaf("Muon.mass", "float32", 1, constant=0.0, like="pt")
    assert muon.behavior == "Candidate"


def test_muon_and_jet_have_a_mass_together(small: str, described: Described, group: Find) -> None:
    schema = pack.build(described(small, "Delphes"))
    jets, muons = (arrays(small, group(schema, name)) for name in ("Jet", "Muon"))
    # mass^2 = 5^2 + 2 (E1 E2 - p1 p2 cos(2)), E1^2 = 50^2 + 5^2, p2 = E2 = 20
    assert (jets[0, 0] + muons[0, 0]).mass == pytest.approx(53.5469, rel=1e-5)


def test_missing_momentum_is_a_transverse_vector(small: str, described: Described, group: Find) -> None:
    met = group(pack.build(described(small, "Delphes")), "MissingET")
    assert (met.is_list, met.behavior) == (True, "PolarTwoVector")
    assert met.fields["pt"] is met.fields["MET"]


def test_transverse_energy_stands_for_momentum_where_there_is_none(listed: Listed, group: Find) -> None:
    schema = pack.build(listed("Tower.ET:[] Tower.Eta:[] Tower.Phi:[] Tower.E:[] Tower_size:int32"))
    tower = group(schema, "Tower")
    assert tower.fields["pt"] is tower.fields["ET"]
    assert list(group(schema, "Tower.stored").fields) == ["E"]
    assert tower.behavior == "PtEtaPhiMLorentzVector"


def test_lorentz_vector_of_root_is_one(listed: Listed, group: Find) -> None:
    stored = "Jet.P4.fP.fX:[] Jet.P4.fP.fY:[] Jet.P4.fP.fZ:[] Jet.P4.fE:[]"
    p4 = group(pack.build(listed(f"Jet.PT:[] {stored}")), "Jet.P4")
    assert (list(p4.fields), p4.behavior) == (["x", "y", "z", "t"], "LorentzVector")


def test_brackets_are_no_part_of_names(listed: Listed, layout: Layout) -> None:
    assert layout(pack.build(listed("Jet.PT:[] Jet.Tau[5]:[][]"))) == {"Jet": ["PT", "Tau_5"]}


def test_references_of_root_stay_with_their_problem(listed: Listed, group: Find) -> None:
    jet = group(pack.build(listed("Jet.PT:[] Jet.Constituents:?")), "Jet")
    assert jet.fields["Constituents"] == Leaf("Jet.Constituents", "", problem="cannot be read")
