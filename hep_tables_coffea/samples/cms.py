"""The layout of CMS NanoAOD: the flat tree `Events`, momenta in [GeV], names and types as in version 9."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hep_tables_coffea.samples.leptons import ELECTRONS, MUONS, Detector
from hep_tables_coffea.samples.truth import HARD
from hep_tables_coffea.samples.write import Columns, Layout

if TYPE_CHECKING:
    from hep_tables_coffea.samples.event import Block
    from hep_tables_coffea.samples.table import Array, Table


def columns(block: Block) -> Columns:
    """The columns of `Events`: collections as lists of records, and one array for each quantity of the event."""
    return {
        "run": np.ones(len(block.number), np.uint32),
        "luminosityBlock": block.whole["luminosity_block"].astype(np.uint32),
        "event": (1 + block.number).astype(np.uint64),
        "genWeight": _float(block.whole["weight"]),
        "Electron": block.electrons.lists(_electrons(block)),
        "Muon": block.muons.lists(_muons(block)),
        "Jet": block.jets.lists(_jets(block)),
        "GenJet": block.generated_jets.lists(_generated_jets(block.generated_jets)),
        "GenPart": block.particles.lists(_particles(block.particles)),
        **_missing(block),
        **_collisions(block),
        **{name: block.whole[name] for name in block.whole if name.startswith("HLT_")},
    }


def runs(events: Columns) -> Columns:
    """One row of the tree `Runs`: how many events a cluster has, and their summed weights."""
    weights = np.asarray(events["genWeight"], np.float64)
    return {
        "run": np.array([1], np.uint32),
        "genEventCount": np.array([len(weights)], np.int64),
        "genEventSumw": np.array([weights.sum()]),
        "genEventSumw2": np.array([(weights**2).sum()]),
    }


LAYOUT = Layout(tree="Events", columns=columns, joint="_", formats=(".root", ".parquet"), runs=runs)


def _float(values: Array) -> Array:
    return values.astype(np.float32)


def _int(values: Array) -> Array:
    return values.astype(np.int32)


def _momenta(table: Table) -> dict[str, Array]:
    return {name: _float(table[name]) for name in ("pt", "eta", "phi")}


def _lepton(block: Block, leptons: Table, detector: Detector) -> dict[str, Array]:
    """What electrons and muons have in common."""
    return {
        **_momenta(leptons),
        "mass": np.full(len(leptons), detector.mass, np.float32),
        "charge": _int(leptons["charge"]),
        "pdgId": _int(leptons["pdg_id"]),
        "dxy": _float(leptons["dxy"]),
        "dz": _float(leptons["dz"]),
        "genPartIdx": block.particles.local(leptons["gen"]),
        "genPartFlav": (leptons["gen"] >= 0).astype(np.uint8),
    }


def _electrons(block: Block) -> dict[str, Array]:
    electrons, jets = block.electrons, block.jets
    jet = np.full(len(electrons), -1)
    rows = np.flatnonzero(jets["electron"] >= 0)
    jet[jets["electron"][rows]] = rows
    return {
        **_lepton(block, electrons, ELECTRONS),
        "cutBased": _int(electrons["grade"]),
        "mvaFall17V2Iso_WP90": electrons["grade"] >= 2,
        "pfRelIso03_all": _float(electrons["isolation"]),
        "jetIdx": jets.local(jet),
    }


def _muons(block: Block) -> dict[str, Array]:
    muons = block.muons
    return {
        **_lepton(block, muons, MUONS),
        "looseId": muons["grade"] >= 1,
        "mediumId": muons["grade"] >= 2,
        "tightId": muons["grade"] >= 3,
        "pfRelIso04_all": _float(muons["isolation"]),
        "jetIdx": np.full(len(muons), -1, np.int32),
    }


def _jets(block: Block) -> dict[str, Array]:
    jets = block.jets
    none = np.full(len(jets), -1, np.int32)
    identified = np.where(jets["electron"] < 0, 6, 2)
    light = np.where(jets["gen"] < 0, 0, 21)
    return {
        **_momenta(jets),
        "mass": _float(jets["mass"]),
        "btagDeepFlavB": _float(jets["score"]),
        "jetId": _int(np.where(jets["luck"] < 0.01, 0, identified)),
        "puId": _int(np.select([jets["hard"] | (jets["pt"] > 50), jets["luck"] < 0.3], [7, 4], 0)),
        "genJetIdx": block.generated_jets.local(jets["gen"]),
        "hadronFlavour": _int(jets["flavour"]),
        "partonFlavour": _int(np.where(jets["flavour"] == 0, light, jets["flavour"])),
        "electronIdx1": block.electrons.local(jets["electron"]),
        "electronIdx2": none,
        "muonIdx1": none,
        "muonIdx2": none,
    }


def _generated_jets(jets: Table) -> dict[str, Array]:
    return {
        **_momenta(jets),
        "mass": _float(jets["mass"]),
        "hadronFlavour": jets["flavour"].astype(np.uint8),
        "partonFlavour": _int(np.where(jets["flavour"] == 0, 21, jets["flavour"])),
    }


def _particles(particles: Table) -> dict[str, Array]:
    incoming = particles["mother"] < 0
    return {
        **_momenta(particles),
        "mass": _float(particles["mass"]),
        "pdgId": _int(particles["pdg_id"]),
        "status": _int(particles["status"]),
        "statusFlags": _int(np.where(incoming, 0, HARD)),
        "genPartIdxMother": particles.local(particles["mother"]),
    }


def _missing(block: Block) -> Columns:
    whole = block.whole
    pt = np.hypot(whole["missing_x"], whole["missing_y"])
    variance = whole["missing_sigma"] ** 2
    return {
        "MET_pt": _float(pt),
        "MET_phi": _float(np.arctan2(whole["missing_y"], whole["missing_x"])),
        "MET_sumEt": _float(whole["sum_et"]),
        "MET_significance": _float(pt**2 / variance),
        "MET_covXX": _float(variance),
        "MET_covXY": np.zeros(len(variance), np.float32),
        "MET_covYY": _float(variance),
        "GenMET_pt": _float(np.hypot(whole["true_missing_x"], whole["true_missing_y"])),
        "GenMET_phi": _float(np.arctan2(whole["true_missing_y"], whole["true_missing_x"])),
    }


def _collisions(block: Block) -> Columns:
    whole = block.whole
    return {
        "PV_npvs": _int(whole["vertices"]),
        "PV_npvsGood": _int(whole["good_vertices"]),
        "Pileup_nTrueInt": _float(whole["pileup_mean"]),
        "Pileup_nPU": _int(whole["pileup"]),
        "fixedGridRhoFastjetAll": _float(0.6 * whole["pileup"]),
    }
