"""Z bosons in ATLAS PHYSLITE: the first listing of the paper, and the peak.

G. Watts, "hep_tables: Heterogeneous Array Programming for HEP", EPJ Web Conf. 251, 03061 (2021),
https://doi.org/10.1051/epjconf/202125103061. PHYSLITE counts in MeV.
"""

from __future__ import annotations

from pathlib import Path

import hep_tables_coffea as ht
from hep_tables_coffea.processors import zee

folder = Path(__file__).parent / "output"
folder.mkdir(exist_ok=True)
path = ht.samples.physlite(folder / "zee_physlite.root", events=20_000, process="zee")

# Listing 1: the transverse momentum of good electrons.
df = ht.xaod_table(path)
eles = df.Electrons("Electrons")
good = eles[(eles.pt > 50000.0) & (abs(eles.eta) < 1.5)]
pt = good.pt / 1000.0
print(pt)

# The peak, from electrons that are not cut so hard.
pairs = ht.pairs(eles[eles.pt > 10000])
opposite = pairs[pairs.a.charge != pairs.b.charge]
mass = (opposite.a + opposite.b).mass / 1000

spectrum = ht.Hist.new.Reg(50, 50, 150, name="pt", label="Electron $p_T$ [GeV]").Weight().fill(pt)
peak = ht.Hist.new.Reg(60, 60, 120, name="mass", label="$m_{ee}$ [GeV]").Weight().fill(mass)
spectrum, peak, number = ht.make_local(spectrum, peak, good.Count(axis=None))
print(peak)

# The same is ready made, and runs on NanoAOD as well: it is the same 20 000 collisions that are simulated here.
nanoaod = ht.nanoaod(ht.samples.nanoaod(folder / "zee.root", events=20_000, process="zee"))
shipped = ht.make_local({"ATLAS": zee.histograms(df), "CMS": zee.histograms(nanoaod)})

highest = peak.axes[0].centers[peak.values().argmax()]
assert 89 < highest < 93, highest
assert spectrum.sum(flow=True).value == number
assert shipped["ATLAS"]["mass"] == peak
assert shipped["CMS"]["pt"].sum(flow=True).value == number
