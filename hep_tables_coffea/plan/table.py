"""The table that is delivered: its columns, its schema, and a program made again over it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis, Path, path_text
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.types.dataset import Dataset
from hep_tables_coffea.types.elements import Record
from hep_tables_coffea.types.schema import Group, Leaf, Schema

__all__ = [
    "Clash",
    "DeliveredTable",
    "chain_of",
    "constant_leaf",
    "count_of",
    "is_events",
    "is_product",
    "made_rows",
    "make_table",
    "own_axes",
    "stored_field",
]


class Clash(Exception):
    """Rows that cannot be delivered: `rows` is what they are rows of."""

    def __init__(self, rows: Path, why: str) -> None:
        super().__init__(f"the rows of {path_text(rows)} {why}")
        self.rows = rows


@dataclass(slots=True)
class _Draft:
    """A group of the delivered table while it is put together."""

    name: str
    is_list: bool = False
    behavior: str = ""
    counter: str = ""
    members: dict[str, Leaf | _Draft] = field(default_factory=dict)
    #: The fields in the order of the stored collection.
    order: tuple[str, ...] = ()

    def group(self) -> Group:
        names = sorted(self.members, key=lambda name: self.order.index(name) if name in self.order else len(self.order))
        members = [(name, self.members[name]) for name in names]
        fields = {name: one.group() if isinstance(one, _Draft) else one for name, one in members}
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


def made_rows(path: Path) -> Iterable[Path]:
    """What of a path ends in rows that the program makes: stored are collections, and lists in their rows."""
    rows = tuple(axis.base for axis in path)
    for k, axis in enumerate(rows[1:], 1):
        if axis.kind != "rows" or (k > 1 and "." not in axis.params[1]):
            yield rows[: k + 1]


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
    names: Mapping[g.Node, str],
) -> DeliveredTable:
    """The table with these columns. `groups` has of each collection of rows a value on it, `names` those of outputs."""
    return _Making(dataset, tables, names).make(columns, groups)


class _Making:
    """A table while it is put together."""

    def __init__(self, dataset: Dataset, tables: Mapping[Axis, Axis], names: Mapping[g.Node, str]) -> None:
        self.dataset, self.tables, self.names = dataset, tables, names
        self.root = _Draft("", order=tuple(dataset.schema.root.fields))
        self.columns: dict[str, g.Node] = {}
        self.places: dict[g.Node, tuple[str, ...]] = {}
        self.groups: dict[Axis, tuple[str, ...]] = {}

    def make(self, columns: Sequence[g.Node], groups: Mapping[Axis, g.Node]) -> DeliveredTable:
        for base, rows in groups.items():
            self._collection(base, rows)
        self.groups |= {base: () for base in self.tables if is_events(base)}
        self.assigned = Counter(_assigned(node) for node in columns if stored_field(node) is None)
        for node in sorted(columns, key=lambda node: stored_field(node) is None):  # stored ones have their own names
            self._add(node)
        schema = Schema(f"{self.dataset.schema.pack}, delivered", self.root.group(), self.dataset.schema.behaviors)
        made = Dataset(self.dataset.name, self.dataset.samples, schema)
        return DeliveredTable(made, self.columns, self.places, self.tables, self.groups)

    def _collection(self, base: Axis, rows: g.Node) -> None:
        """The group of a collection, with the column that counts its rows."""
        record = _record_of(rows, base)
        parent, names = self.root, chain_of(record) if record is not None else (_plain(base.name) or "rows",)
        for name in names[:-1]:
            parent = self._inside(parent, name)
        name = names[-1] if names[-1] not in parent.members else parent.free(names[-1])
        draft = _Draft(name, is_list=True)
        if record is not None:
            assert isinstance(record.type, Record)
            draft.behavior, draft.order = record.type.behavior, _stored_order(record)
        draft.counter = self._new("n" + "_".join((*names[:-1], name)))
        self.columns[draft.counter] = count_of(rows)
        self.root.members[f"#{draft.counter}"] = Leaf(draft.counter, "int64", hidden=True)
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
                home.behavior, home.order = owner.behavior, _stored_order(leaf_field.args[0])
        own = home.free(leaf_field.name if leaf_field is not None else self._wish(node))
        column = self._new(_plain("_".join((*names, own))))
        like = constant_leaf(node)
        leaf = Leaf(
            column,
            node.type.dtype.name,  # type: ignore[union-attr]
            len(node.path) - 1,
            optional=node.type.option,
            counter=home.counter,
            hidden=leaf_field is None,
        )
        if like is not None:
            leaf = replace(like, column=column)
        else:
            self.columns[column] = node
        home.members[own] = leaf
        self.places[node] = (*names, own)

    def _wish(self, node: g.Node) -> str:
        """A name for what was computed: that of the output, or of the variable if it stands for nothing else."""
        if node in self.names:
            return _plain(self.names[node])
        if self.assigned[_assigned(node)] == 1 and _assigned(node):
            return _assigned(node)
        if isinstance(node, (g.Call, g.Reduce)):
            return _plain(node.function.rpartition(".")[2])
        if isinstance(node, g.Behave):
            return _plain(str(node.method))
        stored = [one for one in walk([node]) if isinstance(one, g.Field) and not isinstance(one.type, Record)]
        return _plain(stored[0].name) if stored else "value"

    def _home(self, node: g.Node, leaf: g.Field | None) -> tuple[str, ...]:
        if len(node.path) > 1:
            if node.path[1].base not in self.groups:
                raise Clash(node.path[:2], "cannot be counted")
            return self.groups[node.path[1].base]
        return chain_of(leaf.args[0]) if leaf is not None else ()

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


def chain_of(record: g.Node) -> tuple[str, ...]:
    """The names that lead from the events to a stored record."""
    names: list[str] = []
    while isinstance(record, g.Field):
        names.append(_plain(record.name))
        record = record.args[0]
    return tuple(reversed(names))


def _plain(text: str) -> str:
    return re.sub(r"\W+", "_", text).strip("_")


def _stored_order(record: g.Node) -> tuple[str, ...]:
    group = record.type.group if isinstance(record.type, Record) else None
    return tuple(group.fields) if group is not None else ()


def _assigned(node: g.Node) -> str:
    """The variable that the user's line gives its value to."""
    found = re.match(r"^([A-Za-z_]\w*)\s*(?::[^=]+)?=(?!=)", node.where.source)
    return found.group(1) if found else ""
