"""What `coffea.nanoevents.NanoAODSchema` (2026.9, with PFNano and Scouting) knows of NanoAOD, as tables."""

from __future__ import annotations

from hep_tables_coffea.types.schema import Reference

__all__ = ["BEHAVIORS", "CHARGED", "CONSTANTS", "REFERENCES", "RENAMED", "REQUIRED", "SECOND_NAMES"]

_COLLECTIONS = {
    "MissingET": "CaloMET ChsMET GenMET MET METFixEE2017 PuppiMET RawMET RawPuppiMET TkMET ScoutingMET",
    "PtEtaPhiMCollection": (
        "IsoTrack SoftActivityJet TrigObj GenDressedLepton GenIsolatedPhoton GenJet GenJetAK8 LHEPart SubGenJetAK8 "
        "SubJet CorrT1METJet"
    ),
    "FatJet": "FatJet ScoutingFatJet",
    "Jet": "Jet ScoutingJet",
    "Electron": "Electron ScoutingElectron",
    "LowPtElectron": "LowPtElectron",
    "Muon": "Muon ScoutingMuonNoVtx ScoutingMuonVtx",
    "Photon": "Photon ScoutingPhoton",
    "FsrPhoton": "FsrPhoton",
    "Tau": "Tau",
    "GenVisTau": "GenVisTau",
    "GenParticle": "GenPart",
    "Vertex": "PV ScoutingPrimaryVertex ScoutingMuonNoVtxDisplacedVertex ScoutingMuonVtxDisplacedVertex",
    "SecondaryVertex": "SV",
    "AssociatedSV": "JetSVs FatJetSVs GenJetSVs GenFatJetSVs",
    "AssociatedPFCand": "JetPFCands FatJetPFCands GenJetCands GenFatJetCands",
    "PFCand": "PFCands GenCands",
}

#: Collection -> awkward record of `coffea.nanoevents.methods.nanoaod`.
BEHAVIORS = {name: behavior for behavior, names in _COLLECTIONS.items() for name in names.split()}

#: Four-vectors that must have a charge.
CHARGED = frozenset(
    ["FatJet", "Jet", "Electron", "LowPtElectron", "Muon", "Photon", "FsrPhoton", "Tau", "GenVisTau", "PFCand"]
)

#: Records that need other fields than those of a vector.
REQUIRED = {
    "Vertex": frozenset("xyz"),
    "SecondaryVertex": frozenset({"x", "y", "z", "pt", "eta", "phi", "mass"}),
    "AssociatedSV": frozenset({"jetIdx", "sVIdx"}),
    "AssociatedPFCand": frozenset({"jetIdx", "pFCandsIdx"}),
}

#: Collection -> field -> the value of every row, where the file has no such column.
CONSTANTS: dict[str, dict[str, float]] = {
    "Photon": {"mass": 0.0, "charge": 0.0},
    "FsrPhoton": {"mass": 0.0, "charge": 0.0},
    "Jet": {"charge": 0.0},
    "FatJet": {"charge": 0.0},
    "TrigObj": {"mass": 0.0},
    "CorrT1METJet": {"mass": 0.0},
    "IsoTrack": {"mass": 0.0},
    "SoftActivityJet": {"mass": 0.0},
    "ScoutingJet": {"charge": 0.0},
    "ScoutingFatJet": {"charge": 0.0},
    "ScoutingPhoton": {"m": 0.0, "charge": 0.0},
}

#: (collection, field) -> the field's name here: beside `mass`, `energy` would be a second fourth coordinate.
RENAMED = {("Electron", "energy"): "regrEnergy", ("Photon", "energy"): "regrEnergy"}

#: Collection -> second name -> field.
SECOND_NAMES = {"CorrT1METJet": {"pt": "rawPt", "mass": "rawMass"}}


def _one(target: str, index: str) -> Reference:
    return Reference(target, (index,))


def _many(target: str, *indices: str) -> Reference:
    return Reference(target, indices, many=True)


def _back(target: str, index: str) -> Reference:
    return Reference(target, (index,), many=True, inverse=True)


_GEN = _one("GenPart", "genPartIdx")
_JET = _one("Jet", "jetIdx")

#: Collection -> property -> rows of another collection. coffea's `distinctParent`, `distinctChildren` and
#: `distinctChildrenDeep` compare the kinds of particles along a chain: no index says that, so they are not here.
#: `children` are all that name the particle as their mother; coffea leaves out those that stand before it.
REFERENCES: dict[str, dict[str, Reference]] = {
    "Electron": {"matched_gen": _GEN, "matched_jet": _JET, "matched_photon": _one("Photon", "photonIdx")},
    "LowPtElectron": {
        "matched_gen": _GEN,
        "matched_electron": _one("Electron", "electronIdx"),
        "matched_photon": _one("Photon", "photonIdx"),
    },
    "Muon": {"matched_gen": _GEN, "matched_jet": _JET, "matched_fsrPhoton": _one("FsrPhoton", "fsrPhotonIdx")},
    "Tau": {"matched_gen": _GEN, "matched_jet": _JET},
    "Photon": {"matched_gen": _GEN, "matched_jet": _JET, "matched_electron": _one("Electron", "electronIdx")},
    "FsrPhoton": {"matched_muon": _one("Muon", "muonIdx")},
    "Jet": {
        "matched_gen": _one("GenJet", "genJetIdx"),
        "matched_electrons": _many("Electron", "electronIdx1", "electronIdx2"),
        "matched_muons": _many("Muon", "muonIdx1", "muonIdx2"),
        "constituents": _back("JetPFCands", "jetIdx"),
    },
    "FatJet": {
        "matched_gen": _one("GenJetAK8", "genJetAK8Idx"),
        "subjets": _many("SubJet", "subJetIdx1", "subJetIdx2"),
        "constituents": _back("FatJetPFCands", "jetIdx"),
    },
    "GenPart": {"parent": _one("GenPart", "genPartIdxMother"), "children": _back("GenPart", "genPartIdxMother")},
    "GenVisTau": {"parent": _one("GenPart", "genPartIdxMother")},
    "JetPFCands": {"jet": _JET, "pf": _one("PFCands", "pFCandsIdx")},
    "FatJetPFCands": {"jet": _one("FatJet", "jetIdx"), "pf": _one("PFCands", "pFCandsIdx")},
    "GenJetCands": {"jet": _one("GenJet", "jetIdx"), "pf": _one("GenCands", "pFCandsIdx")},
    "GenFatJetCands": {"jet": _one("GenJetAK8", "jetIdx"), "pf": _one("GenCands", "pFCandsIdx")},
    "JetSVs": {"jet": _JET, "sv": _one("SV", "sVIdx")},
    "FatJetSVs": {"jet": _one("FatJet", "jetIdx"), "sv": _one("SV", "sVIdx")},
    "GenJetSVs": {"jet": _one("GenJet", "jetIdx"), "sv": _one("SV", "sVIdx")},
    "GenFatJetSVs": {"jet": _one("GenJetAK8", "jetIdx"), "sv": _one("SV", "sVIdx")},
}
