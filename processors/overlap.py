"""Overlap removal: one particle is often found twice, as an electron and as a jet. Who is close to whom decides.

The order is the usual one: jets close to a good electron are that electron; then electrons and muons close to a jet that
is left are taken to be of the jet.

Example:
    >>> import hep_tables_coffea as ht
    >>> from hep_tables_coffea.processors import overlap
    >>> events = ht.nanoaod(ht.samples.nanoaod("/tmp/overlap.root", events=100, process="ttbar"))
    >>> overlap.cleaned(events)["jets"].pt
    <Array event * Jet'' * float32>
"""

from __future__ import annotations

from typing import Any

import hep_tables_coffea as ht

__all__ = ["away_from", "cleaned", "histograms", "processor"]


def away_from(objects: ht.Array, others: ht.Array, max_dr: float) -> ht.Array:
    """The objects that are not within a distance in eta and phi of any of the others."""
    return objects[lambda one: others[lambda other: one.delta_r(other) < max_dr].Count() == 0]


def cleaned(events: ht.Array, pt: float = 20.0) -> dict[str, ht.Array]:
    """Electrons, muons and jets above `pt` [GeV], each particle once."""
    electrons = events.Electron[events.Electron.pt > pt]
    muons = events.Muon[events.Muon.pt > pt]
    jets = away_from(events.Jet[events.Jet.pt > pt], electrons, 0.2)
    return {"electrons": away_from(electrons, jets, 0.4), "muons": away_from(muons, jets, 0.4), "jets": jets}


def histograms(events: ht.Array) -> dict[str, Any]:
    """How many of each are left."""
    axes = {
        name: ht.Hist.new.Int(0, 12, name="n", label=f"Number of {name}") for name in ("electrons", "muons", "jets")
    }
    kept = cleaned(events)
    return {name: axis.Weight().fill(kept[name].Count()) for name, axis in axes.items()}


def processor(source: Any) -> Any:
    """A coffea processor that fills the histograms, for anybody's Runner.

    Args:
        source: events, or a NanoAOD file (or any source of `ht.nanoaod`) that shows which columns there are.
    """
    return ht.to_processor(histograms(source if isinstance(source, ht.Array) else ht.nanoaod(source)))
