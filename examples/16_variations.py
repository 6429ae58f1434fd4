"""Systematic variations: jets and weights are shifted, cuts are made again, and one pass gives all of them.

A nuisance is given to each value that it shifts. A picture shows the band of the jet energy scale, a table what each
nuisance does.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import mplhep
import numpy as np
from rich.console import Console
from rich.table import Table

import hep_tables_coffea as ht

folder = Path(__file__).parent / "output"
folder.mkdir(exist_ok=True)
top_file = ht.samples.nanoaod(folder / "ttbar_systematics.root", events=20_000, process="ttbar")
run_file = ht.samples.nanoaod(folder / "run.root", events=5_000, process="ttbar", seed=11)
fileset = {
    "top": {"files": {top_file: "Events"}},
    "run": {"files": {run_file: "Events"}, "metadata": {"is_mc": False}},
}
events = ht.nanoaod(fileset)

# -- what is uncertain --

raw, met = events.Jet.pt, events.MET.pt
scale = 0.03 * abs(events.Jet.eta)
pt = ht.vary(raw, "jes", up=raw * (1 + scale), down=raw * (1 - scale))
events.Jet["pt"] = ht.vary(pt, "jer", up=raw * 1.02)  # of one side; around the other, for each shifts alone
events.MET["pt"] = ht.vary(met, "jes", up=met * 1.05, down=met * 0.95)  # together with the jets

central = 1 + 0.005 * (events.PV.npvs - 25)
pileup = ht.vary(central, "pileup", up=central**2, down=1.0)
theory = ht.vary(1.0, "theory", variations={f"scale_{k}": 1 + 0.01 * k for k in (-2, -1, 1, 2)})
lumi = ht.vary(1.0, "lumi", up=1.016, down=0.984)
weight = ht.where(ht.metadata(events, "is_mc"), pileup * theory * lumi, 1.0)  # data have none

# -- the analysis, as without --

jets = events.Jet[(events.Jet.pt > 30) & (abs(events.Jet.eta) < 2.4)]
chosen = jets[(jets.Count() >= 4) & (events.MET.pt > 20)]
recorded = (
    ht.Hist.new.StrCat([], growth=True, name="dataset")
    .Reg(16, 100, 580, name="ht", label="$H_T$ [GeV]")
    .Weight()
    .fill(dataset=ht.metadata(events, "dataset"), ht=chosen.pt.Sum(), weight=weight)
)
histogram = ht.make_local(recorded)

# -- the band, and what each variation does --

top = histogram[{"dataset": "top"}]
edges = top.axes["ht"].edges
nominal, up, down = (top[name, :].values() for name in ("nominal", "jes_up", "jes_down"))
figure, axes = plt.subplots()
mplhep.histplot(nominal, edges, ax=axes, color="black", label="nominal", yerr=False)
shifts = np.array([nominal, up, down])
axes.stairs(shifts.max(axis=0), edges, baseline=shifts.min(axis=0), fill=True, alpha=0.4, label="jet energy scale")
axes.set(xlabel=top.axes["ht"].label, ylabel="events")
axes.legend()
figure.savefig(folder / "variations.png")

yields = {name: top[name, :].sum(flow=True).value for name in top.axes["variation"]}
table = Table("variation", "events", "change")
for name, number in yields.items():
    table.add_row(name, f"{number:.0f}", f"{number / yields['nominal'] - 1:+.1%}")
Console().print(table)

assert list(yields)[:3] == ["nominal", "jes_up", "jes_down"]
assert yields["jes_down"] < yields["nominal"] < yields["jes_up"]
assert np.isclose(yields["lumi_up"] / yields["nominal"], 1.016)
assert np.isclose(yields["scale_-2"] / yields["nominal"], 0.98)
run = histogram[{"dataset": "run"}]
assert run["nominal", :].sum(flow=True).value == run["nominal", :].sum(flow=True).variance > 0
assert run["jes_up", :].sum(flow=True).value == 0  # data are never varied
