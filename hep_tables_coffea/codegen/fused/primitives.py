"""What kernels call: bins of axes, sorting. Their text is copied into the kernel and compiled there: each stands alone.

Bins are those of boost-histogram, by the same arithmetic; bin 0 holds what is below, the last one what is above.
"""

from __future__ import annotations

import numpy as np

__all__ = ["bin_between", "bin_of_edges", "bin_of_even_edges", "bin_of_number", "sort_rows"]


def bin_between(x, low, width, bins):  # type: ignore[no-untyped-def]
    """The bin of a regular axis."""
    z = (x - low) / width
    if z < 1.0:
        return np.int64(z * bins) + 1 if z >= 0.0 else 0
    return np.int64(bins) + 1  # what is no number, too


def bin_of_edges(x, edges, first, bins):  # type: ignore[no-untyped-def]
    """The bin of an axis with edges of its own, that stand in `edges` from `first` on."""
    low = 0
    high = bins + 1
    while low < high:
        middle = (low + high) // 2
        if x < edges[first + middle]:
            high = middle
        else:
            low = middle + 1
    return low if x == x else bins + 1


def bin_of_number(x, low, bins):  # type: ignore[no-untyped-def]
    """The bin of an axis of integers."""
    place = x - low
    if place < 0:
        return 0
    return place + 1 if place < bins else bins + 1


def sort_rows(keys, order, size, ascending):  # type: ignore[no-untyped-def]
    """Positions in the order of their keys, as awkward sorts: stable, with what is no number first."""
    for k in range(size):
        order[k] = k
    for k in range(1, size):
        row = order[k]
        key = keys[row]
        place = k
        while place > 0:
            other = keys[order[place - 1]]
            if ascending:
                before = other == other and (key != key or key < other)
            else:
                before = other == other and (key != key or key > other)
            if not before:
                break
            order[place] = order[place - 1]
            place -= 1
        order[place] = row
    return size


def bin_of_even_edges(x, edges, first, bins):  # type: ignore[no-untyped-def]
    """The bin of an axis with edges of its own at equal distances: reckoned, then compared with the edges around."""
    low = edges[first]
    z = (x - low) / (edges[first + bins] - low)
    if not z < 1.0:
        return bins + 1 if not x < edges[first + bins] else bins
    if z < 0.0:
        return 0
    place = np.int64(z * bins)
    while place > 0 and x < edges[first + place]:
        place -= 1
    while place < bins and x >= edges[first + place + 1]:
        place += 1
    return place + 1
