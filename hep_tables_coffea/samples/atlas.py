"""The layout of ATLAS DAOD_PHYSLITE: the tree `CollectionTree`, momenta in [MeV], names and types as in release 22."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hep_tables_coffea.samples.leptons import ELECTRONS
from hep_tables_coffea.samples.table import Array, Table
from hep_tables_coffea.samples.write import Columns, Layout

if TYPE_CHECKING:
    import awkward as ak

    from hep_tables_coffea.samples.event import Block

MEV = 1000.0
RUN = 300_000

# Numbers of ATLAS's MCTruthClassifier: what a particle is, and where it comes from.
ISOLATED_ELECTRON, ISOLATED_MUON, NEUTRINO = 2, 6, 21
FROM_TOP, FROM_Z = 10, 13

# Hashes of container names, as ElementLinks have them; a link to nothing has the key 0 and the last index.
TRUTH_ELECTRONS, TRUTH_MUONS, NOWHERE = 394_100_163, 342_174_277, 2**32 - 1

# Numbers of xAOD::MissingETBase: the soft term of tracks from the primary vertex, and what does not interact.
TRACK_SOFT_TERM, NON_INTERACTING = 81_952, 135_168


def columns(block: Block) -> Columns:
    """The columns of `CollectionTree`: collections as lists of records, one array for each quantity of the event."""
    particles = block.particles
    decays = particles.take(np.isin(np.abs(particles["pdg_id"]), (11, 12, 13, 14, 23, 24)))
    return {
        **_event(block),
        "AnalysisElectronsAuxDyn": block.electrons.lists(_electrons(block)),
        "AnalysisMuonsAuxDyn": block.muons.lists(_muons(block)),
        "AnalysisJetsAuxDyn": block.jets.lists(_jets(block.jets)),
        "BTagging_AntiKt4EMPFlowAuxDyn": block.jets.lists(_tags(block.jets)),
        "MET_Core_AnalysisMETAuxDyn": _soft_term(block),
        "MET_TruthAuxDyn": _true_missing(block),
        "TruthElectronsAuxDyn": _truth(block, (11,), ISOLATED_ELECTRON),
        "TruthMuonsAuxDyn": _truth(block, (13,), ISOLATED_MUON),
        "TruthNeutrinosAuxDyn": _truth(block, (12, 14), NEUTRINO),
        "TruthBosonsWithDecayParticlesAuxDyn": decays.lists(_generated(decays)),
        "AntiKt4TruthDressedWZJetsAux": block.generated_jets.lists(_jet_momenta(block.generated_jets)),
    }


LAYOUT = Layout(tree="CollectionTree", columns=columns, joint=".", formats=(".root",))


def _float(values: Array) -> Array:
    return values.astype(np.float32)


def _event(block: Block) -> Columns:
    weights = Table(len(block.number), np.arange(len(block.number)), {"weight": _float(block.whole["weight"])})
    return {
        "EventInfoAuxDyn.runNumber": np.full(len(block.number), RUN, np.uint32),
        "EventInfoAuxDyn.lumiBlock": block.whole["luminosity_block"].astype(np.uint32),
        "EventInfoAuxDyn.eventNumber": (1 + block.number).astype(np.uint64),
        "EventInfoAuxDyn.mcEventWeights": weights.lists()["weight"],
        "EventInfoAuxDyn.actualInteractionsPerCrossing": _float(block.whole["pileup"]),
        "EventInfoAuxDyn.averageInteractionsPerCrossing": _float(block.whole["pileup_mean"]),
    }


def _lepton(block: Block, leptons: Table, pdg_id: int) -> dict[str, Array]:
    """What electrons and muons have in common."""
    truth = block.particles
    matched = leptons["gen"] >= 0
    from_z = truth["pdg_id"][truth["mother"][leptons["gen"]]] == 23
    kind, key = (ISOLATED_ELECTRON, TRUTH_ELECTRONS) if pdg_id == 11 else (ISOLATED_MUON, TRUTH_MUONS)
    targets = np.flatnonzero(np.abs(truth["pdg_id"]) == pdg_id)
    index = truth.take(targets).local(np.where(matched, np.searchsorted(targets, leptons["gen"]), -1))
    return {
        "pt": _float(leptons["pt"] * MEV),
        "eta": _float(leptons["eta"]),
        "phi": _float(leptons["phi"]),
        "charge": _float(leptons["charge"]),
        "author": np.ones(len(leptons), np.uint16),
        "topoetcone20": _float(leptons["isolation"] * leptons["pt"] * MEV),
        "truthType": np.where(matched, kind, 0).astype(np.int32),
        "truthOrigin": np.where(matched, np.where(from_z, FROM_Z, FROM_TOP), 0).astype(np.int32),
        "TruthLink.m_persKey": np.where(matched, key, 0).astype(np.uint32),
        "TruthLink.m_persIndex": np.where(matched, index, NOWHERE).astype(np.uint32),
    }


def _electrons(block: Block) -> dict[str, Array]:
    electrons = block.electrons
    grades = {"Loose": 2, "Medium": 3, "Tight": 4}
    identified = {
        f"DFCommonElectronsLH{name}": (electrons["grade"] >= lowest).astype(np.int8) for name, lowest in grades.items()
    }
    mass = np.full(len(electrons), ELECTRONS.mass * MEV, np.float32)
    return {**_lepton(block, electrons, 11), "m": mass, **identified}


def _muons(block: Block) -> dict[str, Array]:
    muons = block.muons
    return {
        **_lepton(block, muons, 13),
        # ATLAS counts down: 0 is tight, 3 very loose.
        "quality": (4 - muons["grade"]).clip(0, 3).astype(np.uint8),
        "muonType": np.zeros(len(muons), np.uint16),
        "DFCommonMuonPassIDCuts": (muons["grade"] > 0).astype(np.int8),
    }


def _jet_momenta(jets: Table) -> dict[str, Array]:
    return {
        "pt": _float(jets["pt"] * MEV),
        "eta": _float(jets["eta"]),
        "phi": _float(jets["phi"]),
        "m": _float(jets["mass"] * MEV),
    }


def _jets(jets: Table) -> dict[str, Array]:
    passed = jets["hard"] | (jets["pt"] > 60) | (jets["luck"] < 0.2)
    return {
        **_jet_momenta(jets),
        "DetectorEta": _float(jets["eta"]),
        "NNJvtPass": passed.astype(np.int8),
        "HadronConeExclTruthLabelID": jets["flavour"].astype(np.int32),
    }


def _tags(jets: Table) -> dict[str, Array]:
    """The probabilities of a b-tagger; those of c and light share what b leaves."""
    rest = 1 - jets["score"]
    return {
        "GN2v00_pb": _float(jets["score"]),
        "GN2v00_pc": _float(0.2 * rest),
        "GN2v00_pu": _float(0.8 * rest),
    }


def _generated(particles: Table) -> dict[str, Array]:
    return {
        **{part: _float(particles[part] * MEV) for part in ("px", "py", "pz", "e")},
        "m": _float(particles["mass"] * MEV),
        "pdgId": particles["pdg_id"].astype(np.int32),
        "status": particles["status"].astype(np.int32),
    }


def _truth(block: Block, pdg_ids: tuple[int, ...], kind: int) -> ak.Array:
    """The generator particles of some kinds, with what the classifier says of them."""
    everything = block.particles
    particles = everything.take(np.isin(np.abs(everything["pdg_id"]), pdg_ids))
    from_z = everything["pdg_id"][particles["mother"]] == 23
    classified = {
        "classifierParticleType": np.full(len(particles), kind, np.uint32),
        "classifierParticleOrigin": np.where(from_z, FROM_Z, FROM_TOP).astype(np.uint32),
    }
    return particles.lists({**_generated(particles), **classified})


def _soft_term(block: Block) -> ak.Array:
    """What is left of the missing momentum when electrons, muons and jets (that are no electrons) are taken out."""
    jets = block.jets.take(block.jets["electron"] < 0)
    x, y = block.whole["missing_x"], block.whole["missing_y"]
    for table in (block.electrons, block.muons, jets):
        x = x + table.total(table["pt"] * np.cos(table["phi"]))
        y = y + table.total(table["pt"] * np.sin(table["phi"]))
    return _one_term(x, y, 15.0 * block.whole["pileup"], TRACK_SOFT_TERM)


def _true_missing(block: Block) -> ak.Array:
    x, y = block.whole["true_missing_x"], block.whole["true_missing_y"]
    return _one_term(x, y, np.hypot(x, y), NON_INTERACTING)


def _one_term(x: Array, y: Array, sum_et: Array, source: int) -> ak.Array:
    """A container of missing momentum with a single term in each event."""
    terms = {
        "mpx": _float(x * MEV),
        "mpy": _float(y * MEV),
        "sumet": _float(sum_et * MEV),
        "source": np.full(len(x), source, np.uint64),
    }
    return Table(len(x), np.arange(len(x)), terms).lists()
