"""Higgs bosons that decay to four leptons through two Z bosons, H -> ZZ* -> 4l.

Electrons and muons stand in one collection; the pair of one flavor and opposite charge whose mass is closest to that of
the Z boson is the first Z, the best pair of the rest is the second. The selection follows, in short, that of the
discovery: CMS, Phys. Lett. B 716 (2012) 30, https://doi.org/10.1016/j.physletb.2012.08.021

Example:
    >>> import hep_tables_coffea as ht
    >>> from hep_tables_coffea.processors import hzz4l
    >>> events = ht.nanoaod(ht.samples.nanoaod("/tmp/hzz4l.root", events=100, process="ttbar"))
    >>> hzz4l.mass(events)
    <Array event' * ?float32>
"""

from __future__ import annotations

from typing import Any

import hep_tables_coffea as ht

__all__ = ["Z_MASS", "best_pair", "histograms", "leptons", "mass", "processor", "z_bosons"]

#: Mass of the Z boson [GeV]; Particle Data Group, Review of Particle Physics.
Z_MASS = 91.19


def leptons(events: ht.Array) -> ht.Array:
    """Electrons above 7 GeV and muons above 5 GeV as one collection: `event * Electron_Muon`."""
    electrons = events.Electron[(events.Electron.pt > 7) & (abs(events.Electron.eta) < 2.5)]
    muons = events.Muon[(events.Muon.pt > 5) & (abs(events.Muon.eta) < 2.4)]
    return ht.concat(Electron=electrons, Muon=muons)


def best_pair(of: ht.Array) -> ht.Array:
    """The pair of one flavor and opposite charge closest to the Z boson in mass: `event * {a, b}`, or missing."""
    pairs = ht.pairs(of)
    pairs = pairs[(pairs.a.origin == pairs.b.origin) & (pairs.a.charge != pairs.b.charge)]
    return pairs.MinBy(lambda p: abs((p.a + p.b).mass - Z_MASS))


def z_bosons(events: ht.Array) -> tuple[ht.Array, ht.Array]:
    """The pairs of both Z bosons, in events with four leptons or more."""
    every = leptons(events)
    every = every[every.Count() >= 4]
    first = best_pair(every)
    return first, best_pair(every.without(first.a, first.b))


def mass(events: ht.Array) -> Any:
    """The mass of the four leptons [GeV], missing where there are not two pairs."""
    first, second = z_bosons(events)
    return (first.a + first.b + second.a + second.b).mass


def histograms(events: ht.Array) -> dict[str, Any]:
    """The masses of the two Z bosons and of all four leptons."""
    first, second = z_bosons(events)
    values = {"z1": (first.a + first.b).mass, "z2": (second.a + second.b).mass, "four": mass(events)}
    axes = {
        "z1": ht.Hist.new.Reg(60, 0, 120, name="mass", label="$m_{Z1}$ [GeV]"),
        "z2": ht.Hist.new.Reg(60, 0, 120, name="mass", label="$m_{Z2}$ [GeV]"),
        "four": ht.Hist.new.Reg(65, 70, 330, name="mass", label=r"$m_{4\ell}$ [GeV]"),
    }
    return {name: axis.Weight().fill(values[name]) for name, axis in axes.items()}


def processor(source: Any) -> Any:
    """A coffea processor that fills the histograms, for anybody's Runner.

    Args:
        source: events, or a NanoAOD file (or any source of `ht.nanoaod`) that shows which columns there are.
    """
    return ht.to_processor(histograms(source if isinstance(source, ht.Array) else ht.nanoaod(source)))
