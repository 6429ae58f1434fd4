"""Plain arrays: no behavior, no parameters, lists of any length and never missing, nothing but what was asked for."""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np

__all__ = ["Starts", "empty", "member", "plain"]

TEXT = ("string", "bytestring")


class Starts:
    """Where lists begin, once for all columns that have the same: whoever compares them sees that without looking."""

    def __init__(self) -> None:
        self._known: list[tuple[Any, Any]] = []

    def of(self, offsets: Any) -> Any:
        """Offsets as awkward's index, from zero on."""
        for other, index in self._known:
            if len(other) == len(offsets) and other[-1] == offsets[-1] and np.array_equal(other, offsets):
                return index
        from_zero = offsets.astype(np.int64, copy=bool(offsets[0]))
        if offsets[0]:
            from_zero -= offsets[0]
        index = ak.index.Index64(from_zero)
        self._known.append((offsets, index))
        return index


def plain(array: Any, *, options: bool = False) -> Any:
    """The same values as the plainest array. Without `options` its option types, known to hold no null, are dropped.

    A list that is missing has no rows.

    >>> print(plain(ak.to_regular(ak.Array([[1, 2], [3, 4]]))).type)
    2 * var * int64
    """
    if isinstance(array, ak.Array) and _is_plain(array.layout) and array.behavior is None and not array.attrs:
        return array
    return ak.Array(_plain(ak.to_layout(array), options))


def empty(form: Any, path: tuple[str, ...]) -> Any:
    """An array of no entries, of the type that reading some would give."""
    return member(ak.Array(form.length_zero_array()), path)


def member(array: Any, path: tuple[str, ...]) -> Any:
    """What the records in an array hold under a path; the array itself for none."""
    return array[path] if path else array


def _plain(layout: Any, options: bool) -> Any:
    if layout.is_option:
        if _is_lists(layout.content):
            return _plain(_without_missing(layout), options)
        if not options:
            return _plain(layout.project(), options)
        return layout.copy(content=_plain(layout.content, options), parameters=None)
    if layout.is_indexed:
        return _plain(layout.project(), options)
    if layout.is_list:
        return _plain_list(layout, options)
    if layout.is_numpy and layout.purelist_depth > 1:
        return _plain(layout.to_RegularArray(), options)
    return layout.copy(parameters=None)


def _is_lists(layout: Any) -> bool:
    while layout.is_option or layout.is_indexed:
        layout = layout.content
    return bool(layout.is_list and layout.parameter("__array__") not in TEXT)


def _without_missing(layout: Any) -> Any:
    """Lists, of which the missing ones are empty."""
    lists = layout.project()
    if len(lists) == len(layout):
        return lists
    if not lists.is_list:
        lists = _without_missing(lists) if lists.is_option else lists.project()
    lists = lists.to_ListOffsetArray64(True)
    counts = np.zeros(len(layout) + 1, np.int64)
    counts[1:][~np.asarray(layout.mask_as_bool(valid_when=False))] = np.diff(lists.offsets.data)
    return ak.contents.ListOffsetArray(ak.index.Index64(np.cumsum(counts)), lists.content)


def _plain_list(layout: Any, options: bool) -> Any:
    """Offsets from zero and the content that they reach: a slice of a cluster must not keep the whole cluster."""
    lists = layout if _is_from_zero(layout) else layout.to_ListOffsetArray64(True)
    content = lists.content[: lists.offsets[-1]]
    text = layout.parameter("__array__")
    if text in TEXT:
        return ak.contents.ListOffsetArray(lists.offsets, content, parameters={"__array__": text})
    return ak.contents.ListOffsetArray(lists.offsets, _plain(content, options))


def _is_from_zero(layout: Any) -> bool:
    """Whether these are the offsets that are wanted: awkward copies them all the same, and columns share them."""
    if not isinstance(layout, ak.contents.ListOffsetArray):
        return False
    numbers = layout.offsets.data  # its own items are slow
    return bool(numbers.dtype == np.int64 and numbers[0] == 0)


def _is_plain(layout: Any) -> bool:
    """What is read from baskets is: making it anew would take as long as reading some."""
    if not isinstance(layout, (ak.contents.NumpyArray, ak.contents.ListOffsetArray)) or layout.parameters:
        return False
    if layout.is_numpy:
        return len(layout.shape) == 1
    return _is_from_zero(layout) and layout.content.length == layout.offsets.data[-1] and _is_plain(layout.content)
