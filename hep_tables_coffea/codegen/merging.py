"""What generated processors carry with them to merge the answers of chunks.

Each function is copied as text where it is used, together with those that it calls, so each stands alone and knows only
`ak`, `np`, `math` and `hist`. Nothing else of this library may be named here.
"""

from __future__ import annotations

import math
from typing import Any

import awkward as ak
import hist
import numpy as np


def in_order(parts: Any, order: Any) -> list[Any]:
    """The answers of the chunks in the order of the dataset: by sample and file as `order` has them, then by entry.

    They are lists of one: of a file that is processed twice both answers count.
    """

    def place(key: Any) -> Any:
        sample, file, start = key
        return order.get((sample, file), len(order)), sample, file, start

    return [part for key in sorted(parts, key=place) for part in parts[key]]


def concatenated(parts: list[Any]) -> Any:
    """The columns of all chunks as one."""
    filled = [part for part in parts if len(part)] or parts[:1]
    return ak.concatenate(filled) if len(filled) > 1 else filled[0]


def merged_sum(parts: list[Any]) -> Any:
    """The sum of the sums."""
    if any(isinstance(part, complex) for part in parts):
        return sum(parts)
    exact = any(isinstance(part, float) for part in parts) and all(map(math.isfinite, parts))
    return math.fsum(parts) if exact else sum(parts)


def merged_least(parts: list[Any]) -> Any:
    """The least of those that exist; NaN wins, as in numpy."""
    found = [part for part in parts if part is not None]
    return next((part for part in found if isinstance(part, float) and math.isnan(part)), min(found)) if found else None


def merged_greatest(parts: list[Any]) -> Any:
    """The greatest of those that exist; NaN wins, as in numpy."""
    found = [part for part in parts if part is not None]
    return next((part for part in found if isinstance(part, float) and math.isnan(part)), max(found)) if found else None


def merged_any(parts: list[Any]) -> bool:
    """Whether it is true of one chunk."""
    return any(parts)


def merged_all(parts: list[Any]) -> bool:
    """Whether it is true of every chunk."""
    return all(parts)


def merged_first(parts: list[Any]) -> Any:
    """The first of all chunks."""
    return next((part[0] for part in parts if part), None)


def merged_last(parts: list[Any]) -> Any:
    """The last of all chunks."""
    return next((part[0] for part in reversed(parts) if part), None)


def merged_moments(parts: list[Any]) -> tuple[int, float, float]:
    """Moments of all chunks together."""
    number, mean, squares = 0, 0.0, 0.0
    for n, m, s in parts:
        if n:
            delta = m - mean
            number += n
            squares += s + delta**2 * n * (number - n) / number
            mean += delta * n / number
    return number, mean, squares


def merged_mean(parts: list[Any]) -> Any:
    """The mean of all chunks."""
    number, mean, _ = merged_moments(parts)
    if not math.isfinite(mean):  # infinities add, but have no difference
        mean = sum(n * m for n, m, _ in parts if n) / number
    return mean if number else None


def merged_var(parts: list[Any], ddof: int = 0) -> Any:
    """The variance of all chunks."""
    number, _, squares = merged_moments(parts)
    return squares / (number - ddof) if number > ddof else None


def merged_std(parts: list[Any], ddof: int = 0) -> Any:
    """The standard deviation of all chunks."""
    variance = merged_var(parts, ddof)
    return None if variance is None else math.sqrt(variance)


def by_variation(parts: dict[str, Any]) -> Any:
    """A histogram with a first axis for its variations, of a histogram for each; None is one that nothing has filled."""
    first = next(iter(parts.values()))

    def empty(labels: list[str]) -> Any:
        names = hist.axis.StrCategory(labels, name="variation", growth=True)
        return hist.Hist(names, *first.axes, storage=first.storage_type(), name=first.name, label=first.label)

    made = empty(list(parts))
    bins = made.view(flow=True)
    grown = []
    for number, (label, part) in enumerate(parts.items()):
        if part is not None and part.axes == first.axes:
            bins[number] = part.view(flow=True)
        elif part is not None:  # of other categories
            grown.append(hist.Hist(empty([label]).axes[0], *part.axes, storage=part.storage_type()))
            grown[-1].view(flow=True)[0] = part.view(flow=True)
    return sum(grown, made)


def of_known(function: Any, *values: Any, **options: Any) -> Any:
    """A function of dataset-wide values as a plain number; missing where one of them is."""
    if any(value is None for value in values):
        return None
    with np.errstate(all="ignore"):
        result = function(*values, **options)
    return result.item() if hasattr(result, "item") else result
