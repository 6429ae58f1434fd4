"""The programs of the paper that this library follows: good electrons, and electrons matched to true ones.

G. Watts, "hep_tables: Heterogeneous Array Programming for HEP", EPJ Web Conf. 251, 03061 (2021),
https://doi.org/10.1051/epjconf/202125103061. Listing 1 and the program of section 3 are as printed, but for the line
that names the data and for `ak.flatten`; `ptgev` is defined as in the notebook that the paper refers to, and the true
electrons are those of PHYSLITE. A PHYSLITE file of your own may be given on the command line.
"""

from __future__ import annotations

import sys
from pathlib import Path

import awkward as ak
import matplotlib.pyplot as plt
import numpy as np

import hep_tables_coffea as ht
from hep_tables_coffea import define_alias, make_local, user_func, xaod_table

folder = Path(__file__).parent / "output"
folder.mkdir(exist_ok=True)
simulated = ht.samples.physlite(folder / "zee_truth.root", events=20_000, process="zee")
dataset = sys.argv[1] if len(sys.argv) > 1 else simulated

# -- listing 1 --

df = xaod_table(dataset)
eles = df.Electrons("Electrons")
good_eles = eles[(eles.pt > 50000.0) & (abs(eles.eta) < 1.5)]
np_pts = make_local(good_eles.pt / 1000.0)
plt.hist(ak.flatten(np_pts), range=(0, 100), bins=50)
plt.xlabel("Electron $p_T$ [GeV]")
plt.savefig(folder / "paper_listing1.png")
plt.close()

# -- section 3 --

define_alias("", "ptgev", lambda o: o.pt / 1000.0)


@user_func
def DeltaR(p1_eta: float, p1_phi: float, p2_eta: float, p2_phi: float) -> float:
    """
    Calculate the DeltaR between two particles given by their eta/phi
    """
    # This is a place-holder, the back end will implement it.
    assert False  # noqa: B011, PT015


df = xaod_table(dataset)
mc_part = df.TruthElectrons("TruthElectrons")
mc_ele = mc_part[(mc_part.pdgId == 11) | (mc_part.pdgId == -11)]
eles = df.Electrons("Electrons")


def good_e(e):
    """
    Good electron particle
    """
    return (e.ptgev > 20) & (abs(e.eta) < 1.4)


good_eles = eles[good_e]
good_mc_ele = mc_ele[good_e]


def associate_particles(source, pick_from):
    """
    Associate each particle from source with a close by one
    from the particle list.
    """

    def dr(p1, p2):
        return DeltaR(p1.eta(), p1.phi(), p2.eta(), p2.phi())

    def very_near(picks, p):
        return picks[lambda ps: dr(ps, p) < 0.1]

    source["all"] = lambda source_p: very_near(pick_from, source_p)
    source["has_match"] = lambda e: e.all.Count() > 0
    with_assoc = source[source.has_match]
    with_assoc["mc"] = lambda e: e.all.First()
    return with_assoc


matched = associate_particles(good_eles, good_mc_ele)
pt_matched_mc = make_local(matched.mc.ptgev)
pt_matched_reco = make_local(matched.ptgev)
resolution = ak.flatten(pt_matched_mc - pt_matched_reco)
plt.hist(resolution, bins=100, range=(-5, 5), histtype="step")
plt.xlabel("$p_T$ (true) - $p_T$ (measured) [GeV]")
plt.ylabel("Electrons / 0.1 GeV")
plt.savefig(folder / "paper_resolution.png")
plt.close()

assert ak.all(ak.flatten(np_pts) > 50)
assert len(resolution) > 0
assert abs(np.median(ak.drop_none(resolution))) < 1

# -- section 2.1: the double loop for the closest particle, in three forms --


def dr(one, other):
    return DeltaR(one.eta, one.phi, other.eta, other.phi)


nested = good_eles.map(lambda e: good_mc_ele[lambda t: dr(t, e) < 0.1].OrderBy(lambda t: dr(t, e)).First())
smallest = good_eles.map(lambda e: good_mc_ele[lambda t: dr(t, e) < 0.1].MinBy(lambda t: dr(t, e)))
nearest = good_eles.nearest(good_mc_ele, max_dr=0.1)
forms = make_local(nested.ptgev, smallest.ptgev, nearest.ptgev)
for name, form in zip(("nested map", "MinBy", "nearest"), forms, strict=True):
    print(f"{name:12}{ak.count(form):6} matched of {ak.num(ak.flatten(form), axis=0)}")
assert forms[0].tolist() == forms[1].tolist() == forms[2].tolist()
ht.clear_aliases()
