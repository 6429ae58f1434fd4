"""The spectrum of opposite-charge muon pairs, from the eta meson to the Z boson: the first plot that one makes of CMS data.

It is the analysis of the CMS open data set `Run2012BC_DoubleMuParked_Muons` (https://doi.org/10.7483/OPENDATA.CMS.LVG5.QT81),
as in ROOT's tutorial df102, and runs on any NanoAOD.

Example:
    >>> import hep_tables_coffea as ht
    >>> from hep_tables_coffea.processors import dimuon
    >>> events = ht.nanoaod(ht.samples.nanoaod("/tmp/dimuon.root", events=1000, process="zmumu"))
    >>> histogram = ht.make_local(dimuon.spectrum(events))
    >>> round(dimuon.peak(histogram, 60, 120), -1)
    90.0
"""  # fmt: skip

from __future__ import annotations

from typing import Any

import numpy as np

import hep_tables_coffea as ht

__all__ = ["RESONANCES", "draw", "pairs", "peak", "processor", "spectrum"]

#: Masses in [GeV]; Particle Data Group, Review of Particle Physics.
RESONANCES = {
    r"$\eta$": 0.548,
    r"$\rho,\omega$": 0.780,
    r"$\phi$": 1.019,
    r"$J/\psi$": 3.097,
    r"$\psi'$": 3.686,
    r"$\Upsilon(1,2,3S)$": 9.9,
    "$Z$": 91.19,
}


def pairs(events: ht.Array) -> ht.Array:
    """The opposite-charge pairs of events with exactly two muons: `event' * Muon_2' * {a, b}`."""
    two = ht.pairs(events[events.Muon.Count() == 2].Muon)
    return two[two.a.charge != two.b.charge]


def spectrum(events: ht.Array, bins: int = 500) -> Any:
    """The mass of the pairs between 0.25 and 300 GeV, in bins of equal ratio."""
    axis = ht.Hist.new.Log(bins, 0.25, 300, name="mass", label=r"Mass of $\mu^+\mu^-$ [GeV]")
    both = pairs(events)
    return axis.Double().fill((both.a + both.b).mass)


def processor(source: Any) -> Any:
    """A coffea processor that fills the spectrum, for anybody's Runner.

    Args:
        source: events, or a NanoAOD file (or any source of `ht.nanoaod`) that shows which columns there are.
    """
    events = source if isinstance(source, ht.Array) else ht.nanoaod(source)
    return ht.to_processor({"spectrum": spectrum(events)})


def peak(histogram: Any, low: float, high: float) -> float:
    """The centre of the highest bin between two masses [GeV], each bin taken relative to its width."""
    centers = histogram.axes[0].centers
    density = histogram.values() / histogram.axes[0].widths
    return float(centers[np.argmax(np.where((centers > low) & (centers < high), density, -1.0))])


def draw(histogram: Any, ax: Any) -> None:
    """Draw a filled spectrum into axes of matplotlib, with the names of the resonances."""
    histogram.plot(ax=ax, yerr=False, flow="none")
    centers, values = histogram.axes[0].centers, histogram.values()
    ax.set(xscale="log", yscale="log", xlabel=histogram.axes[0].label, ylabel="Muon pairs / bin")
    ax.set(xlim=(0.25, 300), ylim=(0.5, 5 * max(values.max(), 1)))
    for name, mass in RESONANCES.items():
        near = values[abs(np.log(centers / mass)) < 0.07]
        ax.annotate(name, (mass, 1.4 * max(near.max(initial=0), 1)), ha="center", fontsize="small")
