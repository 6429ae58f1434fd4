"""Whether two variants filled the same histograms: a fast wrong answer is worth nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["ALLOWED", "LOOSE", "differences", "misplaced"]

#: The share of the entries that may be one bin away: single and double precision round differently at an edge.
ALLOWED = 1e-5
#: The same for a program that computes in double precision throughout: it takes another trijet where two are as good.
LOOSE = 5e-3


def misplaced(reference: Any, other: Any) -> float:
    """How many entries are elsewhere than in the reference, those that are two bins away counted twice.

    Entries that only one of the two has count too. Underflow and overflow are bins.
    """
    one, two = (np.asarray(each.values(flow=True), float) for each in (reference, other))
    if one.shape != two.shape or [list(axis) for axis in reference.axes] != [list(axis) for axis in other.axes]:
        return float("inf")
    difference = two - one
    surplus = abs(difference.sum())
    different = float(abs(difference).sum() + surplus) / 2
    if surplus or one.ndim > 1:
        return different
    return max(different, float(abs(np.cumsum(difference)).sum()))


def differences(reference: Mapping[str, Any], other: Mapping[str, Any], allowed: float = ALLOWED) -> list[str]:
    """What is wrong with the other's histograms, a line for each; none where they are the same."""
    if set(reference) != set(other):
        return [f"has {', '.join(sorted(other))} instead of {', '.join(sorted(reference))}"]
    lines = []
    for name, histogram in reference.items():
        moved, entries = misplaced(histogram, other[name]), float(histogram.sum(flow=True))
        if not moved <= max(1.0, allowed * entries):
            lines.append(f"{name}: {moved:g} of {entries:g} entries are elsewhere")
    return lines
