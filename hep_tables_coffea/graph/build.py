"""Making nodes: the rules of axes in one place.

Every function takes nodes and gives a node in its normal form: structure (filters, picks, pairs) is pushed through
`Field`, so `jets[mask].pt` and `jets.pt[mask]` are one node, and only the columns that are used appear anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hep_tables_coffea.errors import AxisError, RecordingError, Where
from hep_tables_coffea.graph.axes import Axis, Path, derives, steps
from hep_tables_coffea.graph.nodes import (
    Arrange,
    Behave,
    Call,
    Current,
    Extend,
    Field,
    Flatten,
    Join,
    Listed,
    Literal,
    Metadata,
    Nest,
    Node,
    Pick,
    Restrict,
    Side,
    Source,
    Zip,
    literal_key,
)
from hep_tables_coffea.graph.stored import stored
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.types.dataset import Dataset
from hep_tables_coffea.types.elements import Element, Record, Text, number, optional

__all__ = [
    "ROW",
    "align",
    "anchor",
    "broadcast",
    "extend",
    "field",
    "flatten",
    "has_field",
    "join",
    "listed",
    "literal",
    "metadata",
    "moved",
    "moved_all",
    "nest",
    "one_element",
    "pick",
    "place",
    "relabel",
    "restrict",
    "row",
    "same_rows",
    "shrunk",
    "side",
    "source",
    "source_of",
    "zip_fields",
]

#: The position of a row in the stored collection: a field that every collection has, under a name that no file has.
ROW = "#row"


def source(dataset: Dataset, where: Where | None = None) -> Node:
    """The events of a dataset."""
    axis = Axis("rows", "event", params=(dataset.uid, ""))
    root = dataset.schema.root
    return Source.make((), (dataset,), (axis,), Record(root.names, root.behavior, axis, root), where)


def source_of(node: Node) -> Node:
    """The source that a value of some dataset comes from."""
    while not isinstance(node, Source):
        onward = next((arg for arg in node.args if arg.path and (arg.args or isinstance(arg, Source))), None)
        if onward is None:  # of the whole dataset, maybe beside what is made of constants alone
            onward = next((one for one in walk([node], lambda one: one.args) if isinstance(one, Source)), None)
        if onward is None:
            msg = f"{node!r} comes from no dataset"
            raise ValueError(msg)
        node = onward
    return node


def literal(value: Any) -> Node:
    """A constant."""
    plain, kind = literal_key(value)
    element: Element = Text() if isinstance(plain, str) else number(kind)
    return Literal.make((), (plain, kind, repr(value)), (), element, None)


def metadata(events: Node, name: str, values: tuple[Any, ...]) -> Node:
    """A metadata value: one for each sample, None where it has none."""
    known = [value for value in values if value is not None]
    option = len(known) < len(values)
    if all(isinstance(value, bool) for value in known):
        element: Element = number(bool, option)
    elif all(isinstance(value, (int, float)) for value in known):
        element = number("int64" if all(isinstance(value, int) for value in known) else "float64", option)
    else:
        element = Text(option)
    return Metadata.make((events,), (name, values), events.path, element, None)


# -- alignment -------------------------------------------------------------------------------------------------------


def align(nodes: Sequence[Node], doing: str = "combine", depth: int | None = None) -> tuple[Path, list[Node]]:
    """The path on which all values have one entry, and the values restricted to it.

    Prefixes broadcast down, parents are restricted to their subsets; everything else is an error. With a `depth` only
    that many axes are aligned, and deeper ones stay as they are.
    """
    if any(axis.kind == "current" for node in nodes for axis in node.path):
        from hep_tables_coffea.graph.scope import nest_together

        nodes = nest_together(nodes)
    target: list[Axis] = []
    owner: list[Node] = []
    for node in nodes:
        for k, axis in enumerate(node.path[:depth]):
            if k == len(target):
                target.append(axis)
                owner.append(node)
            elif derives(axis, target[k]):
                if axis is not target[k]:
                    target[k], owner[k] = axis, node
            elif not derives(target[k], axis):
                raise _mismatch(owner[k], node, k, doing)
    path = tuple(target)
    return path, [restrict(node, path[: len(node.path)] + node.path[len(path) :]) for node in nodes]


def _mismatch(one: Node, other: Node, k: int, doing: str) -> AxisError:
    mine, theirs = one.path[k], other.path[k]
    values = [("one", one.text), ("other", other.text)]
    if mine.base is theirs.base:
        msg = f"cannot {doing} values of two different selections of {mine.base.name}: {mine.name} and {theirs.name}"
        values += [("first", mine.rows_text()), ("second", theirs.rows_text())]
        hint = (
            f"use one selection for both, or combine them where both are defined, on {mine.base.name}; "
            f"other ways: map, ht.cross, nearest, or ht.zip_rows if you know that they are aligned"
        )
    elif k == 0:
        msg = f"cannot {doing} values of two datasets"
        values += [("first", _dataset_name(one)), ("second", _dataset_name(other))]
        hint = "open both in one ht.dataset({...}) and record once"
    else:
        msg = f"cannot {doing} values of two collections, {mine.name} and {theirs.name}: they have no rows in common"
        hint = (
            f"for each {mine.name} every {theirs.name}: map or ht.cross; the closest one: nearest; "
            f"one number of each: a reducer such as .Any(); rows that you know to be aligned: ht.zip_rows"
        )
    return AxisError(msg, values=values, hint=hint)


def _dataset_name(node: Node) -> str:
    try:
        return f"dataset {source_of(node).dataset.name}"
    except ValueError:
        return node.text


def one_element(node: Node, doing: str) -> AxisError:
    """The error of treating the parameter of a lambda as a list."""
    name = next(axis.name for axis in reversed(node.path) if axis.kind == "current")
    msg = f"{doing} of one element: the parameter of a lambda is a single row of {name}"
    hint = "use the whole collection, or a list that the row has; ht.where and ak.mask make a choice for one element"
    return AxisError(msg, values=[("value", node.text)], hint=hint)


def restrict(node: Node, target: Path) -> Node:
    """The value on the rows of `target`, whose axes derive from the value's."""
    if node.path == target:
        return node
    if any(axis.parent is not None and axis.base.kind == "current" for axis in target):
        raise one_element(node, "a selection")
    if isinstance(node, Restrict):
        return restrict(node.args[0], target)
    if isinstance(node, Extend):
        base, *values = node.args
        moved_values = [restrict(value, target + value.path[len(target) :]) for value in values]
        return extend(restrict(base, target), dict(zip(node.names, moved_values)))
    if isinstance(node, Zip) and node.args:
        members = [restrict(arg, target + arg.path[len(target) :]) for arg in node.args]
        return _zip_again(node, members, len(target))
    element = node.type
    if any(step.kind == "padded" for old, new in zip(node.path, target) for step in _between(old, new)):
        element = optional(element)
    if any(_may_miss(step) for old, new in zip(node.path, target) for step in _between(old, new)):
        element = optional(element)
    return Restrict.make((node,), (target,), target, element, None)


