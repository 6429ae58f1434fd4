"""Several outputs, one pass over the data, and the account of the run.

An output has a law by which the answers of two chunks become one, so that it does not depend on the chunks. What has
no such law is refused while recording.
"""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np

import hep_tables_coffea as ht

folder = Path(__file__).parent / "output"
folder.mkdir(exist_ok=True)
events = ht.nanoaod(ht.samples.nanoaod(folder / "zll.root", events=10_000))
good = events.Electron[events.Electron.pt > 20]

outputs = {
    "pt": good.pt,  # a column: an awkward array
    "number": good.Count(axis=None),  # a number of the whole dataset
    "mean": good.pt.Mean(axis=None),
    "spectrum": ht.Hist.new.Reg(40, 0, 200, name="pt").Weight().fill(good.pt, weight=events.genWeight),
    "numpy": np.histogram(events.MET.pt, bins=20, range=(0, 100)),  # (counts, edges)
    "events": {"met": events.MET.pt, "n": good.Count()},  # structures come back as they were given
}
result = ht.run(outputs, chunksize=3000)
print(result.report)
value = result.value

try:
    np.median(events.MET.pt)
except ht.HepTablesError as error:
    print(f"\n{type(error).__name__}: {error}")

assert isinstance(value["pt"], ak.Array)
assert value["number"] == ak.count(value["pt"]) == ak.sum(value["events"]["n"])
assert np.isclose(value["mean"], ak.mean(value["pt"]))
assert value["spectrum"].sum(flow=True).variance > value["number"] * 0.9  # generator weights are near 1
counts, edges = value["numpy"]
assert counts.tolist() == np.histogram(value["events"]["met"], edges)[0].tolist()
assert result.report.events == 10_000
assert result.report.chunks == 4

# The answer is the same for any size of a chunk.
assert ht.make_local(outputs["number"], chunksize=77) == value["number"]
