"""TTrees: the leaf branches that uproot can make arrays of."""

from __future__ import annotations

import re
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from hep_tables_coffea.files.baskets import Baskets, read_baskets, table_of, table_of_raw
from hep_tables_coffea.files.branches import LeafBranches, path_of
from hep_tables_coffea.files.errors import failing_as_oserror, reason
from hep_tables_coffea.files.forms import Leaf
from hep_tables_coffea.files.layouts import member
from hep_tables_coffea.files.lazytree import LazyTree
from hep_tables_coffea.files.rawbranches import RawBranch, RawBranches
from hep_tables_coffea.files.source import Source, Wanted
from hep_tables_coffea.files.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["TreeSource", "doc_line"]

#: What follows the name in a title that only repeats the declaration: "Jet_Px[NJet]/F", "fPt[Electrons_]", "run/i".
DECLARED = re.compile(r"_?(\[[^\]]*\])*(/[A-Za-z](:.*)?)?")


class TreeSource(Source):
    """A TTree. Its units are the leaf branches: those with branches below them hold no data that these do not."""

    def __init__(self, path: str, directory: Any, name: str) -> None:
        self._where = (path, directory, name)
        self.nbytes = int(directory.file.fEND)
        self._lazy = LazyTree(directory, name)
        self._branches = LeafBranches(self._lazy)
        self._tables: dict[str, Baskets | None] = {}
        self._handle: Any = None
        super().__init__(path, self._branches, int(self._lazy.tree.num_entries))
        self._raw = RawBranches(self._lazy, self.num_entries)

    def through(self, handle: Any) -> TreeSource:
        """The same, with baskets read through another open handle of the file, which counts the bytes."""
        twin = copy(self)
        twin._handle = handle.file.source
        return twin

    def _whole_table(self) -> Table:
        """Most branches are described from the stream of the tree. Others are parsed, by a source that is then dropped:
        those that are not read afterwards are not worth keeping."""
        raw = self._raw.all()
        is_all = all(name in raw for name in self._lazy.names())
        parsed = self if is_all else TreeSource(*self._where)
        with failing_as_oserror(f"{self.path}: its columns cannot be interpreted"):
            return parsed._table_with(raw)

    def _table_with(self, raw: Mapping[str, RawBranch]) -> Table:
        columns: dict[str, Column] = {}
        units = list(self.units)
        for unit in units:
            if unit in raw:
                columns[unit] = self._raw_column(raw[unit])
                continue
            for inner in self._members(unit):
                name = f"{unit}.{inner}" if inner else unit
                if name not in columns and (at := self._find(name)):
                    columns[name] = self._column(name, at)
        return self._described(columns, self._clusters(units, raw))

    def _raw_column(self, raw: RawBranch) -> Column:
        counter, title = self._counter_named(raw.counter), doc_line(raw.title, raw.name)
        return Column(raw.name, raw.dtype, 1 if raw.counter else 0, title=title, counter=counter, nbytes=raw.nbytes)

    def _members(self, unit: str) -> dict[str, Leaf]:
        """What is said in the stream of the tree is enough for most."""
        if unit not in self._leaves and (raw := self._raw.get(unit)):
            form = ak.forms.NumpyForm(raw.dtype)
            self._forms[unit] = ak.forms.ListOffsetForm("i64", form) if raw.counter else form
            self._leaves[unit] = {"": Leaf((), raw.dtype, 1 if raw.counter else 0)}
        return super()._members(unit)

    def _interpret(self, unit: str) -> Any:
        branch = self._branches[unit]
        interpretation = branch.interpretation
        if isinstance(interpretation, Exception):
            return f"uproot cannot interpret its type {_classname(branch)}"
        try:
            # also loads what was never flushed into baskets, so that reading need not, in many threads at once
            entries = branch.entry_offsets[-1]
            form = interpretation.awkward_form(branch.file)
        except Exception as error:
            return f"uproot cannot make an array of its type {_classname(branch)}: {reason(error)}"
        if entries != self.num_entries:
            return f"it has {entries} entries, its tree {self.num_entries}"
        return form

    def _column(self, name: str, wanted: Wanted) -> Column:
        unit, leaf = wanted
        if raw := self._raw.get(unit):
            return self._raw_column(raw)
        branch = self._branches[unit]
        return Column(
            name,
            leaf.dtype,
            leaf.depth,
            leaf.fixed,
            leaf.optional,
            title=doc_line(str(branch.title), str(branch.name)),
            counter=self._counter(branch),
            nbytes=int(branch.uncompressed_bytes),
            problem=leaf.problem,
        )

    def _counter(self, branch: Any) -> str:
        """By the name of the leaf: the branch that uproot says it is in is the first one that refers to it."""
        leaf = branch.count_leaf
        return "" if leaf is None else self._counter_named(str(leaf.member("fName")))

    def _counter_named(self, leaf: str) -> str:
        is_unit = not leaf or self._lazy.is_leaf(leaf) or leaf in self._branches
        return leaf if is_unit else leaf.removesuffix("_")

    def _describe(self, columns: Mapping[str, Column], units: Iterable[str]) -> Table:
        raw = {unit: found for unit in units if (found := self._raw.get(unit))}
        return self._described(columns, self._clusters(units, raw))

    def _described(self, columns: Mapping[str, Column], clusters: tuple[int, ...]) -> Table:
        path, directory, name = self._where
        uuid = directory.file.hex_uuid
        return Table(path, name.partition(";")[0], "ttree", uuid, self.num_entries, clusters, columns)

    def _clusters(self, units: Iterable[str], raw: Mapping[str, RawBranch]) -> tuple[int, ...]:
        """Where baskets of all readable branches begin. Most branches share theirs, so few are compared."""
        stored = {raw[unit].edges for unit in units if unit in raw}
        different = {tuple(np.frombuffer(edges, dtype=">i8").tolist()) for edges in stored}
        parsed = [self._branches[unit] for unit in units if unit not in raw and self._is_readable(unit)]
        different |= {tuple(branch.entry_offsets) for branch in parsed}
        common = set.intersection(*map(set, different)) if different else set()
        return tuple(sorted(common | {0, self.num_entries}))

    def _is_readable(self, unit: str) -> bool:
        self._members(unit)
        return not isinstance(self._forms[unit], str)

    def _load(self, wanted: Sequence[Wanted], start: int, stop: int) -> Iterable[Any]:
        units = list(dict.fromkeys(unit for unit, _ in wanted))
        arrays = self._read_plain(units, start, stop)
        arrays |= self._read_others([unit for unit in units if unit not in arrays], start, stop)
        return [member(arrays[unit], leaf.path) for unit, leaf in wanted]

    def plain_units(self, units: Iterable[str]) -> dict[str, Baskets]:
        """Those of these units whose baskets are read here rather than by uproot, and what counts them."""
        with self._lock:
            found = {unit: table for unit in units if (table := self._baskets(unit))}
            counters = {table.counter for table in found.values()} - {""}
            return found | {unit: table for unit in counters if (table := self._baskets(unit))}

    def _baskets(self, unit: str) -> Baskets | None:
        """Where a unit is stored, noted when it is first read; None if uproot has to read it."""
        if unit not in self._tables:
            self._tables[unit] = None
            with suppress(Exception):
                self._tables[unit] = self._find_baskets(unit)
        return self._tables[unit]

    def _find_baskets(self, unit: str) -> Baskets | None:
        if (raw := self._raw.get(unit)) is None:
            branch = self._branches[unit]
            return table_of(branch, self._counting(branch))
        if not raw.counter:
            return table_of_raw(raw, "")
        name = self._counter_named(raw.counter)
        counting = self._raw.get(name)
        is_sure = counting and counting.leaf == raw.counting and not counting.counter and self._baskets(name)
        return table_of_raw(raw, name) if is_sure else None

    def _counting(self, branch: Any) -> str:
        """The unit with the numbers that count the lists in a branch; "" if there is none."""
        leaf, name = branch.count_leaf, self._counter(branch)
        if leaf is None or not self._find(name) or self._branches[name].member("fLeaves")[0] is not leaf:
            return ""
        table = self._baskets(name)
        return name if table and not table.shape and not table.counter else ""

    def _read_plain(self, units: list[str], start: int, stop: int) -> dict[str, Any]:
        """One request for all baskets, those of counters too. What fails is left to uproot, and to what it says."""
        try:
            tables = self.plain_units(units)
            plain = [unit for unit in units if unit in tables]
            source = self._handle or self._lazy.tree.file.source
            return read_baskets(source, tables, plain, start, stop, counted=bool(self._handle)) if plain else {}
        except Exception:
            return {}

    def _read_others(self, units: list[str], start: int, stop: int) -> dict[str, Any]:
        arrays: dict[str, Any] = {}
        try:
            arrays = self._arrays(units, start, stop) if units else {}
        except Exception:
            for unit in units:
                with failing_as_oserror(self._reading([unit], start, stop)):
                    arrays |= self._arrays([unit], start, stop)
        return arrays

    def _arrays(self, units: list[str], start: int, stop: int) -> dict[str, Any]:
        """All at once: one request for all baskets. With its interpretation a name is not parsed as an expression."""
        with self._lock:
            branches = {unit: self._branches[unit] for unit in units}
            paths = {unit: path_of(branch) for unit, branch in branches.items()}
            pairs = [(paths[unit], branch.interpretation) for unit, branch in branches.items()]
        arrays = self._lazy.tree.arrays(
            pairs, entry_start=start, entry_stop=stop, array_cache=None, library="ak", how=dict
        )
        return {unit: arrays[paths[unit]] for unit in units}


def doc_line(title: str, name: str) -> str:
    """What the title of a branch says of it, beside its declaration."""
    for declared in (name, name.rpartition(".")[2].partition("[")[0]):
        if title.startswith(declared) and DECLARED.fullmatch(title.removeprefix(declared)):
            return ""
    return title


def _classname(branch: Any) -> str:
    return str(branch.member("fClassName", none_if_missing=True) or branch.title)
