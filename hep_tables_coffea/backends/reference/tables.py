"""A file as Python lists: the columns of its events, and how many rows each collection has in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from hep_tables_coffea import files
from hep_tables_coffea.backends.reference.nested import absent, at_depth
from hep_tables_coffea.backends.reference.questions import counting
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.types.elements import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hep_tables_coffea.types.schema import Leaf

__all__ = ["FileTable"]


class FileTable:
    """The columns of a file of a sample. A column that the file lacks has a missing value in every row."""

    def __init__(self, sample_number: int, path: str, tree: str | None, entries: int) -> None:
        self.sample_number = sample_number
        self.path, self.tree, self.entries = path, tree, entries
        self.bytes = 0
        self._arrays: dict[str, Any] = {}

    def load(self, names: Iterable[str]) -> None:
        """Read columns, all in one go."""
        wanted = [name for name in names if name not in self._arrays]
        if not wanted:
            return
        found = files.read(self.path, self.tree, wanted, 0, self.entries)
        self.bytes += sum(array.nbytes for array in found.values())
        self._arrays.update({name: ak.to_list(found[name]) if name in found else None for name in wanted})

    def lists(self, name: str) -> Any:
        """A column, or None where the file lacks it."""
        self.load([name])
        return self._arrays[name]

    def column(self, record: g.Node, leaf: Leaf, entry: int) -> Any:
        """The value of a column of a record in an event."""
        values = self.lists(leaf.column)
        if values is not None:
            return _typed(values[entry], leaf, leaf.depth)
        depth = len(record.path) - 1
        counts = self.lists(leaf.counter) if leaf.counter and not depth else None
        if leaf.depth == 1 and counts is not None:
            return [None] * int(counts[entry])
        return at_depth(lambda _: absent(leaf.depth - depth), depth, self.rows(record, entry))

    def rows(self, record: g.Node, entry: int) -> Any:
        """The positions of the rows of a stored record in their list."""
        if isinstance(record, g.Source):
            return np.int64(entry)
        depth = len(record.path) - 1
        for leaf in counting(record):
            values = self.lists(leaf.column)
            if values is not None:
                return _numbered(values[entry], depth)
        group = record.type.group if isinstance(record.type, Record) else None
        counts = self.lists(group.counter) if group is not None and group.counter else None
        size = 0 if counts is None else int(counts[entry])
        return _numbered([None] * size, depth) if depth else np.int64(entry)


def _numbered(values: Any, depth: int, place: int = 0) -> Any:
    if not depth:
        return np.int64(place)
    return [_numbered(value, depth - 1, k) for k, value in enumerate(values)]


def _typed(value: Any, leaf: Leaf, depth: int) -> Any:
    """Numbers of the declared type; a list that is missing has no rows."""
    if depth:
        return [_typed(one, leaf, depth - 1) for one in value or ()]
    if value is None or leaf.dtype in ("str", "bytes", ""):
        return value
    return np.asarray(value, dtype=leaf.dtype)[()]