def _between(old: Axis, new: Axis) -> list[Axis]:
    return steps(old, new) if old is not new else []


def _may_miss(step: Axis) -> bool:
    return step.kind == "ordered" and step.node is not None and step.node.type.option


# -- fields ----------------------------------------------------------------------------------------------------------


def has_field(node: Node, name: str) -> bool:
    """Whether the record has a field of this name."""
    return isinstance(node.type, Record) and (name in node.type.fields or name == ROW)


def row(node: Node) -> Node:
    """The position of each row in the stored collection: the identity of the row as a number."""
    return field(node, ROW)


def field(node: Node, name: str) -> Node:
    """One field of a record, in normal form: structure is pushed below the field."""
    if isinstance(node, Zip):
        if name == ROW:
            return field(node.args[0], ROW) if isinstance(node.args[0].type, Record) else place(node.args[0])
        position: int = node.names.index(name)
        return node.args[position]
    if isinstance(node, Extend):
        return node.args[1 + node.names.index(name)] if name in node.names else field(node.args[0], name)
    if isinstance(node, (Restrict, Pick, Nest, Side, Current, Flatten)):
        inner = node.args[node.slot if isinstance(node, Side) else 0]
        return moved(node, field(inner, name))
    if isinstance(node, Join):
        return join([field(arg, name) for arg in node.args], node.axis, node.position)
    if isinstance(node, Listed):
        return listed([field(arg, name) for arg in node.args], node.axis)
    if isinstance(node, Behave) and name == ROW:
        return anchor(node)
    if isinstance(node, Call):
        # where, mask: the condition stays, the records are replaced by their fields
        args = [field(arg, name) if isinstance(arg.type, Record) else arg for arg in node.args]
        return _call_again(node, args)
    if isinstance(node.type, Record) and node.type.group is not None and name == ROW:
        return Field.make((node,), (name,), node.path, number("int64"), None)
    return stored(node, name)


