"""Plain arrays: no behavior, no parameters, lists of any length, nothing but what was asked for."""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np

__all__ = ["empty", "member", "plain"]

TEXT = ("string", "bytestring")


def plain(array: Any, *, options: bool = False) -> Any:
    """The same values as the plainest array. Without `options` its option types, known to hold no null, are dropped.

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
