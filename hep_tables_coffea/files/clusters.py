"""Numbers, and numbers in lists, from the columns of an RNTuple as uproot decodes them.

uproot makes the form of a field and looks for its columns with each read, and reads the next cluster too where a range
ends with a cluster, as those do that are read here. So the columns are taken cluster by cluster and put together here,
those that say where lists begin once for all fields that are in these lists. What is rare is left to uproot: text,
variants, what is optional, what came into the file with a later cluster.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from hep_tables_coffea.files.layouts import Starts

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Clusters"]

#: What uproot calls a column in its forms, and one that counts the items of lists.
COLUMN = re.compile(r"column-(\d+)(-cardinality)?")


class Clusters:
    """An entry range of an RNTuple: the clusters that it touches."""

    def __init__(self, ntuple: Any, edges: Sequence[int], start: int, stop: int) -> None:
        """`edges` are the first entries of the clusters, and the number of entries."""
        self._ntuple = ntuple
        self._first, self._last = bisect_right(edges, start) - 1, bisect_left(edges, stop)
        before = edges[self._first]
        self._range = (start - before, stop - before)
        self._starts = Starts()
        self._offsets: dict[int, Any] = {}

    def column(self, form: Any, path: tuple[str, ...]) -> Any:
        """The part of a field that its record members lead to; None if uproot has to read it."""
        return self._layout(form, path, *self._range)

    def _layout(self, form: Any, path: tuple[str, ...], low: int, high: int) -> Any:
        """Items `low` to `high` of all that there are in the clusters."""
        if form.is_record:
            return self._layout(form.content(path[0]), path[1:], low, high) if path else None
        named = COLUMN.fullmatch(form.form_key or "")
        if named is None or form.parameters or self._ntuple.column_records[int(named[1])].first_element_index:
            return None
        if form.is_list and not form.is_regular:
            offsets = _checked(self._ends(int(named[1]))[low : high + 1], high - low + 1)
            content = self._layout(form.content, path, *offsets[[0, -1]].tolist())
            return None if content is None else ak.contents.ListOffsetArray(self._starts.of(offsets), content)
        if not form.is_numpy or form.inner_shape or path:
            return None
        return ak.contents.NumpyArray(self._numbers(form, int(named[1]), bool(named[2]), low, high))

    def _numbers(self, form: Any, column: int, is_count: bool, low: int, high: int) -> Any:
        numbers = np.diff(self._ends(column)[low : high + 1]) if is_count else self._decoded(column)[low:high]
        return _checked(numbers, high - low, form.primitive)

    def _ends(self, column: int) -> Any:
        """Where the lists of these clusters begin and end."""
        if column not in self._offsets:
            self._offsets[column] = self._decoded(column)
        return self._offsets[column]

    def _decoded(self, column: int) -> Any:
        return self._ntuple.read_cluster_range(column, self._first, self._last)


def _checked(numbers: Any, size: int, dtype: str = "") -> Any:
    """Numbers that are as many as they should be, and of the type that uproot's form has."""
    if len(numbers) != size or (dtype and numbers.dtype != dtype):
        msg = f"there are {len(numbers)} {numbers.dtype} in place of {size} {dtype}"
        raise ValueError(msg)
    return numbers
