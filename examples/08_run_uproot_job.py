"""A script in the style of coffea 0.7: `run_uproot_job` is back, and runs any processor.

The first processor is written by hand, as such scripts have it; the second is generated, and gives the same answer.
"""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import hist
from coffea import processor
from coffea.nanoevents import NanoAODSchema

import hep_tables_coffea as ht

folder = Path(__file__).parent / "output"
folder.mkdir(exist_ok=True)
path = ht.samples.nanoaod(folder / "zll.root", events=10_000)

NanoAODSchema.warn_missing_crossrefs = False  # the sample has not all that real files have


class Dimuons(processor.ProcessorABC):
    """What one wrote by hand."""

    def process(self, events):
        muons = events.Muon
        muons = muons[(ak.num(muons) == 2) & (ak.sum(muons.charge, axis=1) == 0)]
        mass = (muons[:, :1] + muons[:, 1:2]).mass
        h = hist.Hist.new.Reg(60, 60, 120, name="mass").Double()
        return {"mass": h.fill(ak.flatten(mass)), "events": len(events)}

    def postprocess(self, accumulator):
        return accumulator


def run(instance):
    return ht.run_uproot_job(
        {"zll": [path]},
        treename="Events",
        processor_instance=instance,
        executor="iterative",
        executor_args={"schema": NanoAODSchema, "status": False},
        chunksize=4000,
    )


by_hand = run(Dimuons())

events = ht.nanoaod(path)
two = events[(events.Muon.Count() == 2) & (events.Muon.charge.Sum() == 0)].Muon
mass = ht.Hist.new.Reg(60, 60, 120, name="mass").Double().fill((two[0] + two[1]).mass)
generated = run(ht.to_processor({"mass": mass, "events": events.Count()}))

print(by_hand, generated, sep="\n")
assert by_hand["mass"].sum() > 1000
assert generated["mass"] == by_hand["mass"]
assert generated["events"] == by_hand["events"] == 10_000
