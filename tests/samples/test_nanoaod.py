"""Events in the layout of NanoAOD: is the layout right, and is the physics in them?"""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
import uproot
from coffea.nanoevents import NanoAODSchema, NanoEventsFactory

from hep_tables_coffea import samples
from hep_tables_coffea.samples.leptons import electron_resolution, muon_resolution

COLLECTIONS = ["Electron", "Muon", "Jet", "GenJet", "GenPart"]
HARDEST_FIRST = ["Electron", "Muon", "Jet", "GenJet"]


def of_gen(tree, collection: str, field: str, index: str = "genPartIdx", target: str = "GenPart"):
    """A field of the generator object that each object points at, None for those that point at none."""
    rows = tree[f"{collection}_{index}"].array()
    return tree[f"{target}_{field}"].array()[ak.mask(rows, rows >= 0)]


def mother(tree, field: str):
    """A field of the mother of each generator particle, None for those that have none."""
    return of_gen(tree, "GenPart", field, index="genPartIdxMother")


def flat(array) -> np.ndarray:
    return ak.to_numpy(ak.flatten(ak.drop_none(array), axis=None))


# The layout


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_branch_of_a_collection_is_counted_by_its_counter(nano, collection):
    counts = nano[f"n{collection}"].array()
    for branch in nano.branches:
        if branch.name.startswith(f"{collection}_"):
            assert branch.count_branch.name == f"n{collection}"
            assert ak.all(ak.num(branch.array()) == counts)


def test_every_branch_has_the_type_it_has_in_a_real_file(nano, data):
    real = uproot.open(data("nano_dy.root"))["Events"]
    types = {branch.name: branch.typename for branch in nano.branches if branch.name[:1] != "n"}
    assert types == {name: real[name].typename for name in types}


def test_the_tree_has_the_identity_of_each_event(nano):
    assert nano["event"].array(library="np").tolist() == list(range(1, 20_001))
    assert nano["luminosityBlock"].array(library="np")[[0, 999, 1000, 19_999]].tolist() == [1, 1, 2, 20]
    assert set(nano["run"].array(library="np")) == {1}


def test_a_cluster_is_a_basket(nano):
    assert nano["Muon_pt"].num_baskets == 3


def test_the_runs_sum_the_weights_of_each_cluster(nano_path, nano):
    runs = uproot.open(nano_path)["Runs"].arrays(library="np")
    weights = nano["genWeight"].array(library="np").astype(float)
    assert runs["genEventCount"].tolist() == [8_000, 8_000, 4_000]
    assert runs["genEventSumw"].sum() == pytest.approx(weights.sum())
    assert runs["genEventSumw2"].sum() == pytest.approx((weights**2).sum())


@pytest.mark.parametrize("collection", HARDEST_FIRST)
def test_the_hardest_object_comes_first(nano, collection):
    pt = nano[f"{collection}_pt"].array()
    assert ak.all(pt[:, :-1] >= pt[:, 1:])


@pytest.mark.filterwarnings("ignore:Missing cross-reference:RuntimeWarning")
@pytest.mark.parametrize("suffix", ["root", "parquet"])
def test_coffea_finds_the_generator_particle_of_a_lepton(tmp_path, suffix):
    path = samples.nanoaod(tmp_path / f"zmumu.{suffix}", events=500, process="zmumu")
    if suffix == "root":
        factory = NanoEventsFactory.from_root({path: "Events"}, schemaclass=NanoAODSchema)
    else:
        factory = NanoEventsFactory.from_parquet(path, schemaclass=NanoAODSchema)
    muons = factory.events().Muon
    matched = ak.drop_none(muons.matched_gen)
    assert len(flat(matched.pdgId)) > 300
    assert set(flat(abs(matched.pdgId))) == {13}
    assert set(flat(matched.parent.pdgId)) == {23}


def test_parquet_has_the_same_columns_as_root(tmp_path):
    root = uproot.open(samples.nanoaod(tmp_path / "a.root", events=7_000))["Events"].arrays()
    parquet = ak.from_parquet(samples.nanoaod(tmp_path / "a.parquet", events=7_000, cluster=4_000))
    assert set(parquet.fields) == set(root.fields)
    for name in root.fields:
        assert ak.array_equal(parquet[name], root[name], equal_nan=True, check_parameters=False), name


# The generator particles


def test_z_bosons_have_their_mass_and_width(nano):
    mass = np.sort(flat(nano["GenPart_mass"].array()[nano["GenPart_pdgId"].array() == 23]))
    assert len(mass) == pytest.approx(19_000, abs=5 * np.sqrt(20_000 * 0.95 * 0.05))
    low, high = (np.arctan((edge - 91.19) / 1.25) for edge in (60, 120))
    expected = (np.arctan((mass - 91.19) / 1.25) - low) / (high - low)
    assert np.abs(expected - np.arange(len(mass)) / len(mass)).max() < 2.23 / np.sqrt(len(mass))


