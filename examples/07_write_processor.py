"""Take the processor away: a file of readable Python that runs with stock coffea and without this library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import hep_tables_coffea as ht

folder = Path(__file__).parent / "output"
folder.mkdir(exist_ok=True)
path = ht.samples.nanoaod(folder / "zll.root", events=10_000)

events = ht.nanoaod(path)
good = events.Electron[(events.Electron.pt > 50) & (abs(events.Electron.eta) < 1.5)]
spectrum = ht.Hist.new.Reg(50, 50, 150, name="pt", label="Electron $p_T$ [GeV]").Double().fill(good.pt)

written = ht.write_processor({"spectrum": spectrum}, folder / "electrons.py")
source = written.read_text()
print(source[source.index("class ") :])

# Another Python, in which the library cannot be imported.
script = f"""
import sys
sys.modules["hep_tables_coffea"] = None
sys.path.insert(0, {str(folder)!r})
from coffea import processor
from coffea.nanoevents import BaseSchema
from electrons import ElectronsProcessor

runner = processor.Runner(processor.IterativeExecutor(status=False), schema=BaseSchema)
out = runner({{"zll": {{"files": {{{path!r}: "Events"}}}}}}, processor_instance=ElectronsProcessor())
print("electrons:", int(out["spectrum"].sum(flow=True)))
"""
done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
print(done.stdout)

here = int(ht.make_local(spectrum).sum(flow=True))
assert "hep_tables_coffea" not in source.partition('"""')[2].partition('"""')[2]
assert here > 100
assert f"electrons: {here}" in done.stdout
