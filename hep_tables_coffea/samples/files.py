"""The public functions: one for each layout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hep_tables_coffea.samples import atlas, cms
from hep_tables_coffea.samples.write import Order, Progress, write

if TYPE_CHECKING:
    from os import PathLike


def nanoaod(
    path: str | PathLike[str],
    events: int = 10_000,
    seed: int = 1,
    *,
    process: str = "zll",
    cluster: int = 50_000,
    compression: str | None = "zstd",
    progress: Progress | None = None,
) -> str:
    """Write simulated events in the layout of CMS NanoAOD to a ROOT or Parquet file, and return its path.

    The tree is `Events`, momenta are in [GeV], names and types are those of NanoAOD version 9:

    * `event * scalar`: `run`, `luminosityBlock`, `event`, `genWeight` (near 1, one in twenty negative),
      `MET_{pt,phi,sumEt,significance,covXX,covXY,covYY}`, `GenMET_{pt,phi}`, `PV_{npvs,npvsGood}`,
      `Pileup_{nTrueInt,nPU}`, `fixedGridRhoFastjetAll`, and six `HLT_*` for single leptons and pairs;
    * `event * Electron * scalar`: `{pt,eta,phi,mass,charge,pdgId,dxy,dz,cutBased,mvaFall17V2Iso_WP90,pfRelIso03_all,
      genPartIdx,genPartFlav,jetIdx}`; `dxy` and `dz` in [cm];
    * `event * Muon * scalar`: the same, with `{looseId,mediumId,tightId,pfRelIso04_all}` for identification;
    * `event * Jet * scalar`: `{pt,eta,phi,mass,btagDeepFlavB,jetId,puId,genJetIdx,hadronFlavour,partonFlavour,
      electronIdx1,electronIdx2,muonIdx1,muonIdx2}`; electrons are jets as well, as in real files;
    * `event * GenJet * scalar`: `{pt,eta,phi,mass,hadronFlavour,partonFlavour}`;
    * `event * GenPart * scalar`: `{pt,eta,phi,mass,pdgId,status,statusFlags,genPartIdxMother}`, mothers first.

    All reconstructed collections and generator jets have the hardest object first; `nElectron` and its like are the
    counters. A ROOT file has a tree `Runs` as well, one row for each cluster: `genEventCount`, `genEventSumw` and
    `genEventSumw2`. Branches have no descriptions, since uproot cannot write them.

    What is in the events: Z bosons with a Breit-Wigner mass (91.19 and 2.5 [GeV], between 60 and 120), a falling
    transverse momentum, and isotropic decays; top pairs with two leptons, b jets and neutrinos; leptons with
    resolution, inefficiency and a few soft fakes; jets from recoil, radiation and pile-up. It is there to make cuts
    do something, and is no prediction: no spin correlations, no final-state radiation, no tau leptons or photons.
    Formulas: Particle Data Group, Review of Particle Physics, "Kinematics" and "Cross-section formulae".

    Parameters:
        path: where to write; the suffix `.root` or `.parquet` decides. A file that is there is replaced, when the
            new one is complete.
        events: how many, 0 or more.
        seed: the same seed gives the same events, and a longer file begins with the shorter one. `physlite` with
            the same seed and process has the same events.
        process: a key of `samples.PROCESSES`: "zll", "zee", "zmumu" or "ttbar".
        cluster: events in one basket (ROOT) or row group (Parquet); memory grows with it, not with `events`.
        compression: "zstd", "lz4", "zlib" or None.
        progress: called as `progress(done, events)` after each cluster.

    Raises:
        ValueError: for an argument that makes no sense.
        FileNotFoundError: if the folder does not exist.

    Example:
        >>> import tempfile, uproot
        >>> from hep_tables_coffea import samples
        >>> path = samples.nanoaod(tempfile.mkdtemp() + "/zll.root", events=1_000)
        >>> tree = uproot.open(path)["Events"]
        >>> tree.num_entries, tree["Muon_pt"].typename
        (1000, 'float[]')
    """
    return write(cms.LAYOUT, Order(Path(path), events, seed, process, cluster, compression, progress))


def physlite(
    path: str | PathLike[str],
    events: int = 10_000,
    seed: int = 1,
    *,
    process: str = "zll",
    cluster: int = 50_000,
    compression: str | None = "zstd",
    progress: Progress | None = None,
) -> str:
    """Write simulated events in the layout of ATLAS DAOD_PHYSLITE to a ROOT file, and return its path.

    The tree is `CollectionTree`, momenta are in [MeV], names and types are those of release 22:

    * `event * scalar`: `EventInfoAuxDyn.{runNumber,lumiBlock,eventNumber,actualInteractionsPerCrossing,
      averageInteractionsPerCrossing}`; `event * weight * float32`: `EventInfoAuxDyn.mcEventWeights`, one weight;
    * `event * electron * scalar`: `AnalysisElectronsAuxDyn.{pt,eta,phi,m,charge,author,topoetcone20,truthType,
      truthOrigin,DFCommonElectronsLHLoose,DFCommonElectronsLHMedium,DFCommonElectronsLHTight}`, and
      `TruthLink.{m_persKey,m_persIndex}` into `TruthElectrons`;
    * `event * muon * scalar`: `AnalysisMuonsAuxDyn.*` alike, with `quality`, `muonType` and `DFCommonMuonPassIDCuts`,
      without `m`;
    * `event * jet * scalar`: `AnalysisJetsAuxDyn.{pt,eta,phi,m,DetectorEta,NNJvtPass,HadronConeExclTruthLabelID}`,
      `BTagging_AntiKt4EMPFlowAuxDyn.{GN2v00_pb,GN2v00_pc,GN2v00_pu}` of the same jets in the same order, and
      `AntiKt4TruthDressedWZJetsAux.{pt,eta,phi,m}` at generator level;
    * `event * particle * scalar`: `TruthElectronsAuxDyn`, `TruthMuonsAuxDyn` and `TruthNeutrinosAuxDyn` with
      `{px,py,pz,e,m,pdgId,status,classifierParticleType,classifierParticleOrigin}`, and
      `TruthBosonsWithDecayParticlesAuxDyn.{px,py,pz,e,m,pdgId,status}`;
    * `event * term * scalar`: `MET_Core_AnalysisMETAuxDyn` (one term, the soft one) and `MET_TruthAuxDyn` (one term,
      the neutrinos) with `{mpx,mpy,sumet,source}`. Missing momentum is the soft term, less electrons, muons and the
      jets that are no electrons.

    Other than in real files, each collection has a counter (`nAnalysisElectrons` for `AnalysisElectronsAuxDyn.*`),
    since uproot cannot write a `std::vector`; nor can it write the lists of links (`parentLinks`) and of strings
    (the names of the terms of missing momentum). As with real files, coffea's PHYSLITESchema refuses `TruthElectrons`
    and its like, because they have both `e` and `m`.

    The events, the parameters and the errors are those of `nanoaod`, which see; Parquet is not offered.

    Example:
        >>> import tempfile, uproot
        >>> from hep_tables_coffea import samples
        >>> path = samples.physlite(tempfile.mkdtemp() + "/zll.root", events=1_000)
        >>> tree = uproot.open(path)["CollectionTree"]
        >>> tree.num_entries, tree["AnalysisMuonsAuxDyn.pt"].typename
        (1000, 'float[]')
    """
    return write(atlas.LAYOUT, Order(Path(path), events, seed, process, cluster, compression, progress))
