"""What stands between brackets: columns, filters, positions, slices, index arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from hep_tables_coffea.errors import AxisError, ColumnNotFoundError, FilterError, hint_names
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph.axes import Axis, derives
from hep_tables_coffea.graph.functions import is_row_index
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.graph.scope import is_current, nest_together
from hep_tables_coffea.record.named import named_value
from hep_tables_coffea.record.values import shown
from hep_tables_coffea.types.elements import Number, Record

__all__ = ["apply_filter", "at_index", "at_position", "column", "columns", "index", "slice_rows", "subset"]


def index(node: Node, key: Any) -> Node:
    """`x[key]` for any key."""
    if isinstance(key, str):
        return column(node, key)
    if isinstance(key, tuple) and key and all(isinstance(part, str) for part in key):
        return columns(node, key)
    if isinstance(key, list) and key and all(isinstance(part, str) for part in key):
        return columns(node, key)
    if isinstance(key, tuple):
        return _by_tuple(node, key)
    if isinstance(key, (int, np.integer)) and not isinstance(key, (bool, np.bool_)):
        return at_position(node, int(key))
    if isinstance(key, slice):
        return slice_rows(node, key)
    inner = getattr(key, "_node", None)
    if isinstance(inner, Node):
        return by_node(node, inner)
    if callable(key):
        from hep_tables_coffea.record.lambdas import filter_by

        return filter_by(node, key)
    msg = f"{shown(key)} is no filter, position or column of {node.path[-1].name if node.path else 'a number'}"
    raise FilterError(msg, values=[("value", node.text)], hint='x[mask], x[0], x[0:2], x["column"], x[["a", "b"]]')


def column(node: Node, name: str) -> Node:
    """`x["name"]`: a stored or computed column, never a method."""
    found = named_value(node, name)
    if found is not None:
        return found
    names = node.type.fields if isinstance(node.type, Record) else ()
    what = node.path[-1].name if node.path else "the value"
    msg = f"{what} has no column {name!r}"
    raise ColumnNotFoundError(msg, values=[(what, node.text)], hint=hint_names(name, names))


def columns(node: Node, names: Iterable[str]) -> Node:
    """`x["pt", "eta"]`: a record of the columns."""
    return build.zip_fields({name: column(node, name) for name in names}, depth=len(node.path))


def _by_tuple(node: Node, key: tuple[Any, ...]) -> Node:
    whole = slice(None)
    leading = [part for part in key[:-1] if not (isinstance(part, slice) and part == whole) and part is not Ellipsis]
    if not key or leading or len(key) > len(node.path):
        text = ", ".join(_key_text(part) for part in key)
        msg = f"[{text}] does not index {len(node.path)} axes"
        raise FilterError(msg, values=[("value", node.text)], hint="x[:, 0] is the first of each event")
    if Ellipsis not in key and len(key) < len(node.path):
        last = key[-1]
        return _at(node, last, len(key) - 1)
    return index(node, key[-1])


def _at(node: Node, key: Any, position: int) -> Node:
    if isinstance(key, slice):
        return slice_rows(node, key, position)
    if isinstance(key, (int, np.integer)):
        return build.pick(node, int(key), position)
    return index(node, key)


def _key_text(part: Any) -> str:
    if not isinstance(part, slice):
        return shown(part)
    ends = ["" if end is None else str(end) for end in (part.start, part.stop)]
    return ":".join(ends)


def at_position(node: Node, position: int) -> Node:
    """`jets[0]`: one row of the last axis of the record, missing where there is none."""
    if len(node.path) < 2:
        msg = f"[{position}] would be one event of the dataset"
        raise FilterError(
            msg,
            values=[("value", node.text)],
            hint=f"x.First(), x.peek({abs(position) + 1}), or a filter on the events",
        )
    return build.pick(node, position, len(node.path) - 1)


def slice_rows(node: Node, key: slice, position: int | None = None) -> Node:
    """`jets[0:2]`: of each event."""
    position = len(node.path) - 1 if position is None else position
    if position < 1:
        msg = "a slice of the events depends on how they are cut into chunks"
        raise FilterError(msg, values=[("value", node.text)], hint="x.peek(n) shows the first n rows")
    for part in (key.start, key.stop, key.step):
        if not (part is None or isinstance(part, (int, np.integer))) or (part is key.step and part == 0):
            msg = f"{shown(part)} is no {'step' if part is key.step else 'end'} of a slice"
            raise FilterError(
                msg, values=[("value", node.text)], hint="x[0:2], x[-2:], x[::-1]; x[mask] for a condition"
            )
    params = tuple(None if part is None else int(part) for part in (key.start, key.stop, key.step))
    parent = node.path[position]
    axis = Axis("sliced", parent.name + "'", parent=parent, params=params)
    return build.restrict(node, (*node.path[:position], axis, *node.path[position + 1 :]))


def by_node(node: Node, key: Node) -> Node:
    """`jets[mask]` and `jets[index_array]`."""
    if isinstance(key.type, Number) and key.type.dtype.kind == "b":
        return apply_filter(node, key)
    if is_row_index(key) is not None:
        return at_index(node, key)
    msg = f"a value of type {key.type} is no mask"
    raise FilterError(
        msg,
        values=[("value", node.text), ("in brackets", key.text)],
        hint="compare it: x[y > 0]; an order is x.OrderBy(y) or x[ak.argsort(y)]",
    )


def apply_filter(node: Node, mask: Node) -> Node:
    """The rows where the mask is true."""
    node, mask = nest_together([node, mask])
    if mask.path and is_current(mask.path[-1]) and len(mask.path) < len(node.path):
        mask = build.broadcast(
            mask, node, len(mask.path) + 1
        )  # of one element: it keeps the whole list or nothing of it
    depth = len(mask.path)
    if depth == 0:
        msg = "one truth value of the whole dataset is no mask"
        raise FilterError(msg, values=[("mask", mask.text)], hint="compare a column")
    if depth > len(node.path):
        inner = mask.path[-1].name
        msg = f"a mask with one value for each of the {inner} cannot select {node.path[-1].name if node.path else 'it'}"
        values = [("value", node.text), ("mask", mask.text)]
        raise FilterError(msg, values=values, hint=f"reduce it first: mask.Any() or mask.All() over {inner}")
    _check_rows(node, mask)
    mask = build.restrict(mask, node.path[:depth])
    return subset(node, mask)


def _check_rows(node: Node, mask: Node) -> None:
    for mine, theirs in zip(node.path, mask.path):
        if derives(mine, theirs):
            continue
        values = [("value", node.text), ("mask", mask.text)]
        if derives(theirs, mine):
            msg = (
                f"the mask was made on {theirs.rows_text()}, a selection of {mine.name}, and cannot select {mine.name}"
            )
            hint = f"use it on the selection that it was made on, {theirs.name}, or make it on {mine.name}"
        elif mine.base is theirs.base:
            msg = f"the mask was made on another selection of {mine.base.name}"
            values += [("selected", mine.rows_text()), ("mask on", theirs.rows_text())]
            hint = f"make the mask on the same selection, or on {mine.base.name}"
        else:
            msg = f"a mask of {theirs.name} cannot select {mine.name}: they have no rows in common"
            hint = (
                f"make a mask on {mine.name}; reduce it to the event: mask.Any(); "
                "match the two: map, ht.cross, nearest; rows that you know to be aligned: ht.zip_rows"
            )
        raise AxisError(msg, values=values, hint=hint)


def subset(node: Node, mask: Node) -> Node:
    """The value on the rows that the mask keeps; the mask is on a prefix of the value's path."""
    k = len(mask.path) - 1
    parent = node.path[k]
    axis = Axis("subset", parent.name + "'", parent=parent, node=mask)
    return build.restrict(node, (*node.path[:k], axis, *node.path[k + 1 :]))


def at_index(node: Node, key: Node) -> Node:
    """`jets[ak.argsort(jets.pt)]`: rows in the order of an index array."""
    node, key = nest_together([node, key])
    k = len(key.path) - 1
    rows = is_row_index(key)
    if k >= len(node.path) or not (derives(rows, node.path[k]) and derives(node.path[k], rows)):
        msg = f"the index array has positions in {rows.name}, not in {node.path[-1].name}"
        raise AxisError(
            msg, values=[("value", node.text), ("index", key.text)], hint="make the index from the rows that it orders"
        )
    outer, (key_outer,) = node.path[:k], [key]
    key = build.restrict(key_outer, outer + key.path[k:])
    parent = node.path[k]
    axis = Axis("ordered", parent.name + "'", parent=parent, node=key)
    return build.restrict(node, (*outer, axis, *node.path[k + 1 :]))
