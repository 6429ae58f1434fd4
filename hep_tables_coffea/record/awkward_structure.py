"""awkward's functions of structure: combinations, records, lists.

A handler takes the arguments that it honours, under awkward's own names; others are refused before it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hep_tables_coffea.errors import AxisError, MergeError, RecordingError, UsageError
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph.axes import Axis
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.record import combine, reducers
from hep_tables_coffea.record.array import Array, wrap
from hep_tables_coffea.record.awkward_values import drop_missing
from hep_tables_coffea.record.dispatch import refuse_option
from hep_tables_coffea.record.values import node_of, shown
from hep_tables_coffea.types.elements import Record

__all__ = ["STRUCTURE"]


def _members(function: str, arrays: Any) -> dict[str, Node]:
    if isinstance(arrays, Mapping):
        members = {str(name): node_of(array) for name, array in arrays.items()}
    elif isinstance(arrays, (list, tuple)):
        members = {str(k): node_of(array) for k, array in enumerate(arrays)}
    else:
        msg = f"ak.{function} needs a list or dict of values, and got {shown(arrays)}"
        raise UsageError(msg, hint=f"ak.{function}([x, y])")
    if not any(node.path for node in members.values()):
        msg = f"ak.{function} needs values of the events"
        raise UsageError(msg, values=[(name, node.text) for name, node in members.items()], hint="give columns")
    return members


def _place(function: str, node: Node, axis: Any) -> int:
    """The place of one axis in the path."""
    place = reducers.position(function, node, axis)
    if place is None:
        refuse_option(function, "axis", axis, "give one axis, by its number or name")
    return place


def _check_innermost(function: str, nodes: Sequence[Node], axis: Any) -> None:
    for node in nodes:
        where = _place(function, node, axis) if node.path and axis is not None else 0
        if where < 1:
            msg = f"ak.{function} of whole events cannot be recorded: it would join chunks"
            raise MergeError(msg, values=[("value", node.text)], hint="axis=1 is the list in each event")
        if where != len(node.path) - 1:
            msg = f"ak.{function} with axis={axis!r} can be recorded of the innermost axis only"
            raise AxisError(msg, values=[("value", node.text)], hint="axis=-1, or give a column of the outer list")


# -- combinations ----------------------------------------------------------------------------------------------------


def _pairs(function: str, array: Any, n: int, replacement: bool, axis: Any, fields: Sequence[str] | None) -> Node:
    node = node_of(array)
    _check_innermost(function, [node], axis)
    if function == "argcombinations":
        node = functions.arrange("local_index", node)
    names = list(fields) if fields is not None else [str(k) for k in range(n)]
    return combine.combinations(node, n, names, bool(replacement))


def _combinations(
    array: Any,
    n: int,
    replacement: bool = False,
    axis: Any = 1,
    fields: Sequence[str] | None = None,
    with_name: str | None = None,
) -> Array:
    return wrap(_named(_pairs("combinations", array, n, replacement, axis, fields), with_name))


def _argcombinations(
    array: Any,
    n: int,
    replacement: bool = False,
    axis: Any = 1,
    fields: Sequence[str] | None = None,
    with_name: str | None = None,
) -> Array:
    return wrap(_named(_pairs("argcombinations", array, n, replacement, axis, fields), with_name))


def _product(function: str, arrays: Any, axis: Any, nested: Any) -> Node:
    members = _members(function, arrays)
    _check_innermost(function, list(members.values()), axis)
    if nested not in (None, False, True):
        refuse_option(function, "nested", nested, "nested=True keeps a list for each row of the first")
    if function == "argcartesian":
        members = {name: functions.arrange("local_index", node) for name, node in members.items()}
    return combine.cross(members, nested=bool(nested))


def _cartesian(arrays: Any, axis: Any = 1, nested: Any = None, with_name: str | None = None) -> Array:
    return wrap(_named(_product("cartesian", arrays, axis, nested), with_name))


def _argcartesian(arrays: Any, axis: Any = 1, nested: Any = None, with_name: str | None = None) -> Array:
    return wrap(_named(_product("argcartesian", arrays, axis, nested), with_name))


def _concatenate(arrays: Any, axis: Any = 0) -> Array:
    nodes = list(_members("concatenate", arrays).values())
    _check_innermost("concatenate", nodes, axis)
    names = [node.path[-1].base.name for node in nodes]
    unique = [name if names.count(name) == 1 else f"{name}_{k}" for k, name in enumerate(names)]
    return wrap(combine.concat(dict(zip(unique, nodes))))


# -- records ---------------------------------------------------------------------------------------------------------


def _record(function: str, array: Any) -> tuple[Node, dict[str, Node]]:
    """A record and its fields."""
    node = node_of(array)
    if not isinstance(node.type, Record):
        msg = f"ak.{function} needs records"
        raise UsageError(msg, values=[("value", node.text)], hint="ak.zip makes records of columns")
    return node, {name: build.field(node, name) for name in node.type.fields}


def _named(node: Node, name: str | None) -> Node:
    if not name:
        return node
    assert isinstance(node.type, Record)
    fields = {field: build.field(node, field) for field in node.type.fields}
    return build.zip_fields(fields, name, depth=len(node.path))


def _zip(arrays: Any, depth_limit: int | None = None, with_name: str | None = None) -> Array:
    members = _members("zip", arrays)
    if depth_limit is not None and depth_limit < 1:
        refuse_option("zip", "depth_limit", depth_limit, "depth_limit=1 makes a record of each event")
    return wrap(build.zip_fields(members, with_name or "", depth=depth_limit))


def _unzip(array: Any, how: Any = tuple) -> Any:
    node = node_of(array)
    if not isinstance(node.type, Record):
        return (wrap(node),)
    made = {name: wrap(build.field(node, name)) for name in node.type.fields}
    return made if how is dict else tuple(made.values())


def _fields(array: Any) -> list[str]:
    node = node_of(array)
    return list(node.type.fields) if isinstance(node.type, Record) else []


def _with_field(array: Any, what: Any, where: Any = None) -> Array:
    node, fields = _record("with_field", array)
    names = [where] if isinstance(where, str) else list(where or ())
    if len(names) != 1 or not isinstance(names[0], str):
        msg = f"ak.with_field needs one name, and not {shown(where)}"
        raise UsageError(msg, values=[("record", node.text)], hint='ak.with_field(x, value, "name")')
    assert isinstance(node.type, Record)
    return wrap(build.zip_fields(fields | {names[0]: node_of(what)}, node.type.behavior, depth=len(node.path)))


def _without_field(array: Any, where: Any) -> Array:
    node, fields = _record("without_field", array)
    assert isinstance(node.type, Record)
    gone = {where} if isinstance(where, str) else set(where)
    unknown = gone - set(fields)
    if unknown or gone == set(fields):
        msg = f"ak.without_field cannot take away {', '.join(map(repr, sorted(map(str, unknown or gone))))}"
        raise UsageError(msg, values=[("record", node.text)], hint=f"its fields: {', '.join(fields)}")
    kept = {name: member for name, member in fields.items() if name not in gone}
    return wrap(build.zip_fields(kept, node.type.behavior, depth=len(node.path)))


def _with_name(array: Any, name: str | None) -> Array:
    node, fields = _record("with_name", array)
    return wrap(build.zip_fields(fields, name or "", depth=len(node.path)))


# -- lists -----------------------------------------------------------------------------------------------------------


def _flatten(array: Any, axis: Any = 1) -> Array:
    node = node_of(array)
    if axis is None:
        return wrap(_flat("flatten", node, keep_missing=False))
    position = _place("flatten", node, axis)
    if position == 0:
        return wrap(drop_missing(node) if node.type.option and len(node.path) == 1 else node)
    return wrap(build.flatten(node, position))


def _ravel(array: Any) -> Array:
    return wrap(_flat("ravel", node_of(array), keep_missing=True))


def _flat(function: str, node: Node, keep_missing: bool) -> Node:
    if isinstance(node.type, Record):
        msg = f"ak.{function} of records would put all their columns into one list"
        raise RecordingError(msg, values=[("value", node.text)], hint=f"ak.{function} of a column, or ak.flatten(x)")
    while len(node.path) > 1:
        node = build.flatten(node, len(node.path) - 1)
    return drop_missing(node) if node.type.option and not keep_missing else node


def _pad_none(array: Any, target: int, axis: Any = 1, clip: bool = False) -> Array:
    node = node_of(array)
    position = _place("pad_none", node, axis)
    if position < 1:
        refuse_option("pad_none", "axis", axis, "axis=1 pads the list of each event")
    parent = node.path[position]
    padded = Axis("padded", parent.name + "'", parent=parent, params=(int(target), bool(clip)))
    return wrap(build.restrict(node, (*node.path[:position], padded, *node.path[position + 1 :])))


def _singletons(array: Any, axis: Any = 0) -> Array:
    node = node_of(array)
    if _place("singletons", node, axis) != len(node.path) - 1:
        refuse_option("singletons", "axis", axis, "axis=-1 makes a list of each value")
    one = build.listed([node], Axis("listed", "singleton", params=("singletons", 1)))
    return wrap(drop_missing(one) if node.type.option else one)


def _broadcast_arrays(args: Sequence[Any]) -> tuple[Array, ...]:
    members = _members("broadcast_arrays", list(args))
    path, nodes = build.align(list(members.values()))
    full = next(node for node in nodes if len(node.path) == len(path))
    return tuple(
        wrap(node if len(node.path) == len(path) else build.broadcast(node, full, len(path))) for node in nodes
    )


def _identity(array: Any) -> Array:
    return wrap(node_of(array))


def _identity_on_axis(array: Any, axis: Any = -1) -> Array:
    del axis  # every list varies in length, and missing values are in one place
    return wrap(node_of(array))


STRUCTURE: dict[str, Callable[..., Any]] = {
    "combinations": _combinations,
    "argcombinations": _argcombinations,
    "cartesian": _cartesian,
    "argcartesian": _argcartesian,
    "concatenate": _concatenate,
    "zip": _zip,
    "unzip": _unzip,
    "fields": _fields,
    "with_field": _with_field,
    "without_field": _without_field,
    "with_name": _with_name,
    "flatten": _flatten,
    "ravel": _ravel,
    "pad_none": _pad_none,
    "singletons": _singletons,
    "broadcast_arrays": _broadcast_arrays,
    **dict.fromkeys(("to_packed", "copy", "materialize"), _identity),
    **dict.fromkeys(("from_regular", "merge_option_of_records"), _identity_on_axis),
}
