"""A first histogram: open a file, name a column, fill it, run.

Nothing is read before `ht.make_local`. Until then the library records what you want, and knows its type.
"""

from __future__ import annotations

from pathlib import Path

import hep_tables_coffea as ht

folder = Path(__file__).parent / "output"
folder.mkdir(exist_ok=True)

# A small file in the layout of CMS NanoAOD, with Z bosons that decay to electrons or muons. Yours does as well.
path = ht.samples.nanoaod(folder / "zll.root", events=10_000)

events = ht.nanoaod(path)
print(events.fields)
print(events.Muon.pt)  # <Array event * Muon * float32>: one number for each muon of each event
print(events.Muon.pt.peek(4))  # the first rows, now

spectrum = ht.Hist.new.Reg(40, 0, 100, name="pt", label="Muon $p_T$ [GeV]").Double().fill(events.Muon.pt)
histogram = ht.make_local(spectrum)  # reads one column, once; gives a hist.Hist
print(histogram)

figure = histogram.plot()[0].stairs.figure
figure.savefig(folder / "01_muon_pt.png")

# Muons of a Z boson at rest have half its mass: the spectrum is highest just below 46 GeV.
peak = histogram.axes[0].centers[histogram.values()[8:].argmax() + 8]
assert 38 < peak < 48, peak
