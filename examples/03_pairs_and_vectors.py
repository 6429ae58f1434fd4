"""Pairs and vectors: the Z boson, the jets that are no leptons, and what is left without the best pair."""

from __future__ import annotations

from pathlib import Path

import hep_tables_coffea as ht

folder = Path(__file__).parent / "output"
folder.mkdir(exist_ok=True)
events = ht.nanoaod(ht.samples.nanoaod(folder / "zll.root", events=20_000))

# Each pair of muons of an event, once. The schema says that muons are vectors: they add, and have a mass.
pairs = ht.pairs(events.Muon)
opposite = pairs[pairs.a.charge != pairs.b.charge]
z = opposite.a + opposite.b
print(opposite, z.mass, opposite.a.delta_r(opposite.b))

# One pair for each event: the one with the mass closest to that of the Z boson. Missing where there is none.
best = opposite.MinBy(abs(z.mass - 91.19))
best_mass = (best.a + best.b).mass

# Rows have identity, so one can ask for the muons that are not in the pair.
others = events.Muon.without(best.a, best.b)

# Every jet with every electron, and only the closest one.
distance = events.Jet.metric_table(events.Electron)  # event * Jet * Electron
jets = events.Jet[(distance > 0.4).All()]
nearest = events.Electron.nearest(events.Jet, max_dr=0.4)

axis = ht.Hist.new.Reg(60, 60, 120, name="mass", label="Dimuon mass [GeV]")
answers = ht.make_local(
    {
        "mass": axis.Weight().fill(best_mass),
        "pairs": best.exists.Sum(),
        "muons": events.Muon[best.exists].Count(axis=None),
        "others": others[best.exists].Count(axis=None),
        "jets": events.Jet.Count(axis=None),
        "clean jets": jets.Count(axis=None),
        "electrons that are jets as well": nearest.exists.Sum(axis=None),
    }
)
print(answers)

mass = answers["mass"]
peak = mass.axes[0].centers[mass.values().argmax()]
assert 90 < peak < 92.5, peak
assert answers["others"] == answers["muons"] - 2 * answers["pairs"]
assert answers["clean jets"] < answers["jets"]