def moved(node: Node, value: Node) -> Node:
    """Another value of the same rows, moved as `node` moves them: filtered, picked, paired."""
    if isinstance(node, Restrict):
        return restrict(value, node.path + value.path[len(node.path) :])
    if isinstance(node, Pick):
        return _pick(value, node.args[1:], node.position, node.constant)
    if isinstance(node, Nest):
        return nest(value, node.args[1], node.prefix)
    if isinstance(node, Side):
        values = [value if k == node.slot else arg for k, arg in enumerate(node.args)]
        return side(values, node.axis, node.slot, node.position)
    if isinstance(node, Current):
        return relabel(value, node.axis, node.position)
    return flatten(value, node.position)


def moved_all(node: Node, value: Node) -> Node:
    """A value of the rows of a stored collection, moved as a record of them was moved since."""
    if isinstance(node, (Restrict, Pick, Nest, Side, Current, Flatten)):
        return moved(node, moved_all(node.args[node.slot if isinstance(node, Side) else 0], value))
    return value


def extend(node: Node, members: Mapping[str, Node]) -> Node:
    """The record with further fields, or other values of its fields."""
    element = node.type
    assert isinstance(element, Record)
    names = tuple(dict.fromkeys((*element.fields, *members)))
    type_ = Record(names, element.behavior, element.rows, None, element.option)
    return Extend.make((node, *members.values()), (tuple(members),), node.path, type_, None)


def place(node: Node) -> Node:
    """The position of a row, where the record is made of plain columns: in the list before filters and pairs."""
    if isinstance(node, (Restrict, Pick, Nest, Side, Current)):
        return moved(node, place(node.args[node.slot if isinstance(node, Side) else 0]))
    return Arrange.make((node,), ("local_index", ()), node.path, number("int64"), None)


def _call_again(node: Call, args: list[Node]) -> Node:
    from hep_tables_coffea.graph.functions import call_again

    return call_again(node, args)


def zip_fields(members: Mapping[str, Node], behavior: str = "", depth: int | None = None) -> Node:
    """A record of values, one for each row of their common path.

    `depth` is the length of the record's path; what is deeper stays a list in each record. None: the deepest.
    """
    path, nodes = align(list(members.values()), "zip", depth)
    full = next((node for node in nodes if node.path[: len(path)] == path), None)
    nodes = [
        node if full is None or len(node.path) >= len(path) else broadcast(node, full, len(path)) for node in nodes
    ]
    rows = path[-1].base if path else None
    return _zip(tuple(nodes), tuple(members), behavior, path, rows)


def _zip(nodes: tuple[Node, ...], names: tuple[str, ...], behavior: str, path: Path, rows: Axis | None) -> Node:
    return Zip.make(nodes, (names, behavior, rows), path, Record(names, behavior, rows), None)


def _zip_again(node: Node, members: Sequence[Node], depth: int) -> Node:
    """A record of the same rows, moved: picked out, paired, selected. They stay rows of the same collection."""
    return _zip(tuple(members), node.names, node.behavior, members[0].path[:depth], node.rows)


def broadcast(node: Node, full: Node, depth: int) -> Node:
    """The value repeated for every row of a longer path, on which `full` is a value."""
    if isinstance(node.type, Record):
        return nest(node, shrunk(full, depth), len(node.path))
    return Call.make((node, anchor(full)), ("ht.broadcast", ()), full.path[:depth], node.type, None)


def shrunk(node: Node, depth: int) -> Node:
    """Some value on the first axes of a path."""
    from hep_tables_coffea.graph.functions import reduce

    node = anchor(node)
    while len(node.path) > depth:
        node = reduce("num", node)
    return node


