"""ServiceX: selected columns are computed near the data, and the rest of the program here.

Without a server of your own: a local ServiceX starts by itself, and speaks the protocol of the real one.
"""

from __future__ import annotations

from pathlib import Path

from coffea import processor
from coffea.nanoevents import NanoAODSchema

import hep_tables_coffea as ht

folder = Path(__file__).parent / "output" / "servicex"
folder.mkdir(exist_ok=True, parents=True)
files = [ht.samples.nanoaod(folder / f"zee_{seed}.root", events=5_000, seed=seed, process="zee") for seed in (1, 2)]


def good(events):
    """Electrons that are hard and central."""
    return events.Electron[(events.Electron.pt > 20) & (abs(events.Electron.eta) < 2.4)]


def two_good(events):
    """The good electrons of events with two of them."""
    return good(events[good(events).Count() == 2])


def analysis(events):
    pairs = ht.pairs(two_good(events))
    mass = (pairs.a + pairs.b).mass
    return ht.Hist.new.Reg(60, 60, 120, name="mass", label="Dielectron mass [GeV]").Weight().fill(mass)


# -- files on this machine: who runs what changes, the answer does not --

events = ht.nanoaod(files)
peak = analysis(events)
with_servicex = ht.run(peak, backend="servicex")
print(with_servicex.report)
assert with_servicex.value == ht.make_local(peak)

# What is asked of it, and what is left to coffea:
plan = str(ht.explain(peak, backend="servicex"))
print(plan[: plan.index("Stage 2")])

# -- datasets that only a catalogue knows --

# On the grid a server of ServiceX, named in servicex.yaml, knows what a name stands for; here it is said by hand.
with ht.servicex.local({"rucio://user.me:zee": str(folder / "zee_*.root")}):
    named = ht.nanoaod("rucio://user.me:zee")  # types are asked for, of one file
    from_catalogue = ht.make_local(analysis(named))
assert from_catalogue == with_servicex.value

# -- delivered files for a processor of one's own --


class Masses(processor.ProcessorABC):
    """As it would be written for NanoAOD."""

    def process(self, events):
        return {"mass": (events.Electron[:, 0] + events.Electron[:, 1]).mass.to_list()}

    def postprocess(self, accumulator):
        return accumulator


NanoAODSchema.warn_missing_crossrefs = False  # of collections that were not asked for
electrons = two_good(events)
columns = {name: electrons[name] for name in ("pt", "eta", "phi", "mass", "charge")}
runner = processor.Runner(processor.IterativeExecutor(status=False), schema=NanoAODSchema, format="parquet")
by_hand = runner(ht.servicex.fileset(columns), processor_instance=Masses())["mass"]
inside = [mass for mass in by_hand if 60 <= mass < 120]
print(f"{len(by_hand)} pairs, {len(inside)} of them from 60 to 120 GeV")
assert len(inside) == with_servicex.value.sum().value
