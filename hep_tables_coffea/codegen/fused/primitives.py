"""What kernels call: bins of axes, sorting. Their text is copied into the kernel and compiled there: each stands alone.

Bins are those of boost-histogram, by the same arithmetic; bin 0 holds what is below, the last one what is above.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "bin_between",
    "bin_of_edges",
    "bin_of_even_edges",
    "bin_of_number",
    "bin_up_to",
    "floor_quotient",
    "remainder_of",
    "sort_known_rows",
    "sort_order",
    "sort_rows",
]


def bin_between(x, low, width, bins):  # type: ignore[no-untyped-def]
    """The bin of a regular axis: chosen, not asked for, since nobody can guess the answers."""
    z = (x - low) / width
    place = z * bins if z >= 0.0 else -1.0
    return int(place if z < 1.0 else bins) + 1  # the last one for what is no number, too


def bin_up_to(x, low, width, bins):  # type: ignore[no-untyped-def]
    """The bin of a regular axis whose last bin has its upper edge, as nothing is beyond."""
    z = (x - low) / width
    place = z * bins if z >= 0.0 else -1.0
    above = bins - 1.0 if z == 1.0 else bins
    return int(place if z < 1.0 else above) + 1


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


def remainder_of(x, period):  # type: ignore[no-untyped-def]
    """numpy's remainder, without its division where the number is within a period, as a difference of angles is."""
    if -period < x < period + period and x != 0:
        below, above = x + period, x - period  # chosen, not asked for, since nobody can guess the signs of differences
        inside = above if x >= period else x
        return below if x < 0 else inside
    return np.remainder(x, period)


def sort_order(keys, order, size, ascending):  # type: ignore[no-untyped-def]
    """Positions in the order of their keys: stable, with what is no number first. Long lists are merged from short runs."""
    run = 16
    for begin in range(0, size, run):
        for k in range(begin + 1, min(begin + run, size)):
            row = order[k]
            key = keys[row]
            place = k
            while place > begin:
                other = keys[order[place - 1]]
                if not (other == other and (key != key or (key < other if ascending else key > other))):
                    break
                order[place] = order[place - 1]
                place -= 1
            order[place] = row
    low = (1 << 32) - 1  # what is merged goes into the upper half of each number: an array would have to be allocated
    while run < size:
        for begin in range(0, size, 2 * run):
            middle, end = min(begin + run, size), min(begin + 2 * run, size)
            left, right = begin, middle
            for k in range(begin, end):
                takes = left < middle
                if takes and right < end:
                    key, other = keys[order[right] & low], keys[order[left] & low]
                    takes = not (other == other and (key != key or (key < other if ascending else key > other)))
                if takes:
                    order[k] |= (order[left] & low) << 32
                    left += 1
                else:
                    order[k] |= (order[right] & low) << 32
                    right += 1
        for k in range(size):
            order[k] >>= 32
        run *= 2


def sort_rows(keys, order, size, ascending):  # type: ignore[no-untyped-def]
    """The positions of all rows, as awkward sorts."""
    for k in range(size):
        order[k] = k
    sort_order(keys, order, size, ascending)  # type: ignore[no-untyped-call]
    return size


def sort_known_rows(keys, known, order, size, ascending):  # type: ignore[no-untyped-def]
    """The positions of all rows, as awkward sorts: those whose keys are missing last."""
    number = 0
    for k in range(size):
        if known[k]:
            order[number] = k
            number += 1
    sort_order(keys, order, number, ascending)  # type: ignore[no-untyped-call]
    for k in range(size):
        if not known[k]:
            order[number] = k
            number += 1
    return size


def bin_of_even_edges(x, edges, first, bins):  # type: ignore[no-untyped-def]
    """The bin of an axis with edges of its own at equal distances: reckoned, then compared with the edges around."""
    low = edges[first]
    z = (x - low) / (edges[first + bins] - low)
    if not z < 1.0:
        return bins + 1 if not x < edges[first + bins] else bins
    if x < low:
        return 0
    place = int(z * bins)
    while place > 0 and x < edges[first + place]:
        place -= 1
    while place < bins and x >= edges[first + place + 1]:
        place += 1
    return place + 1


def floor_quotient(x, y):  # type: ignore[no-untyped-def]
    """The greatest whole number not above x / y, by numpy's arithmetic."""
    if y == 0:
        return np.float64(x / y)
    rest = np.fmod(x, y)
    quotient = np.float64((x - rest) / y)
    if rest != 0 and (y < 0) != (rest < 0):
        quotient -= 1.0
    if quotient == 0:
        return np.copysign(quotient, np.float64(x / y))
    whole = np.floor(quotient)
    return whole + 1.0 if quotient - whole > 0.5 else whole