# -- structure -------------------------------------------------------------------------------------------------------


def pick(node: Node, index: Node | int, position: int) -> Node:
    """One row of the axis at `position`: by a constant position, or by an index on the path before it."""
    if node.path[position].kind == "current":
        raise one_element(node, "a position")
    if isinstance(index, Node):
        path, (index,) = align([index])
        node = restrict(node, path + node.path[len(path) :]) if node.path[: len(path)] != path else node
        return _pick(node, (index,), position, None)
    return _pick(node, (), position, index)


def _pick(node: Node, index: tuple[Node, ...], position: int, constant: int | None) -> Node:
    if isinstance(node, Zip):
        members = [_pick(arg, index, position, constant) for arg in node.args]
        return _zip_again(node, members, len(node.path) - 1)
    path = node.path[:position] + node.path[position + 1 :]
    return Pick.make((node, *index), (position, constant), path, optional(node.type), None)


def nest(node: Node, outer: Node, prefix: int) -> Node:
    """The whole list for every row of the outer path beyond the common prefix."""
    more = outer.path[prefix:]
    if not more:
        return node
    return Nest.make((node, outer), (prefix,), node.path[:prefix] + more + node.path[prefix:], node.type, None)


def side(nodes: Sequence[Node], axis: Axis, slot: int, position: int) -> Node:
    """One member of every pair. `nodes` has a value for each slot: for pairs of one collection, all of its axis."""
    node = nodes[slot]
    if isinstance(node, Zip):
        members = [
            side([arg if k == slot else other for k, other in enumerate(nodes)], axis, slot, position)
            for arg in node.args
        ]
        return _zip_again(node, members, len(node.path))
    path = node.path[:position] + (axis,) + node.path[position + 1 :]
    anchors = [node if k == slot else anchor(other) for k, other in enumerate(nodes)]
    return Side.make(tuple(anchors), (axis, slot, position), path, node.type, None)


def anchor(node: Node) -> Node:
    """A plain column on the same rows: what stands for a collection where only its counts matter."""
    while isinstance(node, Behave):  # of two vectors, or the sum of a list of them
        own = [arg for arg in node.args if len(arg.path) >= len(node.path)]
        node = shrunk(own[0], len(node.path))
    while isinstance(node.type, Record):
        node = row(node)
    return node


def join(nodes: Sequence[Node], axis: Axis, position: int) -> Node:
    """The rows of several collections as one."""
    from hep_tables_coffea.types.infer import common

    path = nodes[0].path[:position] + (axis,) + nodes[0].path[position + 1 :]
    return Join.make(tuple(nodes), (axis, position), path, common([node.type for node in nodes]), None)


def listed(nodes: Sequence[Node], axis: Axis) -> Node:
    """Values of one path side by side, as a list."""
    from hep_tables_coffea.types.infer import common

    path, nodes = align(nodes)
    if any(isinstance(node.type, Record) for node in nodes):
        msg = "records cannot be put side by side into a list"
        raise RecordingError(
            msg, values=[("record", nodes[0].text)], hint="x[:, :1] is the first of each list, as a list"
        )
    return Listed.make(tuple(nodes), (axis,), (*path, axis), common([node.type for node in nodes]), None)


def relabel(node: Node, axis: Axis, position: int) -> Node:
    """The value on the axis of a lambda parameter."""
    path = (*node.path[:position], axis, *node.path[position + 1 :])
    return Current.make((node,), (axis, position), path, node.type, None)


def flatten(node: Node, position: int) -> Node:
    """The axes at `position` - 1 and `position` as one."""
    outer, inner = node.path[position - 1 : position + 1]
    if outer.kind == "current":
        raise one_element(node, "flatten")
    axis = Axis("flat", inner.name, inputs=(outer, inner))
    path = (*node.path[: position - 1], axis, *node.path[position + 1 :])
    return Flatten.make((node,), (position,), path, node.type, None)


def same_rows(node: Node, first: Node) -> Node:
    """The value on the rows of `first`, because the user says that they are aligned; checked in each chunk."""
    path = first.path[: len(node.path)] + node.path[len(first.path) :]
    return Call.make((node, first), ("ht.same_rows", ()), path, node.type, None)
