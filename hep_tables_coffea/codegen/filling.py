"""What generated processors carry with them to fill histograms.

Each function is copied as text where it is used, together with those that it calls, so each stands alone and knows only
`ak`, `np`, `math` and `hist`. Nothing else of this library may be named here.
"""

from __future__ import annotations

from typing import Any

import awkward as ak
import hist
import numpy as np

from hep_tables_coffea.graph.helpers import broadcast


def fill(histogram: Any, *values: Any, weight: Any = None, sample: Any = None) -> None:
    """Fill jagged values one by one; weights broadcast; a row where something is missing is left out."""
    given = [*values, *(extra for extra in (weight, sample) if extra is not None)]
    together = flat_together(given)
    filled = together[: len(values)]
    rows = next(len(array) for array, one in zip(together, given) if isinstance(one, ak.Array))
    if not rows:
        return  # a constant would be a category of its own
    if any(isinstance(one, ak.Array) and leaves_out(axis.traits) for one, axis in zip(values, histogram.axes)):
        # boost-histogram loses the fill if the first value has no bin and a constant stands beside it
        filled = [v if isinstance(one, ak.Array) else repeated(v, rows) for v, one in zip(filled, values)]
    extras = iter(together[len(values) :])
    options = {}
    if weight is not None:
        options["weight"] = next(extras)
    if sample is not None:
        options["sample"] = next(extras)
    histogram.fill(*filled, **options)


def repeated(value: Any, rows: int) -> Any:
    """A constant for each row; of no rows, too, it is of its type."""
    return [value] * rows if isinstance(value, str) else np.full(rows, value)


def leaves_out(traits: Any) -> bool:
    """Whether there are values that have no bin on an axis."""
    return not traits.growth and not (traits.overflow and (traits.underflow or not traits.ordered))


def flat_together(values: list[Any]) -> list[Any]:
    """Values broadcast against each other and flat, without the rows in which one is missing; constants stay."""
    arrays = [value for value in values if isinstance(value, ak.Array)]
    deepest = max(arrays, key=lambda array: array.ndim)
    arrays = [flatten_rows(broadcast(array, deepest)) for array in arrays]
    maybe = [array for array in arrays if may_miss(array)]
    if maybe:
        present = ~ak.is_none(maybe[0])
        for array in maybe[1:]:
            present = present & ~ak.is_none(array)
        arrays = [array[present] for array in arrays]
    flat = iter(as_numpy(array) for array in arrays)
    return [next(flat) if isinstance(value, ak.Array) else value for value in values]


def may_miss(array: Any) -> bool:
    """Whether values or lists may be missing: of plain lists this is told without writing their type down."""
    layout = array.layout
    while (layout.is_list or layout.is_indexed) and not layout.is_option:
        layout = layout.content
    if layout.is_option or layout.is_numpy:
        return bool(layout.is_option)
    kind = str(array.type)
    return "?" in kind or "option[" in kind


def flatten_rows(array: Any) -> Any:
    """All lists as one; missing values stay."""
    for _ in range(array.ndim - 1):
        array = ak.flatten(array, axis=1)
    return array


def as_numpy(array: Any) -> Any:
    """A flat array as numpy has it; strings as a list."""
    if array.layout.is_numpy:
        return ak.to_numpy(array)
    if "string" in str(array.type):
        return ak.to_list(array)
    return ak.to_numpy(ak.drop_none(array, axis=0))


def ordered_categories(histogram: Any, known: Any) -> Any:
    """Categories of growing axes in a fixed order: the known ones as they were given, then the others sorted."""
    for position, names in known.items():
        axis = histogram.axes[position]
        wanted = [name for name in names if name in axis]
        wanted += sorted(name for name in axis if name not in wanted)
        if wanted == list(axis):
            continue
        axes = list(histogram.axes)
        axes[position] = type(axis)(wanted, growth=True, name=axis.name, label=axis.__dict__["label"])
        again = hist.Hist(*axes, storage=histogram.storage_type(), name=histogram.name, label=histogram.label)
        index = np.array([axis.index(name) for name in wanted], dtype=int)
        filled = np.moveaxis(histogram.view(flow=True), position, 0)
        np.moveaxis(again.view(flow=True), position, 0)[: len(wanted)] = filled[index]
        histogram = again
    return histogram
