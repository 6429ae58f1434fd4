"""RNTuples: the top-level fields and what is in them."""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import awkward as ak

from hep_tables_coffea.files.clusters import Clusters
from hep_tables_coffea.files.errors import failing_as_oserror
from hep_tables_coffea.files.source import Source, Wanted
from hep_tables_coffea.files.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["NTupleSource"]

#: What ROOT's importer of TTrees calls a collection whose members it also gives as fields of their own.
IMPORTED = re.compile(r"_collection\d+")


class NTupleSource(Source):
    """An RNTuple. Its units are the top-level fields.

    The field records are walked here, once: left alone, uproot looks through all of them for what is below each field,
    which takes seconds where there are 1500.
    """

    def __init__(self, path: str, directory: Any, name: str) -> None:
        self._ntuple = ntuple = directory[name]
        self._fields = ntuple.all_fields
        self._below = _children(ntuple.field_records)
        _tell_children(self._fields, self._below)
        self.nbytes = int(directory.file.fEND)
        self._identity = (name.partition(";")[0], directory.file.hex_uuid)
        self._sizes: Mapping[int, int] | None = None
        units = self._units()
        self._counters = {self._stored(i): key for key, i in units.items() if self._is_cardinality(i)}
        super().__init__(path, units, int(ntuple.num_entries))
        self._edges = [*(int(cluster.num_first_entry) for cluster in ntuple.cluster_summaries), self.num_entries]

    def _units(self) -> dict[str, int]:
        records = self._ntuple.field_records
        top = {record.field_name: i for i, record in enumerate(records) if record.parent_field_id == i}
        return {name: i for name, i in top.items() if not (IMPORTED.fullmatch(name) and self._is_repeated(i, top))}

    def _is_repeated(self, collection: int, top: Mapping[str, int]) -> bool:
        """Whether every member of an imported collection is a top-level field too."""
        paths = [path.partition(".")[2] for path in self._paths(collection)]
        return all(path in top for path in paths if path)

    def _paths(self, field: int) -> list[str]:
        """The dotted paths of a field and of all that is in it; what only wraps the items of a list has none."""
        return [path for i in _subtree(field, self._below) if (path := self._fields[i].path)]

    def _interpret(self, unit: str) -> Any:
        field = self.units[unit]
        try:
            return self._ntuple.field_form(field, self._paths(field))
        except Exception as error:
            typename = self._ntuple.field_records[field].type_name
            return f"uproot cannot make an array of its type {typename}: {type(error).__name__}"

    def _column(self, name: str, wanted: Wanted) -> Column:
        unit, leaf = wanted
        field = self._field(wanted)
        return Column(
            name,
            leaf.dtype,
            leaf.depth,
            leaf.fixed,
            leaf.optional,
            title=field.description,
            counter=self._counters.get(self._stored(self.units[unit]), ""),
            nbytes=self._nbytes(field.field_id),
            problem=leaf.problem,
        )

    def _field(self, wanted: Wanted) -> Any:
        """The uproot field of a column."""
        unit, leaf = wanted
        field = self._fields[self.units[unit]]
        for name in leaf.path:
            field = field[name]
        return field

    def _stored(self, field: int) -> int:
        """Where the data of a field are: a projected one shows those of another."""
        source = self._ntuple.field_records[field].source_field_id
        return field if source is None else int(source)

    def _is_cardinality(self, field: int) -> bool:
        """Whether a field counts the items of the collection that its data are in."""
        return "RNTupleCardinality" in self._ntuple.field_records[field].type_name

    def _nbytes(self, field: int) -> int:
        if self._sizes is None:
            self._sizes = _sizes(self._ntuple)
        return sum(self._sizes.get(self._stored(i), 0) for i in _subtree(field, self._below))

    def _describe(self, columns: Mapping[str, Column], units: Iterable[str]) -> Table:
        name, uuid = self._identity
        clusters = tuple(sorted({0, *self._edges}))
        return Table(self.path, name, "rntuple", uuid, self.num_entries, clusters, columns)

    def _load(self, wanted: Sequence[Wanted], start: int, stop: int) -> Iterator[Any]:
        clusters = Clusters(self._ntuple, self._edges, start, stop)
        for unit, leaf in wanted:
            layout = None
            # what fails is read by uproot, or uproot says what is wrong with it
            with suppress(Exception):
                layout = clusters.column(self._forms[unit], leaf.path)
            if layout is not None:
                yield ak.Array(layout)
                continue
            with failing_as_oserror(self._reading([".".join((unit, *leaf.path))], start, stop)):
                array = self._field((unit, leaf)).array(start, stop, array_cache=None)
            yield array


def _sizes(ntuple: Any) -> Mapping[int, int]:
    """Bytes of each field's own columns: the last cluster knows how many elements came before it."""
    sizes: defaultdict[int, int] = defaultdict(int)
    last = ntuple.page_link_list[-1:]
    for record, pages in zip(ntuple.column_records, last[0] if last else [], strict=False):
        if not pages.suppressed:
            elements = pages.element_offset + sum(page.num_elements for page in pages.pages)
            sizes[record.field_id] += elements * record.nbits // 8
    return sizes


def _children(records: Sequence[Any]) -> Mapping[int, list[int]]:
    below = defaultdict(list)
    for i, record in enumerate(records):
        if record.parent_field_id != i:
            below[record.parent_field_id].append(i)
    return below


def _tell_children(fields: Sequence[Any], below: Mapping[int, list[int]]) -> None:
    """Fill in what uproot would look for: the named fields below each field. Children come after their parents."""
    for i in reversed(range(len(fields))):
        found: list[Any] = []
        for child in below.get(i, ()):
            found += fields[child]._fields if fields[child].is_anonymous else [fields[child]]
        fields[i]._fields = found


def _subtree(field: int, below: Mapping[int, list[int]]) -> Iterator[int]:
    yield field
    for child in below.get(field, ()):
        yield from _subtree(child, below)
