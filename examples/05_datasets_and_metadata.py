"""Several datasets with metadata: one record of the analysis, normalised, with one axis for the datasets.

A fileset is written as coffea has it. `ht.metadata` is a value of each event, so it can be a weight, or fill an axis.
"""

from __future__ import annotations

from pathlib import Path

import hep_tables_coffea as ht

folder = Path(__file__).parent / "output"
folder.mkdir(exist_ok=True)

LUMINOSITY = 1000  # 1/pb
z_file = ht.samples.nanoaod(folder / "zll.root", events=20_000)
top_file = ht.samples.nanoaod(folder / "ttbar.root", events=10_000, process="ttbar")
fileset = {
    "Z": {"files": {z_file: "Events"}, "metadata": {"xsec": 4000.0, "generated": 20_000}},
    "top": {"files": {top_file: "Events"}, "metadata": {"xsec": 88.0, "generated": 10_000}},
}
events = ht.dataset(fileset, schema="nanoaod")

name = ht.metadata(events, "dataset")
weight = events.genWeight * ht.metadata(events, "xsec") * LUMINOSITY / ht.metadata(events, "generated")

muons = ht.pairs(events.Muon[events.Muon.pt > 20])
muons = muons[muons.a.charge != muons.b.charge]
mass = (muons.a + muons.b).mass

recorded = (
    ht.Hist.new.StrCat([], growth=True, name="dataset")
    .Reg(40, 40, 140, name="mass", label="Dimuon mass [GeV]")
    .Weight()
    .fill(dataset=name, mass=mass, weight=weight)
)
histogram, expected, each = ht.make_local(recorded, weight.Sum(), {"dataset": name, "pairs": mass.Count()})
for dataset in histogram.axes["dataset"]:
    print(f"{dataset}: {histogram[{'dataset': dataset}].sum().value:.0f} pairs expected in {LUMINOSITY}/pb")

z, top = histogram[{"dataset": "Z"}], histogram[{"dataset": "top"}]
peak = z.axes[0].centers[z.values().argmax()]
assert 88 < peak < 94, peak
assert z.sum().value > 5 * top.sum().value
assert abs(expected / (LUMINOSITY * 4088) - 0.9) < 0.05  # one weight in twenty is negative
assert each["dataset"].to_list() == ["Z"] * 20_000 + ["top"] * 10_000  # in the order of the fileset
assert z.sum(flow=True).variance > 0
