"""The eight queries of the IRIS-HEP ADL benchmark, on NanoAOD: https://github.com/iris-hep/adl-benchmarks-index

The benchmark compares analysis languages by tasks that an analyst meets every day. It runs on the CMS open data set
`Run2012B_SingleMu` (https://doi.org/10.7483/OPENDATA.CMS.IYVQ.1J0W), reduced to NanoAOD. Bins and ranges are those of
the reference answers. Momenta and masses are in [GeV].

Example:
    >>> import hep_tables_coffea as ht
    >>> from hep_tables_coffea.processors import adl
    >>> events = ht.nanoaod(ht.samples.nanoaod("/tmp/adl.root", events=1000))
    >>> ht.make_local(adl.queries(events))["q1"].sum()  # all eight, one pass
    1000.0
"""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np

import hep_tables_coffea as ht

__all__ = ["processor", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8", "queries"]

TOP_MASS = 172.5
Z_MASS = 91.2


def queries(events: ht.Array) -> dict[str, Any]:
    """The histograms of all eight queries, to be filled in one pass."""
    trijet_pt, trijet_btag = q6(events)
    return {
        "q1": q1(events),
        "q2": q2(events),
        "q3": q3(events),
        "q4": q4(events),
        "q5": q5(events),
        "q6_pt": trijet_pt,
        "q6_btag": trijet_btag,
        "q7": q7(events),
        "q8": q8(events),
    }


def processor(source: Any) -> Any:
    """A coffea processor of all eight queries, for anybody's Runner.

    Args:
        source: events, or a NanoAOD file (or any source of `ht.nanoaod`) that shows which columns there are.
    """
    return ht.to_processor(queries(source if isinstance(source, ht.Array) else ht.nanoaod(source)))


def q1(events: ht.Array) -> Any:
    """Plot the missing transverse energy of all events."""
    return _met().fill(events.MET.pt)


def q2(events: ht.Array) -> Any:
    """Plot the transverse momentum of all jets."""
    return _jet_pt().fill(events.Jet.pt)


def q3(events: ht.Array) -> Any:
    """Plot the transverse momentum of jets with `|eta| < 1`."""
    return _jet_pt().fill(events.Jet[abs(events.Jet.eta) < 1].pt)


def q4(events: ht.Array) -> Any:
    """Plot the missing transverse energy of events that have at least two jets with pt > 40 GeV."""
    return _met().fill(events[(events.Jet.pt > 40).Sum() >= 2].MET.pt)


def q5(events: ht.Array) -> Any:
    """Plot the missing transverse energy of events with an opposite-charge muon pair of mass between 60 and 120 GeV."""
    pairs = ht.pairs(events.Muon)
    mass = (pairs.a + pairs.b).mass
    is_z = (mass > 60) & (mass < 120) & (pairs.a.charge != pairs.b.charge)
    return _met().fill(events[is_z.Any()].MET.pt)


def q6(events: ht.Array) -> tuple[Any, Any]:
    """For events with three jets or more, plot the transverse momentum of the trijet with the mass closest to 172.5 GeV,
    and the largest b-tagging discriminant of the jets in it.
    """  # fmt: skip
    trijets = ht.combinations(events.Jet, 3)
    mass = (trijets.a + trijets.b + trijets.c).mass
    best = trijets.MinBy(abs(mass - TOP_MASS))
    btag = np.maximum(np.maximum(_btag(best.a), _btag(best.b)), _btag(best.c))
    pt_axis = ht.Hist.new.Reg(100, 15, 40, name="pt", label="Trijet $p_T$ [GeV]")
    btag_axis = ht.Hist.new.Reg(100, 0, 1, name="btag", label="Largest b-tagging discriminant in the trijet")
    return pt_axis.Double().fill((best.a + best.b + best.c).pt), btag_axis.Double().fill(btag)


def q7(events: ht.Array) -> Any:
    """Plot the scalar sum of the transverse momenta of jets with pt > 30 GeV that are not within 0.4 of a lepton with
    pt > 10 GeV, for events that have such a jet.
    """  # fmt: skip
    jets = events.Jet[(events.Jet.pt > 30) & _away(events.Jet, events.Muon) & _away(events.Jet, events.Electron)]
    total = jets[jets.Count() > 0].pt.Sum()
    return ht.Hist.new.Reg(100, 15, 200, name="ht", label="$H_T$ [GeV]").Double().fill(total)


def q8(events: ht.Array) -> Any:
    """For events with three leptons or more and a same-flavour opposite-charge pair among them, take the pair with the
    mass closest to 91.2 GeV, and plot the transverse mass of the missing energy and the leading lepton outside the pair.
    """  # fmt: skip
    leptons = ht.concat(electron=events.Electron, muon=events.Muon)
    pairs, place = ht.pairs(leptons), ak.local_index(leptons.pt)
    is_z = (pairs.a.origin == pairs.b.origin) & (pairs.a.charge != pairs.b.charge)
    distance = abs((pairs.a + pairs.b).mass - Z_MASS)
    taken = ht.pairs(place)[is_z].MinBy(distance[is_z])
    others = leptons[(place != taken.a) & (place != taken.b)]  # none where there is no pair: missing does not select
    lepton = others.MaxBy(others.pt)
    mass = np.sqrt(2 * lepton.pt * events.MET.pt * (1 - np.cos(lepton.phi - events.MET.phi)))
    return ht.Hist.new.Reg(100, 15, 250, name="mt", label="Transverse mass [GeV]").Double().fill(mass)


def _met() -> Any:
    return ht.Hist.new.Reg(100, 0, 2000, name="met", label="Missing transverse energy [GeV]").Double()


def _jet_pt() -> Any:
    return ht.Hist.new.Reg(100, 15, 60, name="pt", label="Jet $p_T$ [GeV]").Double()


def _btag(jet: ht.Array) -> ht.Array:
    """The b-tagging discriminant, which the benchmark's file calls `btag` and NanoAOD by the algorithm."""
    name = next((name for name in ("btag", "btagDeepFlavB", "btagCSVV2") if name in jet.fields), "btag")
    return jet[name]


def _away(jets: ht.Array, leptons: ht.Array) -> ht.Array:
    """Which jets have no lepton with pt > 10 GeV within 0.4."""
    away: ht.Array = jets.metric_table(leptons[leptons.pt > 10]) >= 0.4
    return away.All()