def test_leptons_come_from_a_boson_of_the_right_charge(nano):
    pdg_id = nano["GenPart_pdgId"].array()
    status = nano["GenPart_status"].array()
    is_lepton = (status == 1) & (abs(pdg_id) % 2 == 1)
    pairs = set(zip(flat(pdg_id[is_lepton]), flat(mother(nano, "pdgId")[is_lepton]), strict=True))
    assert pairs == {
        (sign * kind, parent) for kind in (11, 13) for sign, parent in ((1, 23), (-1, 23), (1, -24), (-1, 24))
    }


def test_mothers_come_before_their_daughters(nano):
    index = nano["GenPart_genPartIdxMother"].array()
    assert ak.all(index < ak.local_index(index))
    assert ak.all(index >= -1)


def test_the_leptons_of_a_z_boson_add_up_to_it(nano):
    pt, phi, pdg_id = (nano[f"GenPart_{name}"].array() for name in ("pt", "phi", "pdgId"))
    one_boson = ak.sum(pdg_id == 23, axis=1) == 1
    from_z = ak.fill_none(mother(nano, "pdgId") == 23, False)
    px, py = (ak.sum((pt * turn(phi))[from_z], axis=1)[one_boson] for turn in (np.cos, np.sin))
    np.testing.assert_allclose(np.hypot(px, py), flat(pt[pdg_id == 23]), rtol=1e-4, atol=1e-3)


def test_half_of_the_z_bosons_decay_to_electrons(nano):
    from_z = nano["GenPart_pdgId"].array()[mother(nano, "pdgId") == 23]
    kinds = flat(from_z)
    electrons = np.count_nonzero(kinds == 11)
    total = np.count_nonzero(kinds > 0)
    assert electrons == pytest.approx(total / 2, abs=5 * np.sqrt(total) / 2)


def test_the_missing_momentum_of_the_generator_is_that_of_the_neutrinos(nano):
    pdg_id = abs(nano["GenPart_pdgId"].array())
    pt, phi = (nano[f"GenPart_{name}"].array()[(pdg_id == 12) | (pdg_id == 14)] for name in ("pt", "phi"))
    expected = np.hypot(ak.sum(pt * np.cos(phi), axis=1), ak.sum(pt * np.sin(phi), axis=1))
    np.testing.assert_allclose(nano["GenMET_pt"].array(), expected, rtol=1e-4, atol=1e-3)


# What a detector makes of them


@pytest.mark.parametrize(("collection", "pdg_id"), [("Electron", 11), ("Muon", 13)])
def test_matched_leptons_point_at_a_particle_of_their_kind_nearby(nano, collection, pdg_id):
    assert set(flat(abs(of_gen(nano, collection, "pdgId")))) == {pdg_id}
    assert np.abs(flat(nano[f"{collection}_eta"].array() - of_gen(nano, collection, "eta"))).max() < 0.01


@pytest.mark.parametrize(("collection", "resolution"), [("Electron", electron_resolution), ("Muon", muon_resolution)])
def test_leptons_are_measured_with_the_resolution_of_their_kind(nano, collection, resolution):
    true = of_gen(nano, collection, "pt")
    pull = flat((nano[f"{collection}_pt"].array() - true) / true)
    pt, eta = flat(true), flat(of_gen(nano, collection, "eta"))
    hard = pt > 20
    pull = pull[hard] / resolution(pt[hard], eta[hard])
    assert abs(pull.mean()) < 5 / np.sqrt(len(pull))
    assert pull.std() == pytest.approx(1, abs=5 / np.sqrt(2 * len(pull)))


@pytest.mark.parametrize(
    ("collection", "reach", "threshold"), [("Electron", 2.5, 5), ("Muon", 2.4, 3), ("Jet", 4.7, 15)]
)
def test_objects_are_within_the_acceptance(nano, collection, reach, threshold):
    assert np.abs(flat(nano[f"{collection}_eta"].array())).max() <= reach
    assert flat(nano[f"{collection}_pt"].array()).min() >= threshold


def test_only_electrons_get_a_wrong_charge_now_and_then(nano):
    wrong = {
        name: flat(nano[f"{name}_charge"].array() == np.sign(of_gen(nano, name, "pdgId")))
        for name in ("Electron", "Muon")
    }
    assert not wrong["Muon"].any()
    number = len(wrong["Electron"])
    assert wrong["Electron"].sum() == pytest.approx(0.004 * number, abs=5 * np.sqrt(0.004 * number))


