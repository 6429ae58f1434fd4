"""The table that is delivered: its columns, its schema, and a program made again over it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hep_tables_coffea.errors import BackendError
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis, Path, derives, steps
from hep_tables_coffea.graph.copy import Copy
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.demand import Demand
from hep_tables_coffea.plan.lower import lower_counts
from hep_tables_coffea.types.dataset import Dataset
from hep_tables_coffea.types.elements import Record
from hep_tables_coffea.types.schema import Group, Leaf, Schema

__all__ = [
    "DeliveredTable",
    "constant_leaf",
    "count_of",
    "is_events",
    "is_product",
    "make_table",
    "own_axes",
    "stored_field",
]


@dataclass(slots=True)
class _Draft:
    """A group of the delivered table while it is put together."""

    name: str
    is_list: bool = False
    behavior: str = ""
    counter: str = ""
    members: dict[str, Leaf | _Draft] = field(default_factory=dict)

    def group(self) -> Group:
        fields = {name: one.group() if isinstance(one, _Draft) else one for name, one in self.members.items()}
        return Group(self.name, fields, self.is_list, self.behavior, self.counter)

    def free(self, wish: str) -> str:
        """A name for another member."""
        name, number = wish, 2
        while name in self.members:
            name, number = f"{wish}_{number}", number + 1
        return name


@dataclass(frozen=True, slots=True)
class DeliveredTable:
    """`columns` are the delivered nodes by the names of their columns, `places` where each stands in the schema."""

    dataset: Dataset
    columns: Mapping[str, g.Node]
    places: Mapping[g.Node, tuple[str, ...]]
    tables: Mapping[Axis, Axis]
    #: Of each collection the group that has its rows.
    groups: Mapping[Axis, tuple[str, ...]]

    def make_again(
        self, outputs: Mapping[str, g.Node], demand: Demand
    ) -> tuple[dict[str, g.Node], dict[g.Node, g.Node]]:
        """The outputs over this table, and what stands in for dataset-wide values that events use."""
        again = _Again(self, demand)
        return {name: again.output(node) for name, node in outputs.items()}, again.constants


#: Kinds of rows that are combinations of others: more of them than of what they are made of.
_PRODUCTS = ("pairs", "cross", "flat")


def count_of(rows: g.Node) -> g.Node:
    """The number of rows in each event."""
    return functions.reduce("num", build.anchor(rows))


def is_events(base: Axis) -> bool:
    """Whether an axis is that of all events of a dataset."""
    return base.kind == "rows" and base.params[1] == ""


def own_axes(path: Path) -> Path:
    """The axes of a path that are rows of the event, and stored lists in these; not what was combined with them."""
    inner = 2
    while inner < len(path) and path[inner].base.kind == "rows" and "." in path[inner].base.params[1]:
        inner += 1
    return path[:inner]


def is_product(path: Path) -> bool:
    """Whether a path has a row for each combination of others."""
    inner = any(axis.base.kind == "rows" and "." not in axis.base.params[1] for axis in path[2:])
    return inner or any(axis.base.kind in _PRODUCTS for axis in path)


def constant_leaf(node: g.Node) -> Leaf | None:
    """The description of a column that no file has."""
    found = stored_field(node)
    record = found.args[0].type if found is not None else None
    if found is None or not isinstance(record, Record) or record.group is None:
        return None
    leaf = record.group.fields.get(found.name)
    return leaf if isinstance(leaf, Leaf) and leaf.constant is not None else None


def stored_field(node: g.Node) -> g.Field | None:
    """The stored column of which a node has some rows."""
    while isinstance(node, g.Restrict):
        node = node.args[0]
    return node if isinstance(node, g.Field) and not isinstance(node.args[0], g.Behave) else None


def make_table(
    dataset: Dataset,
    columns: Sequence[g.Node],
    tables: Mapping[Axis, Axis],
    groups: Mapping[Axis, g.Node],
) -> DeliveredTable:
    """The table with these columns. `groups` has of each collection of rows a value on it."""
    return _Making(dataset, tables).make(columns, groups)


class _Making:
    def __init__(self, dataset: Dataset, tables: Mapping[Axis, Axis]) -> None:
        self.dataset, self.tables = dataset, tables
        self.root = _Draft("")
        self.columns: dict[str, g.Node] = {}
        self.places: dict[g.Node, tuple[str, ...]] = {}
        self.groups: dict[Axis, tuple[str, ...]] = {}

    def make(self, columns: Sequence[g.Node], groups: Mapping[Axis, g.Node]) -> DeliveredTable:
        for base, rows in groups.items():
            self._collection(base, rows)
        self.groups |= {base: () for base in self.tables if is_events(base)}
        for node in sorted(columns, key=lambda node: stored_field(node) is None):  # stored ones have their own names
            self._add(node)
        schema = Schema(f"{self.dataset.schema.pack}, delivered", self.root.group(), self.dataset.schema.behaviors)
        made = Dataset(self.dataset.name, self.dataset.samples, schema)
        return DeliveredTable(made, self.columns, self.places, self.tables, self.groups)

    def _collection(self, base: Axis, rows: g.Node) -> None:
        """The group of a collection, with the column that counts its rows."""
        record = _record_of(rows, base)
        parent, names = self.root, _chain(record) if record is not None else (_plain(base.name) or "rows",)
        for name in names[:-1]:
            parent = self._inside(parent, name)
        name = names[-1] if names[-1] not in parent.members else parent.free(names[-1])
        draft = _Draft(name, is_list=True)
        if record is not None:
            assert isinstance(record.type, Record)
            draft.behavior = record.type.behavior
        draft.counter = self._new("n" + "_".join((*names[:-1], name)))
        self.columns[draft.counter] = count_of(rows)
        self.root.members[draft.counter] = Leaf(draft.counter, "int64")
        parent.members[name] = draft
        self.groups[base] = (*names[:-1], name)

    def _inside(self, parent: _Draft, name: str) -> _Draft:
        member = parent.members.setdefault(name, _Draft(name))
        assert isinstance(member, _Draft)
        return member

    def _new(self, wish: str) -> str:
        name, number = wish, 2
        while name in self.columns:
            name, number = f"{wish}_{number}", number + 1
        return name

    def _add(self, node: g.Node) -> None:
        leaf_field = stored_field(node)
        names = self._home(node, leaf_field)
        home = self._at(names)
        if leaf_field is not None:
            owner = leaf_field.args[0].type
            if not home.behavior and isinstance(owner, Record) and not home.is_list:
                home.behavior = owner.behavior
        own = home.free(leaf_field.name if leaf_field is not None else _wish(node))
        column = self._new(_plain("_".join((*names, own))))
        like = constant_leaf(node)
        leaf = Leaf(
            column,
            node.type.dtype.name,  # type: ignore[union-attr]
            len(node.path) - 1,
            optional=node.type.option,
            counter=home.counter,
        )
        if like is not None:
            leaf = replace(like, column=column)
        else:
            self.columns[column] = node
        home.members[own] = leaf
        self.places[node] = (*names, own)

    def _home(self, node: g.Node, leaf: g.Field | None) -> tuple[str, ...]:
        if len(node.path) > 1:
            return self.groups[node.path[1].base]
        return _chain(leaf.args[0]) if leaf is not None else ()

    def _at(self, names: Iterable[str]) -> _Draft:
        draft = self.root
        for name in names:
            draft = self._inside(draft, name)
        return draft


def _record_of(rows: g.Node, base: Axis) -> g.Node | None:
    """The stored collection whose rows these are."""
    for node in walk([rows]):
        if isinstance(node, g.Field) and isinstance(node.type, Record) and node.path[-1] is base:
            return node
    return None


def _chain(record: g.Node) -> tuple[str, ...]:
    """The names that lead from the events to a stored record."""
    names: list[str] = []
    while isinstance(record, g.Field):
        names.append(_plain(record.name))
        record = record.args[0]
    return tuple(reversed(names))


def _plain(text: str) -> str:
    return re.sub(r"\W+", "_", text).strip("_")


def _wish(node: g.Node) -> str:
    """A name for what was computed."""
    found = re.match(r"^([A-Za-z_]\w*)\s*(?::[^=]+)?=(?!=)", node.where.source)
    if found:
        return found.group(1)
    if isinstance(node, (g.Reduce, g.Behave)):
        return _plain(str(node.function if isinstance(node, g.Reduce) else node.method))
    stored = [one for one in walk([node]) if isinstance(one, g.Field) and not isinstance(one.type, Record)]
    return _plain(stored[0].name) if stored else "value"


class _Again:
    """A program over a delivered table."""

    def __init__(self, table: DeliveredTable, demand: Demand) -> None:
        self.table, self.demand = table, demand
        self.events = build.source(table.dataset)
        self.constants: dict[g.Node, g.Node] = {}
        axes: dict[Axis, Axis] = {}
        for base, names in table.groups.items():
            made = self._at(names)
            axes |= dict.fromkeys(table.tables[base].lineage(), made.path[-1])
        self.copy = Copy(axes)
        self._given: dict[g.Node, g.Node] = {}
        for node, names in table.places.items():
            made = self._given[node] = self._at(names)
            if not is_product(node.path):
                for old, new in zip(node.path[2:], made.path[2:]):
                    axes |= {axis: new for axis in old.lineage() if axis not in axes}

    def _at(self, names: Sequence[str]) -> g.Node:
        node = self.events
        for name in names:
            node = build.field(node, name)
        return node

    def _group(self, base: Axis) -> g.Node:
        """The record with a row for each of a collection."""
        return self._at(self.table.groups[base])

    # -- outputs --

    def output(self, node: g.Node) -> g.Node:
        if node.path:
            return self.value(node)
        made: dict[g.Node, g.Node] = {}
        for one in walk([node], _scalar_needs):
            if isinstance(one, g.Fill):
                args = tuple(map(self.value, one.args))
                made[one] = g.Fill.make(args, one.params, one.path, one.type, one.where)
            elif isinstance(one, g.Aggregate):
                made[one] = functions.aggregate(one.function, self.value(one.args[0]), dict(one.options))
            else:
                made[one] = self.copy.again(one, [made[arg] for arg in one.args]) if one.args else one
            _same_place(made[one], one)
        return made[node]

    # -- values --

    def value(self, node: g.Node) -> g.Node:
        """A value over the table."""
        made = self.copy.made
        newest = self.events.serial
        for one in walk([node], self._needs):
            if one not in made:
                made[one] = self._make(one)
                if made[one].serial > newest:
                    _same_place(made[one], one)
        return made[node]

    def _delivered(self, node: g.Node) -> g.Node | None:
        if not node.path or isinstance(node.type, Record):
            return None
        found = self._given.get(node)
        if found is None:
            found = self._given.get(build.restrict(node, self._table_path(node.path)))
        return found

    def _table_path(self, path: Path) -> Path:
        """The rows of the table that a value on larger collections is asked of."""
        own = own_axes(path)
        found = [self.table.tables.get(axis.base, axis) for axis in own]
        return (*(rows if derives(rows, axis) else axis for rows, axis in zip(found, own)), *path[len(own) :])

    def _needs(self, node: g.Node) -> Sequence[g.Node]:
        if node in self.copy.made or self._delivered(node) is not None or not node.path:
            return ()
        if isinstance(node, (g.Source, g.Metadata)) or _is_stored(node):
            return ()
        if lower_counts(node) is not node:
            return (lower_counts(node),)
        if isinstance(node, g.Restrict):
            return [*node.args, *self._masks(node.path)]
        if isinstance(node, (g.Zip, g.Extend)):
            return self._members(node)
        found: list[g.Node] = []
        for arg in node.args:
            found += self._masks(arg.path) if self._only_counts(node, arg) else [arg]
        return found

    def _masks(self, path: Path) -> list[g.Node]:
        """What selects rows of those of the table."""
        found = []
        for axis in path:
            rows = self.table.tables.get(axis.base, axis)
            if derives(axis, rows):
                found += [step.node for step in steps(rows, axis) if step.node is not None]
        return found

    def _members(self, node: g.Zip | g.Extend) -> list[g.Node]:
        """The values of a record that are asked for."""
        names = self.demand.fields(node)
        if isinstance(node, g.Zip):
            found = [arg for name, arg in zip(node.names, node.args) if name in names]
            return found or list(node.args[:1])
        return [node.args[0], *(arg for name, arg in zip(node.names, node.args[1:]) if name in names)]

    def _only_counts(self, node: g.Node, arg: g.Node) -> bool:
        """Whether of an argument only its rows matter."""
        if isinstance(node, g.Nest):
            return arg is node.args[1] and arg is not node.args[0]
        if isinstance(node, g.Side):
            return arg is not node.args[node.slot]
        if isinstance(node, g.Call) and node.function == "ht.broadcast":
            return arg is node.args[1] and arg is not node.args[0]
        return False

    def _make(self, node: g.Node) -> g.Node:
        given = self._delivered(node)
        if given is not None:
            return given
        if not node.path:
            return self._constant(node)
        if isinstance(node, g.Source):
            return self.events
        if isinstance(node, g.Metadata):
            return build.metadata(self.events, node.name, node.values)
        if isinstance(node, g.Field) and _is_stored(node):
            return self._stored(node)
        if lower_counts(node) is not node:
            return self.copy.made[lower_counts(node)]
        if isinstance(node, (g.Zip, g.Extend)):
            return self._record(node)
        args = [self._rows(arg) if self._only_counts(node, arg) else self.copy.made[arg] for arg in node.args]
        return self.copy.again(node, args)

    def _stored(self, node: g.Field) -> g.Node:
        if node.name == build.ROW:
            return build.row(self._group(node.path[-1].base))
        if isinstance(node.type, Record):
            is_list = len(node.path) > len(node.args[0].path)
            return self._group(node.path[-1].base) if is_list else self._at(_chain(node))
        msg = f"the column {node.name!r} is needed and is not delivered"
        raise BackendError(msg, values=[("column", node.text)], where=node.where)

    def _record(self, node: g.Zip | g.Extend) -> g.Node:
        made = self.copy.made
        if isinstance(node, g.Zip):
            members = {name: made[arg] for name, arg in zip(node.names, node.args) if arg in made}
            return build.zip_fields(members, node.behavior, depth=len(node.path))
        members = {name: made[arg] for name, arg in zip(node.names, node.args[1:]) if arg in made}
        return build.extend(made[node.args[0]], members)

    def _rows(self, node: g.Node) -> g.Node:
        """Some value with the same rows."""
        if len(node.path) > 2 or node.path[-1].base not in self.table.groups:
            return self.value(node)
        return build.restrict(build.row(self._group(node.path[-1].base)), tuple(map(self.copy.axis, node.path)))

    def _constant(self, node: g.Node) -> g.Node:
        """A constant; or what stands in for a value of the whole dataset that is known before."""
        if isinstance(node, g.Literal):
            return node
        params = ("num", (("of", node.digest),))
        made = g.Aggregate.make((build.row(self.events),), params, (), node.type, node.where)
        self.constants[made] = node
        return made


def _is_stored(node: g.Node) -> bool:
    return isinstance(node, g.Field) and not isinstance(node.args[0], g.Behave)


def _scalar_needs(node: g.Node) -> Sequence[g.Node]:
    return () if isinstance(node, (g.Aggregate, g.Fill)) else node.args


def _same_place(made: g.Node, node: g.Node) -> None:
    """Errors and names are those of the user's line."""
    if made.serial > node.serial:
        made.where = node.where
