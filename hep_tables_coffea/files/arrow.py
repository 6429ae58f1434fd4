"""Numbers, and numbers in lists, straight from the buffers of Arrow: nothing is copied but the places of lists.

awkward's own way takes a millisecond for each read and some tenths of one for each column, as long as reading some of
them. It is left what is rare: text, times, lists of fixed size, records that are null, several pieces of one column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from hep_tables_coffea.files.layouts import Starts

if TYPE_CHECKING:
    from hep_tables_coffea.files.forms import Leaf

__all__ = ["Buffers"]


class Buffers:
    """Columns of the same rows, some of which have the same lists."""

    def __init__(self) -> None:
        import pyarrow

        self._types = pyarrow.types
        self._extension = pyarrow.ExtensionArray
        self._starts = Starts()

    def column(self, pieces: Any, leaf: Leaf, start: int, stop: int) -> Any:
        """These rows of a column as a layout; None if awkward has to make it."""
        if pieces.num_chunks != 1 or not leaf.dtype:
            return None
        return self._layout(pieces.chunk(0), leaf.path, leaf, start, stop)

    def _layout(self, array: Any, path: tuple[str, ...], leaf: Leaf, low: int, high: int) -> Any:
        """Items `low` to `high` of an array."""
        while isinstance(array, self._extension):
            array = array.storage
        types, type_ = self._types, array.type
        if types.is_list(type_) or types.is_large_list(type_):
            return self._lists(array, path, leaf, low, high)
        if types.is_struct(type_) and path:
            place = type_.get_field_index(path[0])
            return (
                None if array.null_count or place < 0 else self._layout(array.field(place), path[1:], leaf, low, high)
            )
        is_number = types.is_integer(type_) or types.is_floating(type_) or types.is_boolean(type_)
        return None if path or not is_number else self._numbers(array, leaf, low, high)

    def _lists(self, array: Any, path: tuple[str, ...], leaf: Leaf, low: int, high: int) -> Any:
        """Lists are never missing: one that is null has no rows, so nothing may be stored in its place."""
        offsets = array.offsets.to_numpy()[low : high + 1]
        if array.null_count and np.diff(offsets)[~_there(array[low:high])].any():
            return None
        content = self._layout(array.values, path, leaf, *offsets[[0, -1]].tolist())
        return None if content is None else ak.contents.ListOffsetArray(self._starts.of(offsets), content)

    def _numbers(self, array: Any, leaf: Leaf, low: int, high: int) -> Any:
        if array.null_count and not leaf.optional:
            return None
        chosen = array[low:high]
        if self._types.is_boolean(array.type):
            values = _bits(chosen, 1)
        else:
            dtype = np.dtype(array.type.to_pandas_dtype())
            values = np.frombuffer(chosen.buffers()[1], dtype)[chosen.offset :][: len(chosen)]
        layout = ak.contents.NumpyArray(values)
        if not leaf.optional:
            return layout
        # no mask where none of all is null: it makes whatever follows slower
        if not array.null_count:
            return ak.contents.UnmaskedArray(layout)
        return ak.contents.ByteMaskedArray(ak.index.Index8(_there(chosen).view(np.int8)), layout, valid_when=True)


def _there(array: Any) -> Any:
    """Which of the values are not null."""
    return _bits(array, 0) if array.buffers()[0] else np.ones(len(array), bool)


def _bits(array: Any, number: int) -> Any:
    """Bits of one of the buffers of an array, one for each item."""
    first, size = array.offset % 8, len(array)
    content = np.frombuffer(array.buffers()[number], np.uint8)[array.offset // 8 :]
    return np.unpackbits(content, count=first + size, bitorder="little")[first:].view(bool)