@pytest.mark.parametrize(("collection", "isolation"), [("Electron", "pfRelIso03_all"), ("Muon", "pfRelIso04_all")])
def test_fakes_are_soft_and_not_isolated(nano, collection, isolation):
    fake = nano[f"{collection}_genPartIdx"].array() < 0
    values, pt = nano[f"{collection}_{isolation}"].array(), nano[f"{collection}_pt"].array()
    assert flat(values[fake]).mean() > 10 * flat(values[~fake]).mean()
    assert flat(pt[fake]).mean() < 15
    assert flat(pt[~fake]).mean() > 35


def test_a_jet_and_the_electron_that_makes_it_point_at_each_other(nano):
    jet = nano["Electron_jetIdx"].array()
    back = nano["Jet_electronIdx1"].array()[ak.mask(jet, jet >= 0)]
    same = ak.drop_none(back == ak.local_index(back))
    assert ak.all(same)
    assert len(flat(same)) == np.count_nonzero(flat(nano["Jet_electronIdx1"].array()) >= 0) > 5_000


def test_jets_have_the_flavour_of_their_generator_jet(nano):
    true = of_gen(nano, "Jet", "hadronFlavour", "genJetIdx", "GenJet")
    assert ak.all(ak.drop_none(nano["Jet_hadronFlavour"].array() == true))


def test_b_jets_have_a_higher_tag_than_light_jets(top):
    flavour, score = flat(top["Jet_hadronFlavour"].array()), flat(top["Jet_btagDeepFlavB"].array())
    assert np.mean(score[flavour == 5] > 0.3) > 0.85
    assert np.mean(score[flavour == 0] > 0.3) < 0.05


def test_the_reconstructed_mass_peaks_at_the_z_boson(nano):
    pt, eta, phi = (nano[f"Muon_{name}"].array() for name in ("pt", "eta", "phi"))
    two = ak.num(pt) == 2
    (pt1, pt2), (eta1, eta2), (phi1, phi2) = (ak.unzip(ak.combinations(values[two], 2)) for values in (pt, eta, phi))
    mass = flat(np.sqrt(2 * pt1 * pt2 * (np.cosh(eta1 - eta2) - np.cos(phi1 - phi2))))
    near = mass[(mass > 80) & (mass < 102)]
    assert len(near) > 0.8 * len(mass)
    assert np.median(near) == pytest.approx(91.19, abs=5 * 1.25 * near.std() / np.sqrt(len(near)))


@pytest.mark.parametrize(("trigger", "collection", "threshold"), [
    ("HLT_IsoMu24", "Muon", 24),
    ("HLT_IsoMu27", "Muon", 27),
    ("HLT_Ele27_WPTight_Gsf", "Electron", 27),
    ("HLT_Ele32_WPTight_Gsf", "Electron", 32),
])  # fmt: skip
def test_a_trigger_needs_a_lepton_above_its_threshold(nano, trigger, collection, threshold):
    fired = nano[trigger].array()
    assert 0.2 < np.mean(fired) < 0.5
    assert ak.all(ak.any(nano[f"{collection}_pt"].array() > threshold, axis=1)[fired])


def test_weights_are_near_one_and_one_in_twenty_is_negative(nano):
    weights = nano["genWeight"].array(library="np")
    assert np.abs(weights).mean() == pytest.approx(1, abs=0.01)
    assert np.count_nonzero(weights < 0) == pytest.approx(1_000, abs=5 * np.sqrt(1_000))


def test_top_pairs_have_two_b_quarks_and_often_different_leptons(top):
    pdg_id = top["GenPart_pdgId"].array()
    assert ak.all(ak.sum(abs(pdg_id) == 5, axis=1) == 2)
    mixed = np.count_nonzero(ak.any(abs(pdg_id) == 11, axis=1) & ak.any(abs(pdg_id) == 13, axis=1))
    assert mixed == pytest.approx(2_500, abs=5 * np.sqrt(1_250))


@pytest.mark.parametrize(("process", "present", "absent"), [("zee", 11, 13), ("zmumu", 13, 11)])
def test_a_process_with_one_kind_of_lepton_has_no_other(tmp_path, process, present, absent):
    tree = uproot.open(samples.nanoaod(tmp_path / "z.root", events=200, process=process))["Events"]
    pdg_id = abs(tree["GenPart_pdgId"].array())
    assert ak.all(ak.sum(pdg_id == present, axis=1) == 2)
    assert not ak.any(pdg_id == absent)


def test_every_number_is_finite(nano):
    for branch in nano.branches:
        assert np.isfinite(flat(branch.array())).all(), branch.name
