"""What the three kinds of tables share: from names to columns, and reading them."""

from __future__ import annotations

import gc
import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.files.errors import failing_as_oserror, listed
from hep_tables_coffea.files.forms import Leaf, leaves
from hep_tables_coffea.files.layouts import empty, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hep_tables_coffea.files.table import Column, Table

__all__ = ["Source", "Wanted"]

#: So many descriptions of some columns stay with their file.
KEPT = 32

#: The unit it is stored in and where in there.
Wanted = tuple[str, Leaf]


class Source(ABC):
    """An open table. Its units are what the file stores under one name: a branch or field with one or more columns.

    Units are interpreted when they are first asked for, and then kept: of 1500 branches a worker reads twenty.
    The lock guards that; reading itself runs in many threads.
    """

    path: str
    num_entries: int
    #: The size of the file.
    nbytes: int

    def __init__(self, path: str, units: Mapping[str, Any], num_entries: int) -> None:
        self.path = path
        self.units = units
        self.num_entries = num_entries
        self._lock = threading.RLock()
        self._forms: dict[str, Any] = {}
        self._leaves: dict[str, dict[str, Leaf]] = {}
        self._table: Table | None = None
        self._tables_of: dict[tuple[str, ...], Table] = {}
        #: What is kept of it on disk, by where.
        self.shelves: dict[Any, Any] = {}

    @abstractmethod
    def _interpret(self, unit: str) -> Any:
        """The form of a unit, or a string: why it has none."""

    @abstractmethod
    def _describe(self, columns: Mapping[str, Column], units: Iterable[str]) -> Table:
        """The table with these columns, which are in these units."""

    @abstractmethod
    def _column(self, name: str, wanted: Wanted) -> Column:
        """A column with what the file says about it beside its type."""

    @abstractmethod
    def _load(self, wanted: Sequence[Wanted], start: int, stop: int) -> Iterable[Any]:
        """The arrays of some columns, in this order."""

    def table(self, names: Iterable[str] | None = None) -> Table:
        """Every column, described, for which all units are interpreted, once; or those of these names."""
        with self._lock, collector_paused():
            if names is not None:
                return self._table_of(tuple(dict.fromkeys(names)))
            if self._table is None:
                self._table = self._whole_table()
            return self._table

    def _table_of(self, names: tuple[str, ...]) -> Table:
        if names not in self._tables_of:
            if len(self._tables_of) == KEPT:
                self._tables_of.clear()
            with failing_as_oserror(f"{self.path}: its columns cannot be interpreted"):
                found = {name: at for name in names if (at := self._find(name))}
                columns = {name: self._column(name, at) for name, at in found.items()}
                counters = (column.counter for column in columns.values() if column.counter in self.units)
                units = dict.fromkeys([*(unit for unit, _ in found.values()), *counters])
                self._tables_of[names] = self._describe(columns, units)
        return self._tables_of[names]

    def _whole_table(self) -> Table:
        with failing_as_oserror(f"{self.path}: its columns cannot be interpreted"):
            return self._describe({name: self._column(name, at) for name, at in self._all().items()}, self.units)

    def read(self, names: Iterable[str], start: int, stop: int) -> dict[str, Any]:
        """The columns of that name which the table has, for entries from `start` up to `stop`."""
        return self.load(self.wanted(names, start, stop), start, stop)

    def wanted(self, names: Iterable[str], start: int, stop: int) -> dict[str, Wanted]:
        """Where the columns of that name are which the table has. Raises `ValueError` for what cannot be read."""
        if not 0 <= start <= stop <= self.num_entries:
            msg = f"{self.path} has entries 0 to {self.num_entries}: cannot read {start} to {stop}"
            raise ValueError(msg)
        with self._lock, failing_as_oserror(f"{self.path}: its columns cannot be interpreted"):
            found = {name: at for name in names if (at := self._find(name))}
        for name, (_, leaf) in found.items():
            if leaf.problem:
                msg = f"{self.path}: column {name!r} cannot be read: {leaf.problem}"
                raise ValueError(msg)
        return found

    def load(self, found: Mapping[str, Wanted], start: int, stop: int) -> dict[str, Any]:
        """Columns that were found, decoded."""
        if start == stop:
            arrays = [empty(self._forms[unit], leaf.path) for unit, leaf in found.values()]
        else:
            arrays = list(self._load(list(found.values()), start, stop))
        kept = zip(found.items(), arrays, strict=True)
        return {name: plain(array, options=leaf.optional) for (name, (_, leaf)), array in kept}

    def _leaves_of(self, unit: str, form: Any) -> list[Leaf]:
        return list(leaves(form))

    def _members(self, unit: str) -> dict[str, Leaf]:
        """The columns of a unit by their paths in it."""
        if unit not in self._leaves:
            form = self._forms[unit] = self._interpret(unit)
            found = [Leaf(problem=form)] if isinstance(form, str) else self._leaves_of(unit, form)
            self._leaves[unit] = {".".join(leaf.path): leaf for leaf in found}
        return self._leaves[unit]

    def _find(self, name: str) -> Wanted | None:
        """The longest unit whose name begins this one: stored names may have dots themselves."""
        unit, member = name, ""
        while unit:
            if unit in self.units and member in self._members(unit):
                return unit, self._members(unit)[member]
            unit, _, last = unit.rpartition(".")
            member = f"{last}.{member}" if member else last
        return None

    def _all(self) -> dict[str, Wanted]:
        """Every column under the name that finds it: where two have the same name, only one can be read."""
        names = [f"{unit}.{member}" if member else unit for unit in self.units for member in self._members(unit)]
        return {name: at for name in names if (at := self._find(name))}

    def _reading(self, names: Iterable[str], start: int, stop: int) -> str:
        return f"{self.path}: cannot read {listed(names)}, entries {start} to {stop}"


@contextmanager
def collector_paused() -> Iterator[None]:
    """Parsing 1500 branches makes many objects and no garbage: collecting takes a fifth of the time.

    Overlapping pauses in threads are harmless: the collector is on again when the last one that found it on ends.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
