"""Two engines, one answer: the trijet of the ADL benchmark as awkward code, and as one compiled loop over the events.

`ht.explain` says which outputs are fused, and why others are not. A second run of the script compiles nothing: kernels
are kept on disk.
"""

from __future__ import annotations

import time
from pathlib import Path

import hep_tables_coffea as ht

folder = Path(__file__).parent / "output"
folder.mkdir(exist_ok=True)
events = ht.nanoaod(ht.samples.nanoaod(folder / "ttbar.root", events=5_000, process="ttbar"))

trijets = ht.combinations(events.Jet, 3)
system = trijets.a + trijets.b + trijets.c
best = trijets.MinBy(abs(system.mass - 172.5))
pt = ht.Hist.new.Reg(20, 0, 400, name="pt", label="Trijet $p_T$ [GeV]").Double().fill((best.a + best.b + best.c).pt)
outputs = {"pt": pt, "n": trijets.Count(axis=None), "system": system}

# -- what is fused, and the loop --

plan = ht.explain(outputs, engine="fused")
print("\n".join(plan.accounts[0].engine))
kernel = plan.source.partition("KERNEL = r'''")[2].partition("'''")[0]
print(kernel[kernel.index("def kernel(") :])

# -- the same histogram by both engines --

histograms = {}
for engine in ("columnar", "fused"):
    ht.make_local(pt, engine=engine)  # opens the file, and compiles
    started = time.perf_counter()
    histograms[engine] = ht.make_local(pt, engine=engine)
    print(f"{engine:9} {time.perf_counter() - started:.3f} s", histograms[engine].values().astype(int).tolist())

assert plan.accounts[0].engine == ("fused for pt, n", "columnar for system: whole records of a method")
assert abs(histograms["fused"].values(flow=True) - histograms["columnar"].values(flow=True)).sum() <= 2
assert histograms["fused"].sum(flow=True) == histograms["columnar"].sum(flow=True) > 0
