"""Z bosons that decay to electrons, in ATLAS PHYSLITE and in CMS NanoAOD: the first listing of the paper, and the peak.

The electrons are those of listing 1 of G. Watts, EPJ Web Conf. 251, 03061 (2021), https://doi.org/10.1051/epjconf/202125103061
PHYSLITE counts in [MeV] and NanoAOD in [GeV]; the histograms are in [GeV] in either case.

Example:
    >>> import hep_tables_coffea as ht
    >>> from hep_tables_coffea.processors import zee
    >>> events = ht.physlite(ht.samples.physlite("/tmp/zee.root", events=1000, process="zee"))
    >>> histograms = ht.make_local(zee.histograms(events))
    >>> sorted(histograms)
    ['mass', 'pt']
"""  # fmt: skip

from __future__ import annotations

from typing import Any

import hep_tables_coffea as ht

__all__ = ["electron_pt", "electrons", "good_electrons", "histograms", "pair_mass", "processor", "unit"]


def unit(events: ht.Array) -> float:
    """One GeV in the units of the file: 1000 in PHYSLITE."""
    return 1000.0 if "Electrons" in events.fields else 1.0


def electrons(events: ht.Array) -> ht.Array:
    """The electrons, by either name."""
    return events["Electrons" if "Electrons" in events.fields else "Electron"]


def good_electrons(events: ht.Array) -> ht.Array:
    """The good electrons of the paper: pt > 50 GeV and `|eta| < 1.5`."""
    every = electrons(events)
    return every[(every.pt > 50 * unit(events)) & (abs(every.eta) < 1.5)]


def electron_pt(events: ht.Array) -> Any:
    """The transverse momentum of the good electrons."""
    axis = ht.Hist.new.Reg(50, 0, 100, name="pt", label="Electron $p_T$ [GeV]")
    return axis.Weight().fill(good_electrons(events).pt / unit(events))


def pair_mass(events: ht.Array) -> Any:
    """The mass of opposite-charge pairs of electrons with pt > 10 GeV: above 50 GeV, few pairs of a Z at rest are left."""
    every = electrons(events)
    pairs = ht.pairs(every[every.pt > 10 * unit(events)])
    opposite = pairs[pairs.a.charge != pairs.b.charge]
    axis = ht.Hist.new.Reg(60, 60, 120, name="mass", label="$m_{ee}$ [GeV]")
    return axis.Weight().fill((opposite.a + opposite.b).mass / unit(events))


def histograms(events: ht.Array) -> dict[str, Any]:
    """Both, to be filled in one pass."""
    return {"pt": electron_pt(events), "mass": pair_mass(events)}


def processor(source: Any) -> Any:
    """A coffea processor that fills both histograms, for anybody's Runner.

    Args:
        source: events, or a file (or any source of `ht.dataset`) of either format that shows which columns there are.
    """
    return ht.to_processor(histograms(source if isinstance(source, ht.Array) else ht.dataset(source)))
