"""The eight queries of the IRIS-HEP ADL benchmark, in one pass: https://github.com/iris-hep/adl-benchmarks-index

The queries are those of `hep_tables_coffea.processors.adl`, a few lines each. They run here on simulated top pairs; on
the benchmark's own file, Run2012B_SingleMu.root, they give the published answers.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import hep_tables_coffea as ht
from hep_tables_coffea.processors import adl

folder = Path(__file__).parent / "output"
folder.mkdir(exist_ok=True)
events = ht.nanoaod(ht.samples.nanoaod(folder / "ttbar.root", events=10_000, process="ttbar"))

for query in (adl.q4, adl.q5, adl.q8):
    print(inspect.getsource(query))

result = ht.run(adl.queries(events), workers=2, executor="threads")
print(result.report, end="\n\n")
for name, histogram in result.value.items():
    print(f"{name:8}{histogram.sum(flow=True):8.0f}  {histogram.axes[0].label}")

# What the queries count, asked in other words.
pairs = ht.pairs(events.Muon)
window = abs((pairs.a + pairs.b).mass - 90) < 30
leptons = events.Electron.Count() + events.Muon.Count()
jets, central, hard, z, trijets, three_leptons = ht.make_local(
    events.Jet.Count(axis=None),
    (abs(events.Jet.eta) < 1).Sum(axis=None),
    ((events.Jet.pt > 40).Sum() >= 2).Sum(),
    (window & (pairs.a.charge + pairs.b.charge == 0)).Any().Sum(),
    (events.Jet.Count() >= 3).Sum(),
    (leptons >= 3).Sum(),
)
counts = {name: histogram.sum(flow=True) for name, histogram in result.value.items()}
assert counts["q1"] == 10_000
assert (counts["q2"], counts["q3"], counts["q4"], counts["q5"]) == (jets, central, hard, z)
assert counts["q6_pt"] == counts["q6_btag"] == trijets
assert 0 < counts["q8"] <= three_leptons
