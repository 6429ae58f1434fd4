"""The efficiency of a trigger: of the events that it should accept, how many did it accept? Two histograms and a ratio.

Example:
    >>> import hep_tables_coffea as ht
    >>> from hep_tables_coffea.processors import trigger_efficiency
    >>> events = ht.nanoaod(ht.samples.nanoaod("/tmp/trigger.root", events=1000, process="zmumu"))
    >>> filled = ht.make_local(trigger_efficiency.histograms(events, "IsoMu24"))
    >>> efficiency, below, above = trigger_efficiency.ratio(filled)
    >>> efficiency.shape
    (20,)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import hep_tables_coffea as ht

__all__ = ["histograms", "leading_pt", "processor", "ratio"]


def leading_pt(events: ht.Array, collection: str = "Muon") -> Any:
    """The transverse momentum of the hardest lepton [GeV], missing where there is none: `event * ?float32`."""
    return events[collection].pt.Max()


def histograms(events: ht.Array, path: str = "IsoMu24", collection: str = "Muon", bins: int = 20) -> dict[str, Any]:
    """The hardest lepton of all events, and of those that the trigger accepted. A file without the path counts as not accepted."""
    axis = ht.Hist.new.Reg(bins, 0, 100, name="pt", label=f"{collection} $p_T$ [GeV]")
    chosen = {"all": events, "passed": events[events.HLT[path]]}
    return {name: axis.Weight().fill(leading_pt(some, collection)) for name, some in chosen.items()}


def ratio(filled: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """The efficiency in each bin, and how far below and above it may be: Wilson's interval of one standard deviation.

    E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209, https://doi.org/10.1080/01621459.1927.10502953
    """
    total, passed = filled["all"].values(), filled["passed"].values()
    with np.errstate(invalid="ignore", divide="ignore"):
        efficiency = passed / total
        middle = (efficiency + 0.5 / total) / (1 + 1 / total)
        width = np.sqrt(efficiency * (1 - efficiency) / total + 0.25 / total**2) / (1 + 1 / total)
    return efficiency, efficiency - (middle - width), (middle + width) - efficiency


def processor(source: Any, path: str = "IsoMu24", collection: str = "Muon") -> Any:
    """A coffea processor that fills both histograms, for anybody's Runner.

    Args:
        source: events, or a NanoAOD file (or any source of `ht.nanoaod`) that shows which columns there are.
        path: the name of the trigger, without `HLT_`.
        collection: whose hardest member it triggers on.
    """
    events = source if isinstance(source, ht.Array) else ht.nanoaod(source)
    return ht.to_processor(histograms(events, path, collection))
