"""What every awkward function means for recorded values: which are recorded and how, which are refused and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hep_tables_coffea.errors import AxisError, MergeError, RecordingError, UsageError
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph.axes import Axis
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.record import combine, elementwise, order, reducers
from hep_tables_coffea.record.array import Array, wrap
from hep_tables_coffea.record.dispatch import refuse_option
from hep_tables_coffea.record.index import apply_filter
from hep_tables_coffea.record.values import node_of, shown
from hep_tables_coffea.types.elements import Record

__all__ = ["REFUSED", "TABLE"]


# -- reducers --------------------------------------------------------------------------------------------------------


#: Whether an empty list gives a missing value; of the others it does.
_MASKED = {"sum": False, "prod": False, "any": False, "all": False, "count": False, "count_nonzero": False}


def _reducer(function: str, nan: bool = False) -> Callable[..., Any]:
    def handler(
        array: Any = None, axis: Any = None, keepdims: bool = False, mask_identity: Any = None, **rest: Any
    ) -> Array:
        array = rest.pop("x", array)
        if rest.pop("weight", None) is not None:
            refuse_option(function, "weight", rest, "divide sums: ak.sum(x * w) / ak.sum(w)")
        if mask_identity is not None and bool(mask_identity) != _MASKED.get(function, True):
            refuse_option(function, "mask_identity", mask_identity, "ak.fill_none(ak.max(x, axis=1), value)")
        if rest.pop("initial", None) is not None:
            refuse_option(function, "initial", rest, "np.maximum(ak.max(x, axis=1), initial)")
        options = {k: v for k, v in rest.items() if v is not None and (k, v) != ("ddof", 0)}
        node = node_of(array)
        if nan:
            node = functions.call("ak.nan_to_none", [node])
        result = reducers.reduce(function, node, axis, options)
        if keepdims:
            return wrap(_kept(result, node))
        return wrap(result)

    return handler


def _kept(result: Node, node: Node) -> Node:
    if not result.path:
        msg = "keepdims of a value of the whole dataset cannot be recorded"
        raise RecordingError(msg, hint="leave keepdims out")
    return build.listed([result], Axis("listed", node.path[-1].name + "_1", params=("keepdims", 1)))


def _num(array: Any, axis: Any = 1) -> Array:
    return wrap(reducers.reduce("num", node_of(array), axis))


def _firsts(array: Any, axis: Any = 1) -> Array:
    return wrap(reducers.reduce("first", node_of(array), axis))


# -- elementwise -----------------------------------------------------------------------------------------------------


def _elementwise(name: str, *first: str) -> Callable[..., Any]:
    def handler(**given: Any) -> Array:
        arrays = [given.pop(part) for part in first]
        axis = given.pop("axis", None)
        del axis
        options = {key: value for key, value in given.items() if value is not None}
        return wrap(functions.call(name, [node_of(array) for array in arrays], options))

    return handler


def _where(condition: Any, args: Sequence[Any] = (), mergebool: bool = True) -> Array:
    if len(args) != 2:
        msg = "ak.where needs a condition and two values"
        raise UsageError(msg, hint="a filter is x[condition]")
    return elementwise.where(condition, *args)


def _mask(array: Any, mask: Any, valid_when: bool = True) -> Array:
    node = node_of(mask)
    if not valid_when:
        node = functions.call("np.logical_not", [node])
    return wrap(functions.call("ak.mask", [node_of(array), node]))


def _is_none(array: Any, axis: Any = 0) -> Array:
    return elementwise.is_missing(array)


def _fill_none(array: Any, value: Any, axis: Any = -1) -> Array:
    return elementwise.fill_missing(array, value)


def _drop_none(array: Any, axis: Any = None) -> Array:
    node = node_of(array)
    present = functions.call("np.logical_not", [elementwise.missing(node)])
    return wrap(functions.call("ht.required", [apply_filter(node, present)]))


def _values_astype(array: Any, to: Any, including_unknown: bool = False) -> Array:
    import numpy as np

    return wrap(functions.call("ak.values_astype", [node_of(array)], {"to": np.dtype(to).name}))


def _full_like(array: Any, fill_value: Any, dtype: Any = None, **_: Any) -> Array:
    node = node_of(array)
    options = {} if dtype is None else {"dtype": str(dtype)}
    return wrap(functions.call("ak.full_like", [build.anchor(node), node_of(fill_value)], options))


def _nan_to_num(array: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    options = {k: v for k, v in {"nan": nan, "posinf": posinf, "neginf": neginf}.items() if v is not None}
    return wrap(functions.call("ak.nan_to_num", [node_of(array)], options))


def _identity(array: Any, **_: Any) -> Array:
    return wrap(node_of(array))


# -- order -----------------------------------------------------------------------------------------------------------


def _last_axis(name: str, array: Any, axis: Any) -> Node:
    node = node_of(array)
    if axis not in (-1, len(node.path) - 1) or len(node.path) < 2:
        if axis in (0, None, -len(node.path)) or len(node.path) < 2:
            msg = f"ak.{name} of all events cannot be recorded: the chunks do not merge"
            raise MergeError(msg, values=[("value", node.text)], hint=f"ak.{name}(x, axis=1), or after ht.make_local")
        msg = f"ak.{name} with axis={axis} would mix rows of different lists"
        raise AxisError(msg, values=[("value", node.text)], hint="axis=-1 is the innermost list")
    return node


def _sort(array: Any, axis: Any = -1, ascending: bool = True, stable: bool = True) -> Array:
    return wrap(order.sort(_last_axis("sort", array, axis), ascending))


def _argsort(array: Any, axis: Any = -1, ascending: bool = True, stable: bool = True) -> Array:
    return wrap(order.argsort(_last_axis("argsort", array, axis), ascending, stable))


def _local_index(array: Any, axis: Any = -1) -> Array:
    node = node_of(array)
    if len(node.path) < 2 or axis == 0:
        _last_axis("local_index", array, axis)
    return wrap(functions.arrange("local_index", node))


def _softmax(x: Any, axis: Any = None, **_: Any) -> Array:
    return wrap(functions.arrange("softmax", _last_axis("softmax", x, axis)))


# -- structure -------------------------------------------------------------------------------------------------------


def _names(n: int, fields: Sequence[str] | None) -> list[str]:
    return list(fields) if fields is not None else [str(k) for k in range(n)]


def _combinations(
    array: Any, n: int, replacement: bool = False, axis: Any = 1, fields: Sequence[str] | None = None, **rest: Any
) -> Array:
    made = combine.combinations(node_of(array), n, _names(n, fields), replacement)
    return wrap(_named(made, rest))


def _argcombinations(array: Any, n: int, replacement: bool = False, axis: Any = 1, **rest: Any) -> Array:
    node = functions.arrange("local_index", node_of(array))
    return wrap(combine.combinations(node, n, _names(n, rest.get("fields")), replacement))


def _members(arrays: Any) -> dict[str, Node]:
    if isinstance(arrays, Mapping):
        return {str(name): node_of(array) for name, array in arrays.items()}
    return {str(k): node_of(array) for k, array in enumerate(arrays)}


def _cartesian(arrays: Any, axis: Any = 1, nested: Any = None, **rest: Any) -> Array:
    members = _members(arrays)
    if axis != 1 and not all(axis in (-1, len(node.path) - 1) for node in members.values()):
        refuse_option("cartesian", "axis", axis, "axis=1 combines the objects of each event")
    return wrap(_named(combine.cross(members, nested=bool(nested)), rest))


def _argcartesian(arrays: Any, axis: Any = 1, nested: Any = None, **rest: Any) -> Array:
    members = {name: functions.arrange("local_index", node) for name, node in _members(arrays).items()}
    return wrap(combine.cross(members, nested=bool(nested)))


def _named(node: Node, options: Mapping[str, Any]) -> Node:
    name = options.get("with_name")
    return node if not name else _with_name_node(node, name)


def _zip(arrays: Any, depth_limit: int | None = None, with_name: str | None = None, **rest: Any) -> Array:
    return wrap(build.zip_fields(_members(arrays), with_name or "", depth=depth_limit))


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
    node, added = node_of(array), node_of(what)
    names = [where] if isinstance(where, str) else list(where or ())
    if len(names) != 1 or not isinstance(node.type, Record):
        msg = f"ak.with_field needs a record and one name, and not {shown(where)}"
        raise UsageError(msg, values=[("record", node.text)])
    fields = {name: build.field(node, name) for name in node.type.fields} | {names[0]: added}
    return wrap(build.zip_fields(fields, node.type.behavior, depth=len(node.path)))


def _without_field(array: Any, where: Any) -> Array:
    node = node_of(array)
    gone = {where} if isinstance(where, str) else set(where)
    kept = [name for name in _fields(array) if name not in gone]
    behavior = node.type.behavior if isinstance(node.type, Record) else ""
    fields = {name: build.field(node, name) for name in kept}
    return wrap(build.zip_fields(fields, behavior, depth=len(node.path)))


def _with_name_node(node: Node, name: str) -> Node:
    assert isinstance(node.type, Record)
    fields = {field: build.field(node, field) for field in node.type.fields}
    return build.zip_fields(fields, name, depth=len(node.path))


def _with_name(array: Any, name: str | None) -> Array:
    return wrap(_with_name_node(node_of(array), name or ""))


def _concatenate(arrays: Any, axis: Any = 0, **rest: Any) -> Array:
    if axis == 0:
        msg = "ak.concatenate of whole datasets cannot be recorded"
        raise RecordingError(msg, hint="open both in one ht.dataset([...]); axis=1 concatenates in each event")
    nodes = list(_members(arrays).values())
    names = [node.path[-1].name for node in nodes]
    unique = [name if names.count(name) == 1 else f"{name}_{k}" for k, name in enumerate(names)]
    return wrap(combine.concat(dict(zip(unique, nodes))))


def _flatten(array: Any, axis: Any = 1) -> Array:
    node = node_of(array)
    if axis is None:
        while len(node.path) > 1:
            node = build.flatten(node, len(node.path) - 1)
        return _drop_none(wrap(node)) if node.type.option else wrap(node)
    position = axis % len(node.path) if isinstance(axis, int) and -len(node.path) <= axis < len(node.path) else -1
    if position < 1:
        if axis == 0:
            return _drop_none(array)
        msg = f"ak.flatten: there is no list at axis {axis!r}"
        raise AxisError(msg, values=[("value", node.text)])
    return wrap(build.flatten(node, position))


def _pad_none(array: Any, target: int, axis: Any = 1, clip: bool = False) -> Array:
    node = node_of(array)
    position = axis % len(node.path)
    if position < 1:
        refuse_option("pad_none", "axis", axis, "axis=1 pads the list of each event")
    parent = node.path[position]
    padded = Axis("padded", parent.name + "'", parent=parent, params=(int(target), bool(clip)))
    return wrap(build.restrict(node, (*node.path[:position], padded, *node.path[position + 1 :])))


def _singletons(array: Any, axis: Any = 0) -> Array:
    node = node_of(array)
    one = build.listed([node], Axis("listed", "singleton", params=("singletons", 1)))
    return _drop_none(wrap(one)) if node.type.option else wrap(one)


def _broadcast_arrays(args: Sequence[Any], **_: Any) -> tuple[Array, ...]:
    nodes = [node_of(array) for array in args]
    path, nodes = build.align(nodes)
    full = next(node for node in nodes if len(node.path) == len(path))
    return tuple(
        wrap(node if len(node.path) == len(path) else build.broadcast(node, full, len(path))) for node in nodes
    )


_SAME = ("to_packed", "copy", "materialize", "enforce_type", "from_regular", "merge_option_of_records", "to_backend")

TABLE: dict[str, Callable[..., Any]] = {
    **{
        name: _reducer(name)
        for name in "sum prod min max mean std var any all argmin argmax count count_nonzero ptp".split()
    },
    **{f"nan{name}": _reducer(name, nan=True) for name in "sum prod min max mean std var argmin argmax".split()},
    "num": _num,
    "firsts": _firsts,
    "where": _where,
    "mask": _mask,
    "is_none": _is_none,
    "fill_none": _fill_none,
    "drop_none": _drop_none,
    "values_astype": _values_astype,
    "full_like": _full_like,
    "nan_to_num": _nan_to_num,
    "nan_to_none": _elementwise("ak.nan_to_none", "array"),
    "isclose": _elementwise("ak.isclose", "a", "b"),
    "round": _elementwise("ak.round", "array"),
    "real": _elementwise("ak.real", "val"),
    "imag": _elementwise("ak.imag", "val"),
    "angle": _elementwise("ak.angle", "val"),
    "ones_like": lambda array, **_: _full_like(array, 1),
    "zeros_like": lambda array, **_: _full_like(array, 0),
    "sort": _sort,
    "argsort": _argsort,
    "local_index": _local_index,
    "softmax": _softmax,
    "combinations": _combinations,
    "argcombinations": _argcombinations,
    "cartesian": _cartesian,
    "argcartesian": _argcartesian,
    "zip": _zip,
    "unzip": _unzip,
    "fields": _fields,
    "with_field": _with_field,
    "without_field": _without_field,
    "with_name": _with_name,
    "concatenate": _concatenate,
    "flatten": _flatten,
    "ravel": lambda array: _flatten(array, axis=None),
    "pad_none": _pad_none,
    "singletons": _singletons,
    "broadcast_arrays": _broadcast_arrays,
    **dict.fromkeys(_SAME, _identity),
}

_NOW = ("it needs the values now", "call it on the answer of ht.make_local(...)")
_MERGE = ("the answers of two chunks do not merge", "take the columns with ht.make_local, or fill a histogram")
_PARTS = ("it changes the layout and not the values", "leave it out: layouts are chosen for you")
_ROWS = ("the rows of the result have no identity", "combinations, ht.cross, ht.concat and filters keep it")

#: name -> (why, what to use)
REFUSED: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        "to_list to_numpy to_arrow to_arrow_table to_parquet to_parquet_row_groups to_feather to_json to_buffers "
        "to_cudf to_cupy to_dataframe to_jax to_layout to_raggedtensor to_rdataframe to_safetensors to_tensorflow "
        "to_torch almost_equal array_equal validity_error is_valid type backend categories".split(),
        _NOW,
    ),
    **dict.fromkeys("corr covar linear_fit moment".split(), _MERGE),
    **dict.fromkeys(
        "to_regular without_parameters with_parameter parameters merge_union_of_records is_categorical is_tuple "
        "to_categorical from_categorical broadcast_fields".split(),
        _PARTS,
    ),
    **dict.fromkeys("unflatten run_lengths transform zip_no_broadcast strings_astype".split(), _ROWS),
}
