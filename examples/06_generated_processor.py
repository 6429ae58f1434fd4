"""A generated processor in coffea's own Runner, with any of its executors: nothing else of the library is needed to run.

`ht.to_processor` gives an instance of a `ProcessorABC` subclass. It travels to workers that do not have this library.
"""

from __future__ import annotations

import inspect
from pathlib import Path

from coffea import processor
from coffea.nanoevents import BaseSchema

import hep_tables_coffea as ht

folder = Path(__file__).parent / "output"
folder.mkdir(exist_ok=True)
path = ht.samples.nanoaod(folder / "zll.root", events=10_000)

events = ht.nanoaod(path)
pairs = ht.pairs(events.Electron)
opposite = pairs[pairs.a.charge != pairs.b.charge]
mass = ht.Hist.new.Reg(60, 60, 120, name="mass", label="$m_{ee}$ [GeV]").Double()
outputs = {"mass": mass.fill((opposite.a + opposite.b).mass), "met": events.MET.pt.Mean()}

zpeak = ht.to_processor(outputs)
print(inspect.getsource(zpeak.process))

fileset = {"first": {"files": {path: "Events"}}, "second": {"files": {path: "Events"}}}
# The processor reads its own columns, all in one go, whatever the schema: the plainest one is the quickest.
runner = processor.Runner(processor.IterativeExecutor(status=False), schema=BaseSchema, chunksize=4000)
answers = runner(fileset, processor_instance=zpeak)
print(answers)

alone = ht.make_local(outputs)
assert isinstance(zpeak, processor.ProcessorABC)
assert answers["mass"] == 2 * alone["mass"]  # both datasets hold the same file
assert abs(answers["met"] - alone["met"]) < 1e-4
