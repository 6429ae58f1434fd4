"""awkward's functions of values: reducers, elementwise functions, missing values, order.

A handler takes the arguments that it honours, under awkward's own names; others are refused before it is called.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hep_tables_coffea.errors import AxisError, MergeError, RecordingError, UsageError
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph.axes import Axis
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.record import elementwise, order, reducers
from hep_tables_coffea.record.array import Array, wrap
from hep_tables_coffea.record.dispatch import refuse_option
from hep_tables_coffea.record.index import apply_filter
from hep_tables_coffea.record.values import node_of, shown
from hep_tables_coffea.types.elements import Number, Text

__all__ = ["STRINGS", "VALUES", "drop_missing"]

Handler = Callable[..., Any]


def _honours(handler: Handler, names: Sequence[str]) -> Handler:
    """Tell by the signature which arguments the handler takes."""
    kind = inspect.Parameter.KEYWORD_ONLY
    handler.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
    return handler


# -- reducers --------------------------------------------------------------------------------------------------------

#: Of these an empty list has a value; of the others it is missing.
_NEVER_MISSING = {"sum", "prod", "any", "all", "count", "count_nonzero"}


def _reducer(function: str, nan: bool = False) -> Handler:
    first = "x" if function in ("mean", "std", "var") else "array"
    names = [first, "axis", "keepdims", "mask_identity", *(["ddof"] if function in ("std", "var") else [])]

    def handler(
        *, axis: Any = None, keepdims: bool = False, mask_identity: Any = None, ddof: int = 0, **given: Any
    ) -> Array:
        node = node_of(given[first])
        if mask_identity is not None and bool(mask_identity) == (function in _NEVER_MISSING):
            refuse_option(function, "mask_identity", mask_identity)
        if nan:
            node = functions.call("ak.nan_to_none", [elementwise.numeric(f"ak.nan{function}", node)])
        result = reducers.reduce(function, node, axis, {"ddof": ddof} if ddof else {})
        return wrap(_kept(result, node, axis) if keepdims else result)

    return _honours(handler, names)


def _kept(result: Node, node: Node, axis: Any) -> Node:
    if axis is None or reducers.position("keepdims", node, axis) != len(node.path) - 1 or not result.path:
        msg = "keepdims can be recorded of the innermost axis only"
        raise RecordingError(msg, values=[("value", node.text)], hint="leave keepdims out")
    return build.listed([result], Axis("listed", node.path[-1].name + "_1", params=("keepdims", 1)))


def _num(array: Any, axis: Any = 1) -> Array:
    return wrap(reducers.reduce("num", node_of(array), axis))


def _firsts(array: Any, axis: Any = 1) -> Array:
    return wrap(reducers.reduce("first", node_of(array), axis))


# -- elementwise -----------------------------------------------------------------------------------------------------


def _elementwise(name: str, arrays: Sequence[str], options: Sequence[str] = ()) -> Handler:
    def handler(**given: Any) -> Array:
        nodes = [elementwise.numeric(name, node_of(given.pop(array))) for array in arrays]
        return wrap(functions.call(name, nodes, given))

    return _honours(handler, [*arrays, *options])


def _where(condition: Any, args: Sequence[Any] = ()) -> Array:
    if len(args) != 2:
        msg = "where needs a condition and two values"
        raise UsageError(msg, hint="a filter is x[condition]; positions are ak.local_index(x)[condition]")
    return elementwise.where(condition, *args)


def _mask(array: Any, mask: Any, valid_when: bool = True) -> Array:
    node = node_of(mask)
    if not (isinstance(node.type, Number) and node.type.dtype.kind == "b"):
        msg = f"the mask of ak.mask must be a truth value, and is {node.type}"
        raise UsageError(msg, values=[("mask", node.text)], hint="compare it: x > 0")
    if not valid_when:
        node = functions.call("np.logical_not", [node])
    return wrap(functions.call("ak.mask", [node_of(array), node], doing="mask"))


def _of_values(name: str, array: Any, axis: Any) -> Node:
    """The value, after a check that the axis is that of its values: lists are never missing."""
    node = node_of(array)
    if axis is not None and node.path and reducers.position(name, node, axis) != len(node.path) - 1:
        msg = f"ak.{name} with axis={axis!r}: a list of {node.path[-1].name} is never missing, only values are"
        raise AxisError(msg, values=[("value", node.text)], hint=f"ak.{name}(x, axis=-1) is about the values")
    return node


def _is_none(array: Any, axis: Any = 0) -> Array:
    return elementwise.is_missing(wrap(_of_values("is_none", array, axis)))


def _fill_none(array: Any, value: Any, axis: Any = -1) -> Array:
    return elementwise.fill_missing(wrap(_of_values("fill_none", array, axis)), value)


def _drop_none(array: Any, axis: Any = None) -> Array:
    return wrap(drop_missing(_of_values("drop_none", array, axis)))


def drop_missing(node: Node) -> Node:
    """The rows that are not missing."""
    if not node.path:
        msg = "one value of the whole dataset cannot be dropped"
        raise AxisError(msg, values=[("value", node.text)], hint="ht.fill_missing(x, value)")
    present = functions.call("np.logical_not", [elementwise.missing(node)])
    return functions.present(apply_filter(node, present))


def _values_astype(array: Any, to: Any) -> Array:
    node = elementwise.numeric("ak.values_astype", node_of(array))
    try:
        dtype = np.dtype(to)
    except TypeError as error:
        msg = f"ak.values_astype: {shown(to)} is no type of numbers"
        raise UsageError(msg, values=[("value", node.text)], hint='"float64", "int64", "bool", ...') from error
    return wrap(functions.call("ak.values_astype", [node], {"to": dtype.name}))


def _full_like(array: Any, fill_value: Any, dtype: Any = None) -> Array:
    return _like("ak.full_like", array, fill_value, dtype)


def _like(function: str, array: Any, fill_value: Any, dtype: Any) -> Array:
    node = elementwise.numeric(function, node_of(array))
    options = {} if dtype is None else {"dtype": np.dtype(dtype).name}
    return wrap(functions.call("ak.full_like", [node, node_of(fill_value)], options))


def _ones_like(array: Any, dtype: Any = None) -> Array:
    return _like("ak.ones_like", array, 1, dtype)


def _zeros_like(array: Any, dtype: Any = None) -> Array:
    return _like("ak.zeros_like", array, 0, dtype)


def _nan_to_num(array: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    del copy  # recorded values never change
    given = {"nan": nan, "posinf": posinf, "neginf": neginf}
    for name, value in given.items():
        if value is not None and not isinstance(value, (int, float, np.number)):
            refuse_option("nan_to_num", name, value, "give a number, or use ht.where(np.isnan(x), y, x)")
    options = {name: float(value) for name, value in given.items() if value is not None}
    node = elementwise.numeric("ak.nan_to_num", node_of(array))
    return wrap(functions.call("ak.nan_to_num", [node], options))


# -- order -----------------------------------------------------------------------------------------------------------


def _innermost(name: str, array: Any, axis: Any) -> Node:
    """The value, after a check that the axis is its innermost list."""
    node = node_of(array)
    where = None if axis is None else reducers.position(name, node, axis)
    if where is None or where == 0:
        msg = f"ak.{name} of all events cannot be recorded: the chunks do not merge"
        raise MergeError(msg, values=[("value", node.text)], hint=f"ak.{name}(x, axis=1), or after ht.make_local")
    if where != len(node.path) - 1:
        msg = f"ak.{name} with axis={axis} would mix rows of different lists"
        raise AxisError(msg, values=[("value", node.text)], hint="axis=-1 is the innermost list")
    return node


def _sort(array: Any, axis: Any = -1, ascending: bool = True, stable: bool = True) -> Array:
    del stable  # equal values cannot be told apart
    return wrap(order.sort(_innermost("sort", array, axis), ascending))


def _argsort(array: Any, axis: Any = -1, ascending: bool = True, stable: bool = True) -> Array:
    return wrap(order.argsort(_innermost("argsort", array, axis), ascending, stable))


def _local_index(array: Any, axis: Any = -1) -> Array:
    return wrap(functions.arrange("local_index", _innermost("local_index", array, axis)))


def _softmax(x: Any, axis: Any = -1) -> Array:
    return wrap(functions.arrange("softmax", elementwise.numeric("ak.softmax", _innermost("softmax", x, axis))))


# -- strings ---------------------------------------------------------------------------------------------------------

#: Functions of ak.str that give one value for each string.
STRINGS = frozenset(
    "capitalize center count_substring count_substring_regex ends_with find_substring find_substring_regex index_in "
    "is_alnum is_alpha is_ascii is_decimal is_digit is_in is_lower is_numeric is_printable is_space is_title is_upper "
    "length lower lpad ltrim ltrim_whitespace match_like match_substring match_substring_regex repeat replace_slice "
    "replace_substring replace_substring_regex reverse rpad rtrim rtrim_whitespace slice starts_with swapcase title "
    "trim trim_whitespace upper".split()
)


def _string_function(name: str) -> Handler:
    def handler(*, array: Any, **options: Any) -> Array:
        node = node_of(array)
        if not isinstance(node.type, Text):
            msg = f"ak.{name} needs strings"
            raise UsageError(msg, values=[("value", node.text)], hint="numbers have no letters")
        return wrap(functions.call(f"ak.{name}", [node], {k: _plain(name, k, v) for k, v in options.items()}))

    handler.takes_all = True  # type: ignore[attr-defined]
    return handler


def _plain(name: str, option: str, value: Any) -> Any:
    if isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(v, str) for v in value):
        return tuple(value) if isinstance(value, (list, tuple)) else tuple(sorted(value))
    if not isinstance(value, (str, int, bool, type(None))):
        refuse_option(name, option, value, "give strings and numbers in memory")
    return value


VALUES: dict[str, Handler] = {
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
    "ones_like": _ones_like,
    "zeros_like": _zeros_like,
    "nan_to_num": _nan_to_num,
    "nan_to_none": _elementwise("ak.nan_to_none", ["array"]),
    "isclose": _elementwise("ak.isclose", ["a", "b"], ["rtol", "atol", "equal_nan"]),
    "round": _elementwise("ak.round", ["array"], ["decimals"]),
    "real": _elementwise("ak.real", ["array"]),
    "imag": _elementwise("ak.imag", ["val"]),
    "angle": _elementwise("ak.angle", ["val"], ["deg"]),
    "sort": _sort,
    "argsort": _argsort,
    "local_index": _local_index,
    "softmax": _softmax,
    **{f"str.{name}": _string_function(f"str.{name}") for name in STRINGS},
}
