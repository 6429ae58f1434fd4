"""What stands around a kernel in a generated processor: its arguments, the call, and the answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hep_tables_coffea.codegen.fused.fills import Slab
from hep_tables_coffea.codegen.fused.kernel import Column, Kernel, aggregated
from hep_tables_coffea.codegen.fused.rooms import Rooms
from hep_tables_coffea.codegen.source import Names, quoted, tuple_text
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis, Path
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.needs import any_column
from hep_tables_coffea.types.elements import Record

__all__ = ["Around", "FusedStage", "kernel_name"]


@dataclass(slots=True)
class FusedStage:
    """Kernels with the statements that call them."""

    names: Names
    kernels: list[Kernel] = field(default_factory=list)
    #: Output -> why it is left to the columnar engine.
    refused: dict[str, str] = field(default_factory=dict)
    #: Column name -> (dtype, depth, counter).
    columns: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    #: Node -> the variable that holds it.
    pieces: dict[g.Node, str] = field(default_factory=dict)
    #: The same of what values of the whole dataset are made of: in no lists.
    flat: dict[g.Node, str] = field(default_factory=dict)
    #: Histogram with categories -> the array of bins and the parts of it that are its contents, as arguments of `add_bins`.
    fills: dict[g.Fill, str] = field(default_factory=dict)
    #: Histogram without -> the array of bins, and where in it its contents are.
    bins: dict[g.Fill, tuple[str, Slab]] = field(default_factory=dict)
    helpers: set[str] = field(default_factory=set)
    #: What the columnar engine computes before the kernels run, and the word that stands for it in the lines.
    before: dict[g.Node, str] = field(default_factory=dict)

    def asked(self, node: g.Node) -> str:
        """The word for something that the columnar engine computes before."""
        return self.before.setdefault(node, f"given_before_{len(self.before)}")

    def lines_with(self, found: Mapping[g.Node, str]) -> list[str]:
        """The lines, with the variables that hold what was asked for."""
        words = {word: found[node] for node, word in self.before.items()}
        return [re.sub(r"\bgiven_before_\d+\b", lambda word: words[word.group()], line) for line in self.lines]

    @property
    def given(self) -> dict[g.Node, str]:
        """The values that kernels take from the columnar engine, and why."""
        return {node: reason for kernel in self.kernels for node, reason in kernel.given.items()}


def kernel_name(number: int, wish: str = "kernel") -> str:
    """What a kernel is called where it is called."""
    return wish if number == 0 else f"{wish}_{number + 1}"


class Around(Rooms):
    """Writes the statements around one kernel into its stage."""

    def __init__(self, stage: FusedStage, kernel: Kernel, outputs: Mapping[str, g.Node]) -> None:
        self.stage, self.kernel, self.names = stage, kernel, stage.names
        self.arrays, self.helpers = kernel.arrays, stage.helpers
        self.outputs = outputs
        self.variables: dict[str, str] = {}
        #: Node -> its values, and which of them are known, as expressions.
        self._flat: dict[g.Node, tuple[str, str]] = {}

    def write(self) -> None:
        arguments = ["len(events)"]
        for name, (kind, about) in self.arrays.items():
            if name not in self.variables:
                self.variable(name, self._array(name, kind, about))
            arguments.append(self.variables[name])
        arguments += self._metadata()
        for name, (dtype, axis) in self.kernel.kept.items():
            most = self.most(axis)
            arguments.append(self.variable(name, f"np.zeros({most} + 1, {dtype.name!r})"))
        if self.kernel.bins:
            arguments.append(self.variable("bins", f"np.zeros({self.kernel.bins})"))
            if self.kernel.edges:
                arguments.append(f"np.array({self.kernel.edges!r})")
        counted = [f"n_{column.name}" for column in self.kernel.columns.values()] + self.kernel.counters
        for column in self.kernel.columns.values():
            arguments += self._buffers(column)
        if counted:
            arguments.append(self.variable("used", f"np.zeros({len(counted)}, np.int64)"))
        self.stage.lines.append(f"{kernel_name(len(self.stage.kernels) - 1)}({', '.join(arguments)})")
        self._columns(counted)
        self._fills(counted)

    def known(self, wish: str) -> str:
        return self.variables.get(wish, "")

    def variable(self, wish: str, text: str) -> str:
        name = self.variables[wish] = self.names.new(wish)
        self.stage.lines.append(f"{name} = {text}")
        return name

    # -- what goes in ------------------------------------------------------------------------------------------------

    def _array(self, name: str, kind: str, about: Any) -> str:
        if kind == "rows":
            return self._starts(about)
        if kind == "computed":
            return self._computed(*about[:2])
        if kind.startswith("given"):
            return self._given(about, kind == "given")
        node = next(node for node, leaf in self.kernel.stored.values() if leaf.column == about)
        self._read(node)
        if kind == "valid":
            self.helpers.add("flat_known")
            return f"flat_known(column[{quoted(about)}])"
        self.helpers.add("flat_numbers")
        return f"flat_numbers(column[{quoted(about)}], {node.type.dtype.name!r})"  # type: ignore[union-attr]

    def _given(self, node: g.Node, values: bool) -> str:
        """What the columnar engine computes, or whether it is known, for every row of a stored collection."""
        helper = "flat_numbers" if values else "flat_known"
        self.helpers.add(helper)
        dtype = f", {node.type.dtype.name!r}" if values else ""  # type: ignore[union-attr]
        text = f"{helper}({self.stage.asked(node)}{dtype})"
        if all(axis is axis.base for axis in node.path):
            return text
        self.helpers |= {"on_stored_rows", "flat_numbers"}
        rows = [self.stage.asked(self._positions(node.path[: k + 1])) for k in range(len(node.path))]
        starts = [self._starts_variable(axis.base) for axis in node.path[1:]]
        return f"on_stored_rows({text}, [{', '.join(rows)}], [{', '.join(starts)}], len(events))"

    def _positions(self, path: Path) -> g.Node:
        """For each row of some rows of a stored collection its position in the whole list."""
        bases = tuple(axis.base for axis in path)
        stored = build.source_of(next(iter(self.outputs.values())))
        if len(path) > 1:
            stored = next(node for node in _stored_lists(self.outputs) if node.path == bases)
        return build.restrict(build.row(stored) if isinstance(stored.type, Record) else build.place(stored), path)

    def _starts_variable(self, axis: Axis) -> str:
        name = next((name for name, about in self.arrays.items() if about == ("rows", axis)), f"{axis.name}_rows")
        return self.variables.get(name) or self.variable(name, self._starts(axis))

    def _computed(self, text: str, columns: tuple[str, ...]) -> str:
        """A function of columns."""
        for name in columns:
            if name not in self.variables:
                known = self.kernel.inputs.get(name) or self.arrays[name]
                self.variable(name, self._array(name, *known))
        mine = {name: self.variables[name] for name in columns}
        return re.sub(r"\b(" + "|".join(map(re.escape, mine)) + r")\b", lambda found: mine[found.group()], text)

    def _read(self, node: g.Field) -> None:
        from hep_tables_coffea.codegen.columnar import counter_of

        record: Any = node.args[0].type
        leaf = record.group.fields[node.name]
        counter = counter_of(node.args[0], leaf, self.stage.columns)
        self.stage.columns[leaf.column] = (leaf.dtype, leaf.depth, counter)

    def _starts(self, axis: Axis) -> str:
        """Where the lists of a collection begin: as all columns that are read of it have it."""
        beside = {}
        for node, leaf in self.kernel.stored.values():
            if axis in node.path:
                self._read(node)
                beside[leaf.column] = node.path.index(axis)
        if beside:
            self.helpers.add("list_starts")
            level = next(iter(beside.values()))
            inside = ", ".join(f"{quoted(name)}: column[{quoted(name)}]" for name in beside)
            return f"list_starts({{{inside}}}, {level})"
        return self._counted(axis)

    def _counted(self, axis: Axis) -> str:
        """Where lists begin of which no column is read: from the column that counts them, or from any column."""
        for node in _stored_lists(self.outputs):
            if axis not in node.path:
                continue
            group: Any = node.type.group if isinstance(node.type, Record) else None
            if group is not None and group.counter and len(node.path) == 2:
                self.stage.columns.setdefault(group.counter, ("int64", 0, ""))
                self.helpers.add("starts_of")
                return f"starts_of(column[{quoted(group.counter)}])"
            column: Any = node if group is None else any_column(node)
            self._read(column)
            leaf: Any = column.args[0].type.group.fields[column.name]
            self.helpers.add("list_starts")
            name = quoted(leaf.column)
            return f"list_starts({{{name}: column[{name}]}}, {column.path.index(axis)})"
        msg = f"no column has the lists of {axis.name}"
        raise AssertionError(msg)

    def _metadata(self) -> list[str]:
        arguments = []
        for node in self.kernel.metadata.values():
            text = f"events.metadata.get({quoted(node.name)})"
            known = next(value for value in node.values if value is not None)
            if isinstance(known, bool):
                self.helpers.add("truth")
                text = f"truth({text}, {quoted(node.name)})"
            if isinstance(known, str):
                arguments.append(f"{self.kernel.texts!r}.get({text}, -1)")
            else:
                kind = node.type.dtype.name.replace("bool", "bool_")  # type: ignore[union-attr]
                arguments.append(f"np.{kind}({text} or 0)")
            if node.type.option:
                arguments.append(f"{text} is not None")
        return arguments

    def _buffers(self, column: Column) -> list[str]:
        room = self.variable(f"room_{column.name}", self.room(column.path))
        names = [self.variable(column.name, f"np.empty({room}, {column.dtype.name!r})")]
        if column.option:
            names.append(self.variable(f"{column.name}_known", f"np.empty({room}, bool)"))
        return names

    # -- what comes out ----------------------------------------------------------------------------------------------

    def _columns(self, counted: list[str]) -> None:
        for node, column in self.kernel.columns.items():
            place = counted.index(f"n_{column.name}")
            slice_ = f"[: {self.variables['used']}[{place}]]"
            known = f"{self.variables[f'{column.name}_known']}{slice_}" if column.option else "None"
            self._flat[node] = (f"{self.variables[column.name]}{slice_}", known)
        for node in self._mine():
            if node.path:
                self._answer(node, flat=False)

    def _mine(self) -> list[g.Node]:
        return [node for name, node in self.outputs.items() if name not in self.kernel.refused]

    def totals(self) -> None:
        """What values of the whole dataset are made of, in no lists."""
        for node in self._mine():
            for one in [] if node.path or isinstance(node, g.Fill) else aggregated(node):
                if one not in self.stage.pieces:
                    self._answer(one, flat=True)

    def _answer(self, node: g.Node, flat: bool) -> None:
        known = self.stage.flat if flat else self.stage.pieces
        if node in known or isinstance(node, g.Fill):
            return
        text = self._record(node, flat) if isinstance(node.type, Record) else self._column(node, flat)
        name = self.names.new("answer")
        self.stage.lines.append(f"{name} = {text}")
        known[node] = name

    def _record(self, node: g.Node, flat: bool) -> str:
        """A record of the columns of its fields, which may be records themselves."""
        members = {}
        for name in node.type.fields:  # type: ignore[union-attr]
            member = build.field(node, name)
            if isinstance(member.type, Record):
                members[name] = self._record(member, flat)
            elif member in self._flat:
                members[name] = self._column(member, flat, there=not _missing_as_a_whole(node, name))
        inside = "{" + ", ".join(f"{quoted(name)}: {text}" for name, text in members.items()) + "}"
        if list(members) == [str(number) for number in range(len(members))]:
            inside = tuple_text(list(members.values()))
        text = f"ak.zip({inside}, depth_limit={len(node.path)})"
        return f"ak.mask({text}, {self._column(node, flat, known=True)})" if node.type.option else text

    def _column(self, node: g.Node, flat: bool, known: bool = False, there: bool = True) -> str:
        """The values of a column, or which of them are known; without `there` as if all were."""
        self.helpers.add("as_column")
        values, missing = self._flat[node] if not known else (self._flat[node][1], "None")
        counts = []
        outer = node
        while len(outer.path) > 1 and not flat:
            outer = functions.reduce("num", build.anchor(outer))
            counts.append(self._flat[outer][0])
        return f"as_column({values}, {missing if there else None}, [{', '.join(counts)}])"

    def _fills(self, counted: list[str]) -> None:
        for node, slabs in self.kernel.slabs.items():
            if len(slabs) == 1 and not slabs[0].counter:
                self.stage.bins[node] = (self.variables["bins"], slabs[0])
                continue
            self.helpers.add("add_bins")
            parts = []
            for slab in slabs:
                filled = f"{self.variables['used']}[{counted.index(slab.counter)}]" if slab.counter else "True"
                categories = tuple_text([str(one) for one in slab.categories])
                parts.append(f"({slab.begins}, {slab.shape!r}, {categories}, {filled})")
            self.stage.fills[node] = f"{self.variables['bins']}, [{', '.join(parts)}]"


def _missing_as_a_whole(record: g.Node, name: str) -> bool:
    """Whether a field is missing only where its record is."""
    assert isinstance(record.type, Record)
    group = record.type.group
    return record.type.option and group is not None and not getattr(group.fields[name], "optional", False)


def _stored_lists(outputs: Mapping[str, g.Node]) -> list[g.Field]:
    """Every stored collection and column of a program, the collections first."""
    found = [
        node
        for node in walk(list(outputs.values()))
        if isinstance(node, g.Field) and not isinstance(node.args[0], g.Behave)
    ]
    return sorted(found, key=lambda node: not isinstance(node.type, Record))
