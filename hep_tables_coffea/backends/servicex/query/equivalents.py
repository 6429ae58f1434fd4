"""The same values said with simpler functions, where a dialect has no word for one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from hep_tables_coffea.backends.servicex.query.dialect import Dialect
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.types.elements import Number, number

__all__ = ["simpler"]

#: What is one of more constants than these is not asked one by one.
MOST = 20


def simpler(node: g.Node, dialect: Dialect) -> g.Node:
    """The same value of simpler functions, or the node itself."""
    if isinstance(node, g.Reduce) and not dialect.columnar:
        return _of_truths(node)
    if not isinstance(node, g.Call) or any(not isinstance(arg.type, Number) or arg.type.option for arg in node.args):
        return node
    made = _ANYWHERE.get(node.function)
    if made is None and not dialect.columnar:
        made = _IN_LOOPS.get(node.function)
    return node if made is None else made(node)


def _kind(node: g.Node) -> str:
    return node.type.dtype.kind if isinstance(node.type, Number) else ""


def _one_of(node: g.Call) -> g.Node:
    """Whether a whole number is one of some."""
    (value,), wanted = node.args, dict(node.options)["values"]
    if _kind(value) not in "iu" or not 0 < len(wanted) <= MOST or any(type(one) is not int for one in wanted):
        return node
    each = [functions.call("np.equal", [value, build.literal(one)]) for one in wanted]
    return functools.reduce(lambda one, other: functions.call("np.bitwise_or", [one, other]), each)


def _converted(node: g.Call) -> g.Node:
    """Whole numbers in double precision."""
    if _kind(node.args[0]) not in "iu" or node.type != number("float64"):
        return node
    return functions.call("np.multiply", [node.args[0], build.literal(1.0)])


def _smaller(node: g.Call) -> g.Node:
    """The smaller or greater of two numbers; NaN if one is."""
    one, other = node.args
    if isinstance(one, g.Literal):
        one, other = other, one
    better = functions.call("np.less" if node.function == "np.minimum" else "np.greater", [one, other])
    if _kind(one) == "f":
        better = functions.call("np.bitwise_or", [better, functions.call("np.not_equal", [one, one])])
    return functions.call("ht.where", [better, one, other])


def _is_nan(node: g.Call) -> g.Node:
    return functions.call("np.not_equal", [node.args[0], node.args[0]])


def _is_finite(node: g.Call) -> g.Node:
    nothing = functions.call("np.subtract", [node.args[0], node.args[0]])
    return functions.call("np.equal", [nothing, build.literal(0)])


def _square(node: g.Call) -> g.Node:
    return functions.call("np.multiply", [node.args[0], node.args[0]])


def _either(node: g.Call) -> g.Node:
    return functions.call("np.not_equal", node.args) if all(_kind(arg) == "b" for arg in node.args) else node


def _size(node: g.Call) -> g.Node:
    if _kind(node.args[0]) == "u":
        return node.args[0]
    return functions.call("np.absolute", node.args)


def _choice_of_truths(node: g.Call) -> g.Node:
    """A choice of two conditions, where choices are of numbers."""
    if node.type != number(bool):
        return node
    condition, one, other = node.args
    sides = [functions.call("np.bitwise_and", [condition, one])]
    sides.append(functions.call("np.bitwise_and", [functions.call("np.invert", [condition]), other]))
    return functions.call("np.bitwise_or", sides)


def _of_truths(node: g.Reduce) -> g.Node:
    """Any and all of numbers: of those that are not zero."""
    array = node.args[0]
    if node.function not in ("any", "all") or node.options or array.type.option or _kind(array) not in "iuf":
        return node
    return functions.reduce(node.function, functions.call("np.not_equal", [array, build.literal(0)]))


_ANYWHERE: Mapping[str, Callable[[g.Call], g.Node]] = {"ht.isin": _one_of, "ak.values_astype": _converted}
_IN_LOOPS: Mapping[str, Callable[[g.Call], g.Node]] = {
    "np.minimum": _smaller,
    "np.maximum": _smaller,
    "np.isnan": _is_nan,
    "np.isfinite": _is_finite,
    "np.square": _square,
    "np.absolute": _size,
    "np.fabs": _size,
    "np.bitwise_xor": _either,
    "np.logical_xor": _either,
    "ht.where": _choice_of_truths,
}
