"""What generated processors carry with them to move rows, and for the answers of a chunk.

Each function is copied as text where it is used, together with those that it calls, so each stands alone and knows only
`ak`, `np`, `math` and `hist`. Nothing else of this library may be named here.
"""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np


def row_at(array: Any, position: int, axis: int) -> Any:
    """The row at a position of each list, missing where there is none."""
    stop = None if position == -1 else position + 1
    one = array[(slice(None),) * axis + (slice(position, stop),)]
    return without_missing_lists(ak.firsts(one, axis=axis), axis)


def without_missing_lists(array: Any, axis: int) -> Any:
    """Empty lists where there are none."""
    return ak.fill_none(array, [], axis=axis - 1) if array.ndim > axis else array


def row_by(array: Any, index: Any) -> Any:
    """The row at the index of each list, missing where the index is missing or outside."""
    if index.ndim > 1:
        return ak.unflatten(row_by(ak.flatten(array, axis=1), ak.flatten(index, axis=1)), ak.num(index, axis=1))
    counts, place = np.asarray(ak.num(array, axis=1)), np.asarray(known_or(index, -1))
    place = np.where((place >= 0) & (place < counts), np.cumsum(counts) - counts + place, -1)
    rows = ak.flatten(array, axis=1)
    found = ak.contents.IndexedOptionArray.simplified(ak.index.Index64(place), rows.layout)
    return without_missing_lists(ak.Array(found, behavior=rows.behavior), 1)


def known_or(array: Any, value: Any) -> Any:
    """Flat values, with another where one is missing."""
    return ak.fill_none(array, value) if array.layout.is_option else array


def rows_by(array: Any, index: Any) -> Any:
    """The rows of each event's list at lists of indices, missing where an index is missing or outside; no list is missing."""
    if index.ndim > 2:
        rows = ak.flatten(rows_by(array, ak.flatten(index, axis=2)), axis=1)
        return ak.unflatten(ak.unflatten(rows, ak.flatten(ak.num(index, axis=2))), ak.num(index, axis=1))
    inside = (index >= 0) & (index < ak.num(array, axis=1))
    return without_missing_lists(array[ak.mask(index, ak.fill_none(inside, False))], 2)


def rows_where(array: Any, mask: Any) -> Any:
    """The rows of each list for which the mask is true; what is missing is not true."""
    if mask.ndim > 2:
        inner = rows_where(ak.flatten(array, axis=1), ak.flatten(mask, axis=1))
        return ak.unflatten(inner, ak.num(mask, axis=1))
    wanted = known_or(ak.flatten(mask, axis=1), False)
    return ak.unflatten(ak.flatten(array, axis=1)[wanted], ak.sum(mask, axis=1))


def joined_rows(*arrays: Any) -> Any:
    """For each event the places of its rows, where the rows of one array stand after those of the one before."""
    numbers = [np.asarray(ak.num(array, axis=1)) for array in arrays]
    events = [np.repeat(np.arange(len(number)), number) for number in numbers]
    return ak.unflatten(np.argsort(np.concatenate(events), kind="stable"), sum(numbers))


def joined(rows: Any, *arrays: Any) -> Any:
    """The lists of several arrays as one list for each event."""
    flat = ak.concatenate([ak.flatten(array, axis=1) for array in arrays])
    return ak.unflatten(flat[ak.flatten(rows, axis=1)], ak.num(rows, axis=1))


def side_by_side(*values: Any) -> Any:
    """Values as a list."""
    lists = [value[..., np.newaxis] for value in values]
    joined = ak.concatenate(lists, axis=-1) if len(lists) > 1 else lists[0]
    return ak.from_regular(joined, axis=-1)


# -- answers of a chunk ----------------------------------------------------------------------------------------------


def plain(array: Any) -> Any:
    """An array that can be kept and sent: packed, without behaviors."""
    array = ak.Array(array, behavior={})
    return ak.Array(ak.to_packed(ak.without_parameters(array)).layout) if not has_strings(array) else packed(array)


def has_strings(array: Any) -> bool:
    """Whether there are strings, whose parameters must stay."""
    return "string" in str(array.type)


def packed(array: Any) -> Any:
    """An array with strings, packed; records lose their names."""
    layout = ak.to_packed(ak.Array(array, behavior={})).layout
    return ak.Array(ak.with_name(ak.Array(layout), None)) if layout.is_record else ak.Array(layout)


def numbers(array: Any) -> Any:
    """Every value that is not missing, flat."""
    return ak.to_numpy(ak.drop_none(ak.flatten(array, axis=None), axis=0))


def count_rows(array: Any) -> int:
    """The number of rows, missing ones too."""
    return len(array) if array.ndim == 1 else int(ak.sum(ak.num(array, axis=-1), axis=None))


def count_values(array: Any) -> int:
    """The number of values that are not missing."""
    return len(numbers(array))


def count_nonzero(array: Any) -> int:
    """The number of values that are not zero."""
    return int(np.count_nonzero(numbers(array)))


def total(array: Any) -> Any:
    """The sum, in double precision."""
    values = numbers(array)
    wide = {"f": np.float64, "c": np.complex128, "u": np.uint64}.get(values.dtype.kind, np.int64)
    return values.sum(dtype=wide).item()


def least(array: Any) -> Any:
    """The least value, or None."""
    values = numbers(array)
    return values.min().item() if len(values) else None


def greatest(array: Any) -> Any:
    """The greatest value, or None."""
    values = numbers(array)
    return values.max().item() if len(values) else None


def any_true(array: Any) -> bool:
    """Whether one is true."""
    return bool(numbers(array).any())


def all_true(array: Any) -> bool:
    """Whether every one is true."""
    return bool(numbers(array).all())


def moments(array: Any) -> tuple[int, float, float]:
    """Number, mean, and sum of squared deviations."""
    values = numbers(array).astype(np.float64)
    if not len(values):
        return 0, 0.0, 0.0
    mean = float(values.mean())
    return len(values), mean, float(((values - mean) ** 2).sum())


def first_row(array: Any) -> Any:
    """The first value in a list, or an empty one."""
    return ak.to_list(array[:1])


def last_row(array: Any) -> Any:
    """The last value in a list, or an empty one."""
    return ak.to_list(array[-1:])
