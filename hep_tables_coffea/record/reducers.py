"""Reducers: of the last axis of the path, of a named one, of the whole dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hep_tables_coffea.errors import AxisError, RecordingError
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.types.elements import Number, Record

__all__ = ["EVERYTHING", "LAST", "reduce"]

#: The default axis: the last of the path; on an event-level value that is the dataset.
LAST = "the last axis"
EVERYTHING = None
_NUMERIC = {"sum", "prod", "min", "max", "mean", "std", "var", "any", "all", "argmin", "argmax", "ptp", "count_nonzero"}


def reduce(function: str, node: Node, axis: Any = LAST, options: Mapping[str, Any] | None = None) -> Node:
    """One value of each list, or of the dataset."""
    _check_kind(function, node)
    position = _position(function, node, axis)
    if position is EVERYTHING or position == 0:
        return _of_dataset(function, node, position, options)
    if function in ("first", "last"):
        return build.pick(node, 0 if function == "first" else -1, position)
    if position != len(node.path) - 1:
        name = node.path[position].name
        msg = f"{function} over {name}, which is not the innermost axis, would mix rows of different {name}"
        raise AxisError(
            msg, values=[("value", node.text)], hint=f"reduce {node.path[-1].name} first, or everything: axis=None"
        )
    return functions.reduce(function, node, options)


def _check_kind(function: str, node: Node) -> None:
    if (
        function in _NUMERIC
        and not isinstance(node.type, Number)
        and not (function == "sum" and isinstance(node.type, Record))
    ):
        what = "records" if isinstance(node.type, Record) else "strings"
        msg = f"{function} of {what} is not defined"
        hint = f"reduce one of its columns: {', '.join(node.type.fields[:6])}" if isinstance(node.type, Record) else ""
        raise RecordingError(msg, values=[("value", node.text)], hint=hint)


def _position(function: str, node: Node, axis: Any) -> int | None:
    depth = len(node.path)
    if axis is EVERYTHING:
        return EVERYTHING
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
        return int(axis) % depth
    msg = f"there is no axis {axis!r}"
    hint = f"axes of the value: {', '.join(f'{k} or {name!r}' for k, name in enumerate(names))}; None for everything"
    raise AxisError(msg, values=[("value", node.text)], hint=hint)


def _of_dataset(function: str, node: Node, position: int | None, options: Mapping[str, Any] | None) -> Node:
    if function in ("argmin", "argmax", "prod", "ptp"):
        msg = f"{function} over the whole dataset cannot be recorded"
        raise RecordingError(msg, values=[("value", node.text)], hint="Min, Max, Sum, Count, Mean and Std can")
    if position == 0 and len(node.path) > 1:
        if function in ("num", "count"):
            node = _events_of(node)
        else:
            msg = f"{function} over the events only would mix rows by their position"
            raise AxisError(msg, values=[("value", node.text)], hint="axis=None reduces everything; axis=1 each event")
    return functions.aggregate(function, node, options)


def _events_of(node: Node) -> Node:
    events = build.row(build.source_of(node))
    return build.restrict(events, node.path[:1])
