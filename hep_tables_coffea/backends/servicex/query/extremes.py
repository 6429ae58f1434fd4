"""Comparisons with the least or greatest of a list, said of its rows: right also where operators know no options."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

import numpy as np

from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.types.elements import Number

__all__ = ["COMPARED", "compared_filled", "extreme", "is_filled", "is_not", "is_some", "no", "some", "together"]

#: Orders, and the same from the other side.
COMPARED = {
    "np.greater": "np.less",
    "np.greater_equal": "np.less_equal",
    "np.less": "np.greater",
    "np.less_equal": "np.greater_equal",
}
_OPPOSITE = {
    "np.greater": "np.less_equal",
    "np.greater_equal": "np.less",
    "np.less": "np.greater_equal",
    "np.less_equal": "np.greater",
}


def is_filled(node: g.Node) -> bool:
    """Whether a constant stands where a value is missing."""
    return isinstance(node, g.Call) and node.function == "ak.fill_none"


def extreme(node: g.Node) -> g.Node | None:
    """A comparison with the least or greatest of a list, as one of its rows: right where there are rows; or None.

    NaN is no extreme, and the extreme of nothing but NaN is an infinity.
    """
    if not isinstance(node, g.Call) or node.function not in COMPARED:
        return None
    name, (one, bound) = node.function, node.args
    if not _is_extreme(one):
        name, one, bound = COMPARED[name], bound, one
    if not _is_extreme(one) or bound.type.option or len(bound.path) > len(one.path):
        return None
    array = one.args[0]
    outwards = name.startswith("np.greater") is (one.function == "max")
    asked = name if outwards else _OPPOSITE[name]
    finite = isinstance(bound, g.Literal) and math.isfinite(bound.value)
    finite |= isinstance(bound.type, Number) and bound.type.dtype.kind in "iu"
    if not finite and not (outwards and not asked.endswith("equal")):
        return None
    found = functions.reduce("any", functions.call(asked, [array, bound]))
    return found if outwards else no(found)


def _is_extreme(node: g.Node) -> bool:
    return (
        isinstance(node, g.Reduce)
        and node.function in ("min", "max")
        and not node.options
        and not node.args[0].type.option
        and isinstance(node.type, Number)
        and node.type.dtype.kind in "iuf"
    )


def is_some(node: g.Node) -> bool:
    return isinstance(node, g.Reduce) and node.function == "any"


def compared_filled(node: g.Call) -> g.Node:
    """A comparison of a filled extreme with a constant: of its rows, and of the filling where there are none."""
    name, (filled, bound) = node.function, node.args
    if isinstance(filled, g.Literal):
        name, filled, bound = COMPARED[name], bound, filled
    if not is_filled(filled) or not isinstance(bound, g.Literal) or bound.kind != type(bound.value).__name__:
        return node
    value, filling = filled.args
    if not isinstance(filling, g.Literal) or not _is_extreme(value):
        return node
    compared = extreme(functions.call(_in_type(name, value, filled, bound.value), [value, bound]))
    if compared is None:
        return node
    otherwise = bool(functions.resolve(name)(filling.value, bound.value))
    if otherwise is not is_some(compared):
        return compared  # what it is of an empty list
    known = some(functions.reduce("num", value.args[0]))
    return functions.call("np.bitwise_or", [no(known), compared]) if otherwise else together([known, compared])


def _in_type(name: str, value: g.Node, filled: g.Node, bound: float) -> str:
    """The comparison of a value with a constant, that is the same as of the value in double precision."""
    assert isinstance(value.type, Number)
    if value.type.dtype != np.float32 or filled.type == value.type:
        return name
    rounded = float(np.float32(bound))
    if rounded == bound:
        return name
    is_open = (rounded < bound) is name.startswith("np.greater")
    return name.removesuffix("_equal") if is_open else name.removesuffix("_equal") + "_equal"


def together(parts: Sequence[g.Node]) -> g.Node:
    """All of some conditions, in their order and each once: the later are asked where the earlier are true."""
    found = dict.fromkeys(one for part in parts for one in _conditions(part))
    return reduce(lambda one, other: functions.call("np.bitwise_and", [one, other]), found)


def _conditions(node: g.Node) -> list[g.Node]:
    if isinstance(node, g.Call) and node.function == "np.bitwise_and":
        return [one for arg in node.args for one in _conditions(arg)]
    return [node]


def no(node: g.Node) -> g.Node:
    """The opposite of a condition."""
    return node.args[0] if is_not(node) else functions.call("np.invert", [node])


def is_not(node: g.Node) -> bool:
    return isinstance(node, g.Call) and node.function in ("np.invert", "np.logical_not")


def some(count: g.Node) -> g.Node:
    """Whether there are any."""
    return functions.call("np.greater", [count, build.literal(0)])
