"""Events in the layout of PHYSLITE: is the layout right, and are the events those of NanoAOD?"""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
import uproot
from coffea.nanoevents import NanoEventsFactory, PHYSLITESchema

from hep_tables_coffea import samples

TRUTH = {"Electrons": 394_100_163, "Muons": 342_174_277}


@pytest.fixture(scope="module")
def same_in_nano(tmp_path_factory):
    """The events of `lite` in the layout of NanoAOD."""
    path = samples.nanoaod(tmp_path_factory.mktemp("samples") / "same.root", events=6_000)
    return uproot.open(path)["Events"]


def test_every_branch_has_the_type_it_has_in_a_real_file(lite, data):
    real = uproot.open(data("PHYSLITE_example.root"))["CollectionTree"]
    names = [branch.name for branch in lite.branches if branch.name[:1] != "n" and "WithDecay" not in branch.name]
    here = {name: lite[name].typename for name in names}
    there = {name: real[name].typename.replace("std::vector<", "").replace(">", "[]") for name in names}
    assert here == there


def test_every_branch_of_a_collection_is_counted_by_its_counter(lite):
    for branch in lite.branches:
        if branch.typename.endswith("[]"):
            assert ak.all(ak.num(branch.array()) == branch.count_branch.array()), branch.name


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("AnalysisElectronsAuxDyn", "Electron"),
        ("AnalysisMuonsAuxDyn", "Muon"),
        ("AnalysisJetsAuxDyn", "Jet"),
        ("AntiKt4TruthDressedWZJetsAux", "GenJet"),
    ],
)
def test_the_same_seed_gives_the_events_of_nanoaod_in_mev(lite, same_in_nano, here, there):
    np.testing.assert_allclose(
        ak.flatten(lite[f"{here}.pt"].array()), 1000 * ak.flatten(same_in_nano[f"{there}_pt"].array()), rtol=1e-6
    )
    assert ak.array_equal(lite[f"{here}.eta"].array(), same_in_nano[f"{there}_eta"].array())


def test_each_event_has_its_number_and_one_weight(lite, same_in_nano):
    assert ak.array_equal(lite["EventInfoAuxDyn.eventNumber"].array(), same_in_nano["event"].array())
    assert ak.array_equal(lite["EventInfoAuxDyn.mcEventWeights"].array()[:, 0], same_in_nano["genWeight"].array())


@pytest.mark.parametrize("kind", ["Electrons", "Muons"])
def test_a_lepton_is_linked_to_the_true_one_nearby(lite, kind):
    key = lite[f"Analysis{kind}AuxDyn.TruthLink.m_persKey"].array()
    index = lite[f"Analysis{kind}AuxDyn.TruthLink.m_persIndex"].array()
    linked = key == TRUTH[kind]
    assert ak.all(key[~linked] == 0)
    assert ak.all(index[~linked] == 2**32 - 1)
    px, py = (lite[f"Truth{kind}AuxDyn.{part}"].array()[index[linked]] for part in ("px", "py"))
    turn = np.arctan2(py, px) - lite[f"Analysis{kind}AuxDyn.phi"].array()[linked]
    assert ak.max(abs(np.sin(turn))) < 0.01
    assert ak.count(turn) > 3_000


@pytest.mark.parametrize("kind", ["Electrons", "Muons", "Neutrinos"])
def test_truth_particles_know_whether_they_come_from_a_z_boson(lite, kind):
    origin = lite[f"Truth{kind}AuxDyn.classifierParticleOrigin"].array()
    decays = lite["TruthBosonsWithDecayParticlesAuxDyn.pdgId"].array()
    from_z = ak.any(decays == 23, axis=1)
    assert set(ak.flatten(origin[from_z])) <= {13}
    assert set(ak.flatten(origin[~from_z])) == {10}


def test_truth_particles_are_on_their_mass_shell(lite):
    px, py, pz, e, m = (lite[f"TruthMuonsAuxDyn.{part}"].array() for part in ("px", "py", "pz", "e", "m"))
    np.testing.assert_allclose(ak.flatten(px**2 + py**2 + pz**2 + m**2), ak.flatten(e**2), rtol=1e-5)


def test_the_soft_term_less_the_objects_is_the_missing_momentum(lite, same_in_nano):
    x = ak.to_numpy(lite["MET_Core_AnalysisMETAuxDyn.mpx"].array()[:, 0]).astype(float)
    for name in ("AnalysisElectronsAuxDyn", "AnalysisMuonsAuxDyn", "AnalysisJetsAuxDyn"):
        px = lite[f"{name}.pt"].array() * np.cos(lite[f"{name}.phi"].array())
        if "Jets" in name:
            px = px[same_in_nano["Jet_electronIdx1"].array() < 0]
        x = x - ak.to_numpy(ak.sum(px, axis=1))
    pt, phi = (same_in_nano[f"MET_{part}"].array(library="np") for part in ("pt", "phi"))
    np.testing.assert_allclose(x / 1000, pt * np.cos(phi), atol=0.01)


def test_coffea_reads_electrons_muons_jets_and_the_weights(lite_path):
    events = NanoEventsFactory.from_root({lite_path: "CollectionTree"}, schemaclass=PHYSLITESchema).events()
    electrons = events.Electrons[ak.num(events.Electrons) == 2]
    assert np.median((electrons[:, 0] + electrons[:, 1]).mass) == pytest.approx(91_190, abs=500)
    assert ak.all(events.Muons.mass == np.float32(105.658))
    assert ak.all(events.Jets.mass > 0)
    assert ak.all(ak.num(events.EventInfo.mcEventWeights) == 1)
    assert ak.all(events.Electrons.TruthLink.m_persIndex[events.Electrons.truthType == 2] < 2)


def test_parquet_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"'a\.parquet' does not end in \.root"):
        samples.physlite(tmp_path / "a.parquet", events=10)
