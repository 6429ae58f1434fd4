"""Parquet files: columns of lists and structs, row groups as clusters."""

from __future__ import annotations

import hashlib
import os
import threading
import uuid
from bisect import bisect_left, bisect_right
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import awkward as ak
import fsspec

from hep_tables_coffea.files.arrow import Buffers
from hep_tables_coffea.files.errors import failing_as_oserror
from hep_tables_coffea.files.layouts import member
from hep_tables_coffea.files.paths import is_url, local
from hep_tables_coffea.files.source import Source, Wanted
from hep_tables_coffea.files.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hep_tables_coffea.files.forms import Leaf

__all__ = ["ParquetFile"]


class ParquetFile:
    """An open Parquet file: one table without a name."""

    def __init__(self, path: str) -> None:
        with failing_as_oserror(f"{path} cannot be opened as a Parquet file"):
            self._source = ParquetSource(path)

    def trees(self) -> list[str]:
        return [""]

    def source(self, tree: str | None) -> Source:
        """The table, whatever name is asked for: the same program reads the same events written as ROOT."""
        return self._source


class ParquetSource(Source):
    """A Parquet file. Its units are the fields of its Arrow schema.

    The metadata are parsed once. A reader is not made for many threads, so each has its own over those metadata.
    """

    def __init__(self, path: str) -> None:
        file = _open(path)
        reader = _reader(file, None)
        self._uuid = _footer_digest(file)
        self.nbytes = int(file.seek(0, os.SEEK_END))
        self._metadata = reader.metadata
        self._readers = threading.local()
        self._readers.own = reader
        self._groups = [self._metadata.row_group(i) for i in range(self._metadata.num_row_groups)]
        self._starts = [0, *accumulate(group.num_rows for group in self._groups)]
        self._fields = {field.name: field for field in reader.schema_arrow}
        self._stored = _stored_columns(self._fields, reader.schema)
        self._parts: dict[tuple[str, tuple[str, ...]], list[tuple[int, str]]] = {}
        super().__init__(path, self._fields, self._metadata.num_rows)

    def _interpret(self, unit: str) -> Any:
        import pyarrow

        field = self._fields[unit]
        try:
            return ak.from_arrow_schema(pyarrow.schema([field])).content(0)
        except Exception:
            return f"awkward has no arrays of its type {field.type}"

    def _leaves_of(self, unit: str, form: Any) -> list[Leaf]:
        """Writers declare most columns nullable: those whose statistics count no null are not optional.

        The statistics count an empty list too, so nullable values stay optional if one of their lists is empty.
        """
        found = super()._leaves_of(unit, form)
        stored = self._stored[unit]
        parts = [[one] for one in stored] if len(stored) == len(found) else [stored] * len(found)
        self._parts.update({(unit, leaf.path): part for leaf, part in zip(found, parts, strict=True)})
        return [replace(leaf, optional=leaf.optional and self._may_hold_nulls((unit, leaf))) for leaf in found]

    def _may_hold_nulls(self, wanted: Wanted) -> bool:
        found = [chunk.statistics for chunk in self._chunks(wanted) if chunk.num_values]
        return any(it is None or not it.has_null_count or it.null_count for it in found)

    def _chunks(self, wanted: Wanted) -> list[Any]:
        """The metadata of what is stored for a column in each row group."""
        unit, leaf = wanted
        parts = self._parts.get((unit, leaf.path), self._stored[unit])
        return [group.column(i) for group in self._groups for i, _ in parts]

    def _column(self, name: str, wanted: Wanted) -> Column:
        _, leaf = wanted
        nbytes = sum(chunk.total_uncompressed_size for chunk in self._chunks(wanted))
        return Column(name, leaf.dtype, leaf.depth, leaf.fixed, leaf.optional, nbytes=nbytes, problem=leaf.problem)

    def _describe(self, columns: Mapping[str, Column], units: Iterable[str]) -> Table:
        clusters = tuple(sorted(set(self._starts)))
        return Table(self.path, "", "parquet", self._uuid, self.num_entries, clusters, columns)

    def _load(self, wanted: Sequence[Wanted], start: int, stop: int) -> Iterable[Any]:
        """From no more row groups than needed."""
        first = bisect_right(self._starts, start) - 1
        groups = range(first, bisect_left(self._starts, stop))
        paths = dict.fromkeys(path for unit, leaf in wanted for _, path in self._parts[unit, leaf.path])
        names = [".".join((unit, *leaf.path)) for unit, leaf in wanted]
        with failing_as_oserror(self._reading(names, start, stop)):
            # one thread: the entry ranges are what runs in parallel
            table = self._reader().read_row_groups(list(groups), columns=list(paths), use_threads=False)
            return _columns(table, wanted, start - self._starts[first], stop - self._starts[first])

    def _reader(self) -> Any:
        if not hasattr(self._readers, "own"):
            self._readers.own = _reader(_open(self.path), self._metadata)
        return self._readers.own


def _columns(table: Any, wanted: Sequence[Wanted], start: int, stop: int) -> list[Any]:
    """Sliced by awkward where it makes the arrays: it misplaces the nulls of what Arrow has sliced."""
    buffers = Buffers()
    found = [buffers.column(table.column(unit), leaf, start, stop) for unit, leaf in wanted]
    rare = dict.fromkeys(unit for (unit, _), layout in zip(wanted, found) if layout is None)
    rows = ak.from_arrow(table.select(list(rare)))[start:stop] if rare else None
    return [
        member(rows, (unit, *leaf.path)) if layout is None else ak.Array(layout)
        for (unit, leaf), layout in zip(wanted, found)
    ]


def _open(path: str) -> Any:
    import pyarrow

    return fsspec.open(path).open() if is_url(path) else pyarrow.OSFile(local(path))


def _reader(file: Any, metadata: Any) -> Any:
    import pyarrow.parquet

    # What is read at once ahead of its use comes faster from afar; a local file is read on other threads in vain.
    return pyarrow.parquet.ParquetFile(file, metadata=metadata, pre_buffer=not isinstance(file, pyarrow.OSFile))


def _footer_digest(file: Any) -> str:
    """Stands for a UUID, which Parquet has not: the footer places every page and bounds its values."""
    file.seek(-8, os.SEEK_END)
    length = int.from_bytes(file.read(4), "little")
    file.seek(-8 - length, os.SEEK_END)
    digest = hashlib.blake2b(file.read(length), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest))


def _stored_columns(names: Iterable[str], schema: Any) -> dict[str, list[tuple[int, str]]]:
    """The stored columns of each field, as number and path. Both list them in the same order."""
    paths = [schema.column(i).path for i in range(len(schema.names))]
    stored: dict[str, list[tuple[int, str]]] = {}
    i = 0
    for name in names:
        first = i
        while i < len(paths) and paths[i].startswith(f"{name}."):
            i += 1
        if i == first:
            i += 1
        stored[name] = [(k, paths[k]) for k in range(first, i)]
    return stored
