"""Columns that a user defines: kept with the dataset, found through every handle of the same rows."""

from __future__ import annotations

import warnings
from typing import Any

from hep_tables_coffea.errors import AxisError, UsageError
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import derives
from hep_tables_coffea.graph.rows import beneath, joined_parts, moved_by, same_rows
from hep_tables_coffea.graph.scope import is_current, per_row
from hep_tables_coffea.record.values import node_of, shown
from hep_tables_coffea.types.dataset import Column
from hep_tables_coffea.types.elements import Record
from hep_tables_coffea.types.schema import Group

__all__ = ["as_record", "define_column", "defined_names", "find_column"]


def define_column(node: g.Node, name: Any, value: Any) -> None:
    """`jets["ptgev"] = jets.pt / 1000`: a column of these rows, and of every selection of them."""
    if not isinstance(name, str):
        msg = f"the name of a column must be a string, and not {shown(name)}"
        raise UsageError(msg, values=[("value", node.text)], hint='jets["name"] = ...')
    if not isinstance(node.type, Record):
        msg = f"a value of type {node.type} has no columns"
        raise UsageError(msg, values=[("value", node.text)], hint="columns belong to collections: jets[...] = ...")
    if any(map(is_current, node.path)):
        msg = f"the column {name!r} cannot be defined on the parameter of a lambda"
        raise UsageError(msg, values=[("parameter", node.text)], hint="define it on the collection, before or after")
    column = _per_row(node, name, value)
    defined = build.source_of(node).dataset.columns.setdefault(name, [])
    if any(same_rows(known.record, node) and known.record.path == node.path for known in defined):
        warnings.warn(
            f"the column {name!r} of {node.path[-1].name} is defined again; what is recorded keeps its meaning",
            UserWarning,
            stacklevel=3,
        )
    defined.append(Column(node, column))


def _per_row(node: g.Node, name: str, value: Any) -> g.Node:
    from hep_tables_coffea.record.lambdas import map_rows

    if callable(value) and not isinstance(getattr(value, "_node", None), g.Node):
        return map_rows(node, value)
    if _unrelated(node, node_of(value, f"define the column {name!r} by")):
        return map_rows(node, lambda _: value)
    column = per_row(node, node_of(value, f"define the column {name!r} by"))
    if column.path[: len(node.path)] != node.path:
        msg = f"the column {name!r} would have no value for some rows of {node.path[-1].name}"
        values = [("rows", node.text), ("values", column.text)]
        raise AxisError(msg, values=values, hint="define it on the selection for which it has values")
    return column


def _unrelated(node: g.Node, value: g.Node) -> bool:
    """Whether a value is a list of other things, all of which each row gets."""
    return any(mine.base is not theirs.base for mine, theirs in zip(node.path[1:], value.path[1:]))


def base_record(node: g.Node) -> g.Node:
    """The record that rows are taken from: a stored collection, or one that was put together."""
    while True:
        child = beneath(node)
        if child is None:
            return node
        node = child


def find_column(node: g.Node, name: str) -> g.Node | None:
    """The column of that name that a user defined for the rows of a record: the one of the closest selection."""
    columns = build.source_of(node).dataset.columns
    return _find(node, name, columns[name]) if name in columns else None


def _find(node: g.Node, name: str, defined: list[Column]) -> g.Node | None:
    if isinstance(node.type, Record) and isinstance(node, g.Extend) and name in node.names:
        return build.field(node, name)
    fitting = [c for c in defined if same_rows(c.record, node) and _covers(c.record, node)]
    if fitting:
        best = max(fitting, key=lambda c: sum(sum(1 for _ in axis.lineage()) for axis in c.record.path))
        latest = [c for c in fitting if c.record.path == best.record.path][-1]
        return build.restrict(latest.value, node.path + latest.value.path[len(node.path) :])
    joined = joined_parts(node)
    if joined is not None:
        join, parts = joined
        columns = [_find(part, name, defined) for part in parts]
        return None if None in columns else build.join([c for c in columns if c is not None], join.axis, join.position)
    if isinstance(node, g.Call):
        columns = [_find(arg, name, defined) if isinstance(arg.type, Record) else arg for arg in node.args]
        return None if None in columns else functions.call_again(node, [c for c in columns if c is not None])
    child = beneath(node)
    found = _find(child, name, defined) if child is not None else None
    return None if found is None else build.moved(moved_by(node), found)


def _covers(record: g.Node, node: g.Node) -> bool:
    """Whether all rows of a record are among those of another one that has the same rows."""
    return len(record.path) == len(node.path) and all(map(derives, node.path, record.path))


def defined_names(node: g.Node) -> list[str]:
    """The names of the columns that a user defined for the rows of a record."""
    if not isinstance(node.type, Record):
        return []
    columns = build.source_of(node).dataset.columns
    return [name for name in columns if _find(node, name, columns[name]) is not None]


def as_record(node: g.Node) -> g.Node:
    """The record with the columns that are defined now, for what uses the record as a whole."""
    if not isinstance(node.type, Record) or isinstance(node, (g.Behave, g.Extend)):
        return node
    if not build.source_of(node).dataset.columns:
        return node
    found = {name: find_column(node, name) for name in defined_names(node)}
    columns = {name: value for name, value in found.items() if value is not None}
    inner = {name: member for name, member in _inner_records(node).items() if name not in columns}
    if isinstance(node, g.Zip) and inner:
        members = {name: inner.pop(name, arg) for name, arg in zip(node.names, node.args)}
        node = build.zip_fields(members, node.behavior, depth=len(node.path))
    if not inner and not columns:
        return node
    made = build.extend(node, inner | columns)
    if not node.type.option:
        return made
    gone = functions.call("ak.is_none", [build.anchor(node)], {"axis": -1})
    return functions.call("ak.mask", [made, functions.call("np.logical_not", [gone])])


def _inner_records(node: g.Node) -> dict[str, g.Node]:
    """The fields that are records for which columns are defined, with these columns."""
    assert isinstance(node.type, Record)
    group = node.type.group
    names = [name for name in node.type.fields if group is None or isinstance(group.fields.get(name), Group)]
    members = {name: build.field(node, name) for name in names}
    complete = {name: as_record(member) for name, member in members.items()}
    return {name: complete[name] for name in names if complete[name] is not members[name]}
