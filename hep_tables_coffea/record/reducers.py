"""Reducers: of the last axis of the path, of a named one, of the whole dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hep_tables_coffea.errors import AxisError, RecordingError
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.graph.scope import is_current
from hep_tables_coffea.record.columns import as_record
from hep_tables_coffea.types.elements import Number, Record

__all__ = ["EVERYTHING", "LAST", "checked", "position", "reduce"]

#: The default axis: the last of the path; on an event-level value that is the dataset.
LAST = "the last axis"
EVERYTHING = None
_NUMERIC = {"sum", "prod", "min", "max", "mean", "std", "var", "any", "all", "argmin", "argmax", "ptp", "count_nonzero"}


def reduce(function: str, node: Node, axis: Any = LAST, options: Mapping[str, Any] | None = None) -> Node:
    """One value of each list, or of the dataset."""
    if node.path and is_current(node.path[-1]) and axis is LAST:
        raise build.one_element(node, function)
    node = checked(function, as_record(node) if function == "sum" else node)
    place = position(function, node, axis)
    if place is EVERYTHING or place == 0:
        return _of_dataset(function, node, place, options)
    if function in ("first", "last"):
        return build.pick(node, 0 if function == "first" else -1, place)
    if function == "num":
        node = _rows_of(node, place)
    if place != len(node.path) - 1:
        name = node.path[place].name
        msg = f"{function} over {name}, which is not the innermost axis, would mix rows of different {name}"
        raise AxisError(
            msg, values=[("value", node.text)], hint=f"reduce {node.path[-1].name} first, or everything: axis=None"
        )
    return functions.reduce(function, node, options)


def _rows_of(node: Node, place: int) -> Node:
    """One value for each row of the axis at a place: inner lists become their lengths."""
    while len(node.path) - 1 > place:
        node = functions.reduce("num", node)
    return node


def checked(function: str, node: Node) -> Node:
    """The value, after a check that its values can be reduced."""
    if (
        function in _NUMERIC
        and not isinstance(node.type, Number)
        and not (function == "sum" and isinstance(node.type, Record))
    ):
        what = "records" if isinstance(node.type, Record) else "strings"
        msg = f"{function} of {what} is not defined"
        hint = f"reduce one of its columns: {', '.join(node.type.fields[:6])}" if isinstance(node.type, Record) else ""
        raise RecordingError(msg, values=[("value", node.text)], hint=hint)
    return node


def position(function: str, node: Node, axis: Any) -> int | None:
    """The place of an axis in the path: of a number, a name, the last one; None for everything."""
    depth = len(node.path)
    if axis is EVERYTHING:
        return None
    if not depth:
        msg = f"{function} of one value of the dataset"
        raise AxisError(msg, values=[("value", node.text)], hint="it is reduced already")
    if axis is LAST:
        return depth - 1
    names = [known.name for known in node.path]
    if isinstance(axis, str):
        bases = [known.base.name for known in node.path]
        for candidates in (names, bases):
            if axis in candidates:
                return candidates.index(axis)
    elif isinstance(axis, int) and not isinstance(axis, bool) and -depth <= axis < depth:
        place: int = axis % depth
        return place
    msg = f"there is no axis {axis!r}"
    hint = f"axes of the value: {', '.join(f'{k} or {name!r}' for k, name in enumerate(names))}; None for everything"
    raise AxisError(msg, values=[("value", node.text)], hint=hint)


def _of_dataset(function: str, node: Node, place: int | None, options: Mapping[str, Any] | None) -> Node:
    if function in ("argmin", "argmax", "prod", "ptp"):
        msg = f"{function} over the whole dataset cannot be recorded"
        raise RecordingError(msg, values=[("value", node.text)], hint="Min, Max, Sum, Count, Mean and Std can")
    if place == 0 and len(node.path) > 1:
        if function == "num":
            node = _rows_of(node, 0)
        else:
            msg = f"{function} over the events only would mix rows by their position"
            raise AxisError(msg, values=[("value", node.text)], hint="axis=None reduces everything; axis=1 each event")
    return functions.aggregate(function, node, options)
