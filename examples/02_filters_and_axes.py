"""Filters, and why rows have identity: what fits together, and the errors that you get where nothing does.

Every value has an axis path, such as `event * Jet`. A value further out is repeated further in; a subset knows its
parent; everything else is refused while you type, also if the counts happen to agree.
"""

from __future__ import annotations

from pathlib import Path

import hep_tables_coffea as ht

folder = Path(__file__).parent / "output"
folder.mkdir(exist_ok=True)
events = ht.nanoaod(ht.samples.nanoaod(folder / "zll.root", events=10_000))

jets = events.Jet
good = jets[(jets.pt > 30) & (abs(jets.eta) < 2.4)]  # a mask of jets keeps jets
print(good.pt)
busy = events[good.Count() >= 2]  # a mask of events keeps events
print(busy.MET.pt)

# MET.pt has one value for each event and is repeated for its jets. jets.pt is cut down to the jets that are left.
ratio = good.pt / events.MET.pt
same = good.pt / jets.pt
print(ratio, same)

# Positions count within each event, and are missing where there is nothing.
leading = good.OrderByDescending(good.pt)[0].pt
print(leading, ht.make_local(leading)[:5])


def refused(mistake):
    """Print the error that a mistake runs into."""
    try:
        mistake()
    except ht.HepTablesError as error:
        print(f"\n{type(error).__name__}: {error}")
        return True
    return False


mistakes = [
    lambda: jets.ptt,  # no such column
    lambda: jets.pt + events.Muon.pt,  # other things
    lambda: jets[events.Muon.pt > 20],  # a mask of other things
    lambda: good.pt + jets[jets.pt > 50].pt,  # two different selections
    lambda: events[jets.pt > 50],  # a mask that goes deeper than what it selects
    lambda: 20 < jets.pt < 50,  # Python's chained comparison
]
assert all(map(refused, mistakes))

# The hints lead on: which events have a jet above 50 GeV?
hard = events[(jets.pt > 50).Any()]
n_good, n_all, largest, smallest, n_hard = ht.make_local(
    good.Count(axis=None), jets.Count(axis=None), same.Max(axis=None), same.Min(axis=None), hard.Count()
)
print(f"\n{n_good} of {n_all} jets are good; {n_hard} events have a jet above 50 GeV")
assert 0 < n_good < n_all
assert (smallest, largest) == (1, 1)
assert 0 < n_hard < 10_000
