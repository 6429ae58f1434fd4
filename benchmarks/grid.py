"""Many histograms of one analysis: ten observables under five selections, recorded and by hand.

More than fifty repeat all of these for events above a threshold of missing energy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import islice, product
from typing import Any

import awkward as ak
import numpy as np
from hist import Hist

import hep_tables_coffea as ht
from benchmarks.adl_coffea import Query

__all__ = ["AXES", "Shared", "Unshared", "cells", "record"]

#: Bins and range of each observable.
AXES = {
    "met": (100, 0, 200),
    "n_jets": (20, 0, 20),
    "jet_pt": (100, 0, 300),
    "leading_jet_pt": (100, 0, 300),
    "sum_pt": (100, 0, 500),
    "muon_pt": (100, 0, 200),
    "muon_eta": (50, -2.5, 2.5),
    "dimuon_mass": (120, 0, 120),
    "jet_muon_distance": (60, 0, 6),
    "trijet_pt": (100, 0, 200),
}
SELECTIONS = ("all", "one_jet", "two_jets", "muon", "opposite_charge")
STEP = 5
Z_MASS, TOP_MASS = 91.2, 172.5

Cell = tuple[int, str, str]


def cells(number: int) -> list[Cell]:
    """So many (threshold, selection, observable): the first fifty without a threshold."""
    thresholds = range(0, STEP * (1 + number // 50), STEP)
    return list(islice(product(thresholds, SELECTIONS, AXES), number))


def _name(cell: Cell) -> str:
    threshold, selection, observable = cell
    return f"{observable}_{selection}_{threshold}"


def record(events: ht.Array, wanted: list[Cell]) -> dict[str, Any]:
    """The histograms as a user of this library records them."""
    jets = events.Jet[(events.Jet.pt > 20) & (abs(events.Jet.eta) < 2.5)]
    muons = events.Muon
    pairs, triples = ht.pairs(muons), ht.combinations(jets, 3)
    mass = (pairs.a + pairs.b).mass
    total = triples.a + triples.b + triples.c
    values = {
        "met": events.MET.pt,
        "n_jets": jets.Count(),
        "jet_pt": jets.pt,
        "leading_jet_pt": jets.pt.Max(),
        "sum_pt": jets.pt.Sum(),
        "muon_pt": muons.pt,
        "muon_eta": muons.eta,
        "dimuon_mass": mass,
        "jet_muon_distance": jets.metric_table(muons).Min(),
        "trijet_pt": total.pt,
    }
    selections = {
        "all": events.MET.pt >= 0,
        "one_jet": jets.Count() >= 1,
        "two_jets": jets.Count() >= 2,
        "muon": (muons.pt > 20).Any(),
        "opposite_charge": (pairs.a.charge != pairs.b.charge).Any(),
    }
    histograms = {}
    for cell in wanted:
        threshold, selection, observable = cell
        chosen = values[observable][selections[selection] & (events.MET.pt >= threshold)]
        axis = ht.Hist.new.Reg(*AXES[observable], name="x")
        histograms[_name(cell)] = axis.Double().fill(chosen)
    return histograms


class Quantities:
    """The same quantities by hand. Each is computed when it is first asked for."""

    def __init__(self, events: Any) -> None:
        self.events = events

    @cached_property
    def jets(self) -> Any:
        jets = self.events.Jet
        return jets[(jets.pt > 20) & (abs(jets.eta) < 2.5)]

    @cached_property
    def pairs(self) -> Any:
        return ak.combinations(self.events.Muon, 2, fields=["a", "b"])

    @cached_property
    def met(self) -> Any:
        return self.events.MET.pt

    @cached_property
    def n_jets(self) -> Any:
        return ak.num(self.jets)

    @cached_property
    def jet_pt(self) -> Any:
        return self.jets.pt

    @cached_property
    def leading_jet_pt(self) -> Any:
        return ak.max(self.jets.pt, axis=1)

    @cached_property
    def sum_pt(self) -> Any:
        return ak.sum(self.jets.pt, axis=1)

    @cached_property
    def muon_pt(self) -> Any:
        return self.events.Muon.pt

    @cached_property
    def muon_eta(self) -> Any:
        return self.events.Muon.eta

    @cached_property
    def dimuon_mass(self) -> Any:
        return (self.pairs.a + self.pairs.b).mass

    @cached_property
    def jet_muon_distance(self) -> Any:
        return ak.min(self.jets.metric_table(self.events.Muon), axis=2)

    @cached_property
    def trijet_pt(self) -> Any:
        triples = ak.combinations(self.jets, 3, fields=["a", "b", "c"])
        return (triples.a + triples.b + triples.c).pt

    @cached_property
    def all(self) -> Any:
        return np.ones(len(self.events), bool)

    @cached_property
    def one_jet(self) -> Any:
        return self.n_jets >= 1

    @cached_property
    def two_jets(self) -> Any:
        return self.n_jets >= 2

    @cached_property
    def muon(self) -> Any:
        return ak.any(self.events.Muon.pt > 20, axis=1)

    @cached_property
    def opposite_charge(self) -> Any:
        return ak.any(self.pairs.a.charge != self.pairs.b.charge, axis=1)


class _Grid(Query):
    """Fills a list of cells. `quantities` gives those of the events for one cell."""

    def __init__(self, wanted: list[Cell]) -> None:
        self.wanted = wanted

    def quantities(self, events: Any) -> Callable[[], Quantities]:
        raise NotImplementedError

    def process(self, events: Any) -> dict[str, Any]:
        return dict(self._filled(self.quantities(events)))

    def _filled(self, quantities: Callable[[], Quantities]) -> Iterator[tuple[str, Any]]:
        for cell in self.wanted:
            threshold, selection, observable = cell
            known = quantities()
            chosen = getattr(known, observable)[getattr(known, selection) & (known.met >= threshold)]
            values = ak.drop_none(ak.flatten(chosen, axis=None))
            yield _name(cell), Hist.new.Reg(*AXES[observable], name="x").Double().fill(values)


class Shared(_Grid):
    """As an expert writes it: every quantity is computed once for each chunk."""

    def quantities(self, events: Any) -> Callable[[], Quantities]:
        known = Quantities(events)
        return lambda: known


class Unshared(_Grid):
    """One processor in which each histogram has an expression of its own, as in many analyses that have grown."""

    def quantities(self, events: Any) -> Callable[[], Quantities]:
        return lambda: Quantities(events)
