"""Tables of particles: flat columns of a block of events, one row for each particle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """The particles of a block of events: `event` gives the event of each row and never falls."""

    size: int
    event: Array
    columns: Mapping[str, Array]

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.event)

    @property
    def offsets(self) -> Array:
        """First row of each event, and the number of rows at the end."""
        counts = np.bincount(self.event, minlength=self.size)
        return np.concatenate([[0], np.cumsum(counts)])

    def take(self, rows: Array) -> Table:
        """The table of the given rows (a mask or row numbers that keep the events in order)."""
        return Table(self.size, self.event[rows], {name: column[rows] for name, column in self.columns.items()})

    def add(self, **columns: Array) -> Table:
        """The same table with more (or replaced) columns."""
        return Table(self.size, self.event, {**self.columns, **columns})

    def by_pt(self) -> Table:
        """The same particles, the hardest of each event first."""
        return self.take(np.lexsort((-self["pt"], self.event)))

    def local(self, rows: Array) -> Array:
        """Turn row numbers of this table into positions within the event; -1 stays -1."""
        first = self.offsets[self.event[rows]] if len(self) else rows
        return np.where(rows < 0, -1, rows - first).astype(np.int32)

    def any(self, mask: Array) -> Array:
        """For each event: does a particle pass?"""
        return self.count(mask) > 0

    def count(self, mask: Array) -> Array:
        """For each event: how many particles pass?"""
        return np.bincount(self.event[mask], minlength=self.size)

    def total(self, values: Array) -> Array:
        """For each event: the sum of a value over its particles."""
        return np.bincount(self.event, weights=values, minlength=self.size)

    def lists(self, columns: Mapping[str, Array] | None = None) -> ak.Array:
        """The particles as lists of records: `event * particle * {columns}`."""
        columns = self.columns if columns is None else columns
        contents = [ak.contents.NumpyArray(np.ascontiguousarray(column)) for column in columns.values()]
        records = ak.contents.RecordArray(contents, list(columns), length=len(self))
        return ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(self.offsets), records))


def join(tables: Sequence[Table]) -> Table:
    """Put tables of the same events and columns together, event by event, in the order given."""
    event = np.concatenate([table.event for table in tables])
    rows = np.argsort(event, kind="stable")
    columns = {name: np.concatenate([table[name] for table in tables])[rows] for name in tables[0].columns}
    return Table(tables[0].size, event[rows], columns)
