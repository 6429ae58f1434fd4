"""The eight queries of the ADL benchmark as somebody writes them who knows coffea well.

The bins are those of `hep_tables_coffea.processors.adl`, and the names of the answers too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import awkward as ak
import numpy as np
from coffea.processor import ProcessorABC
from hist import Hist

__all__ = ["ADL", "QUERIES", "Query"]

TOP_MASS = 172.5
Z_MASS = 91.2


def _met() -> Any:
    return Hist.new.Reg(100, 0, 2000, name="met", label="Missing transverse energy [GeV]").Double()


def _jet_pt() -> Any:
    return Hist.new.Reg(100, 15, 60, name="pt", label="Jet $p_T$ [GeV]").Double()


class Query(ProcessorABC):
    """A processor that has nothing to do at the end."""

    def process(self, events: Any) -> dict[str, Any]:
        raise NotImplementedError

    def postprocess(self, accumulator: Any) -> Any:
        return accumulator


class Q1(Query):
    """The missing transverse energy of all events."""

    def process(self, events: Any) -> dict[str, Any]:
        return {"q1": _met().fill(events.MET.pt)}


class Q2(Query):
    """The transverse momentum of all jets."""

    def process(self, events: Any) -> dict[str, Any]:
        return {"q2": _jet_pt().fill(ak.flatten(events.Jet.pt))}


class Q3(Query):
    """The transverse momentum of central jets."""

    def process(self, events: Any) -> dict[str, Any]:
        jets = events.Jet
        return {"q3": _jet_pt().fill(ak.flatten(jets.pt[abs(jets.eta) < 1]))}


class Q4(Query):
    """The missing transverse energy of events with two jets above 40 GeV."""

    def process(self, events: Any) -> dict[str, Any]:
        selected = ak.sum(events.Jet.pt > 40, axis=1) >= 2
        return {"q4": _met().fill(events.MET.pt[selected])}


class Q5(Query):
    """The missing transverse energy of events with an opposite-charge pair of muons near the Z boson's mass."""

    def process(self, events: Any) -> dict[str, Any]:
        events = events[ak.num(events.Muon) >= 2]
        pairs = ak.combinations(events.Muon, 2, fields=["a", "b"])
        mass = (pairs.a + pairs.b).mass
        is_z = (mass > 60) & (mass < 120) & (pairs.a.charge != pairs.b.charge)
        return {"q5": _met().fill(events.MET.pt[ak.any(is_z, axis=1)])}


class Q6(Query):
    """The trijet nearest to the top quark's mass."""

    def process(self, events: Any) -> dict[str, Any]:
        jets = events.Jet[ak.num(events.Jet) >= 3]
        trijets = ak.combinations(jets, 3, fields=["a", "b", "c"])
        total = trijets.a + trijets.b + trijets.c
        best = ak.argmin(abs(total.mass - TOP_MASS), axis=1, keepdims=True)
        chosen = ak.flatten(trijets[best])
        btag = np.maximum(np.maximum(chosen.a.btag, chosen.b.btag), chosen.c.btag)
        pt_axis = Hist.new.Reg(100, 15, 40, name="pt", label="Trijet $p_T$ [GeV]")
        btag_axis = Hist.new.Reg(100, 0, 1, name="btag", label="Largest b-tagging discriminant in the trijet")
        pt = ak.flatten(total[best].pt)
        return {"q6_pt": pt_axis.Double().fill(pt), "q6_btag": btag_axis.Double().fill(btag)}


class Q7(Query):
    """The summed transverse momentum of jets away from leptons."""

    def process(self, events: Any) -> dict[str, Any]:
        jets = events.Jet[events.Jet.pt > 30]
        for leptons in (events.Muon, events.Electron):
            distances = jets.metric_table(leptons[leptons.pt > 10])
            jets = jets[ak.all(distances >= 0.4, axis=2)]
        total = ak.sum(jets.pt[ak.num(jets) > 0], axis=1)
        return {"q7": Hist.new.Reg(100, 15, 200, name="ht", label="$H_T$ [GeV]").Double().fill(total)}


class Q8(Query):
    """The transverse mass of the missing energy and the leading lepton beside the pair nearest to the Z boson."""

    def process(self, events: Any) -> dict[str, Any]:
        events = events[ak.num(events.Electron) + ak.num(events.Muon) >= 3]
        leptons = _leptons(events)
        pairs = ak.argcombinations(leptons, 2, fields=["a", "b"])
        a, b = leptons[pairs.a], leptons[pairs.b]
        is_z = (a.flavour == b.flavour) & (a.charge != b.charge)
        pairs, mass = pairs[is_z], (a + b).mass[is_z]
        best = ak.firsts(pairs[ak.argmin(abs(mass - Z_MASS), axis=1, keepdims=True)])
        has_z = ~ak.is_none(best)
        leptons, best, met = leptons[has_z], best[has_z], events.MET[has_z]
        place = ak.local_index(leptons.pt)
        others = leptons[(place != best.a) & (place != best.b)]
        lepton = ak.flatten(others[ak.argmax(others.pt, axis=1, keepdims=True)])
        mass = np.sqrt(2 * lepton.pt * met.pt * (1 - np.cos(lepton.phi - met.phi)))
        return {"q8": Hist.new.Reg(100, 15, 250, name="mt", label="Transverse mass [GeV]").Double().fill(mass)}


def _leptons(events: Any) -> Any:
    """Electrons and muons in one collection, with a number that says which they are."""

    def candidates(leptons: Any, flavour: int) -> Any:
        fields = {name: leptons[name] for name in ("pt", "eta", "phi", "mass", "charge")}
        fields["flavour"] = ak.full_like(leptons.charge, flavour)
        return ak.zip(fields, with_name="PtEtaPhiMCandidate", behavior=events.behavior)

    return ak.concatenate([candidates(events.Electron, 0), candidates(events.Muon, 1)], axis=1)


QUERIES: dict[str, type[Query]] = {"q1": Q1, "q2": Q2, "q3": Q3, "q4": Q4, "q5": Q5, "q6": Q6, "q7": Q7, "q8": Q8}


class ADL(Query):
    """All eight in one pass."""

    def process(self, events: Any) -> dict[str, Any]:
        return dict(_answers(events))


def _answers(events: Any) -> Iterator[tuple[str, Any]]:
    for query in QUERIES.values():
        yield from query().process(events).items()
