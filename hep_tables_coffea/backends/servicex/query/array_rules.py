"""What uproot's dialect can say, where operators take whole lists: the same as awkward, with the same types."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hep_tables_coffea.backends.servicex.query.dialect import UPROOT, Dialect
from hep_tables_coffea.backends.servicex.query.lowering import needs, sorting_key
from hep_tables_coffea.graph import functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.plan.lower import last_step
from hep_tables_coffea.types import infer
from hep_tables_coffea.types.elements import Element, Number, number

__all__ = ["RULES", "foreign", "is_writable", "sorting"]

_ORDERS = {("ascending", True), ("ascending", False), ("stable", True)}


_COMPARISONS = ("np.less", "np.less_equal", "np.greater", "np.greater_equal", "np.equal", "np.not_equal")


def sorting(node: g.Restrict) -> str:
    """Why rows cannot be put in an order, or ""."""
    inner, k, step = last_step(node)
    key = sorting_key(step)
    if key is None or key.type.option or _options(step.node) - _ORDERS:
        return "takes no rows by an index"
    if k != 1 or len(inner.path) != 2:
        return "sorts no lists in lists"
    on_rows = needs(node, UPROOT)[1].path == (*inner.path[:k], step.parent)
    return "" if on_rows else "has no order of one of two collections in each other"


def _options(node: g.Node | None) -> set[Any]:
    while isinstance(node, g.Restrict):
        node = node.args[0]
    return set(node.options) if isinstance(node, g.Arrange) else set()


def _nested(node: g.Nest, dialect: Dialect) -> str:
    outer, value = node.args[1], node.args[0]
    if node.prefix != 1 or len(outer.path) != 2 or len(value.path) < 2:
        return "takes lists for each row of one collection of the event, and no deeper ones"
    return ""


def _combined(node: g.Side, dialect: Dialect) -> str:
    array = node.args[node.slot]
    if node.position != 1:
        return "combines collections of the event, and no lists in lists"
    if node.axis.kind == "pairs":
        if node.axis.params[1]:
            return "has no combinations of a row with itself"
        if len(array.path) != 2 or array.type.option:
            return "combines plain numbers"
    elif len(node.args) != 2 or any(len(arg.path) != 2 for arg in node.args):
        return "crosses two collections of numbers"
    return ""


def _joined(node: g.Join, dialect: Dialect) -> str:
    if node.position != 1 or len(node.path) != 2:
        return "joins collections of the event, and no lists in lists"
    if len({arg.type for arg in node.args}) > 1 or node.type.option:
        return "joins columns of one type"
    return ""


def _flattened(node: g.Flatten, dialect: Dialect) -> str:
    if node.position < 2:
        return "delivers events, and flattened ones are no events"
    return "flattens lists of the event, and no deeper ones" if node.position > 2 else ""


def foreign(arg: g.Node) -> str:
    """Why a query cannot have an argument that is no column of the file, or ""."""
    if isinstance(arg, g.Literal):
        return "" if is_writable(arg) else f"cannot write {arg.value!r}"
    return "" if arg.path else "sees one file, and this is a value of the whole dataset"


def _call(node: g.Call, dialect: Dialect) -> str:
    name = node.function
    if name == "ht.broadcast":
        return _repeated(node)
    if name in ("ht.required", "ak.is_none", "ak.fill_none"):
        return "puts nothing in place of missing values"
    if name != "ht.where" and name not in dialect.functions and name not in dialect.operators:
        return f"has no {name.removeprefix('ht.')}"
    if node.options:
        return f"has no options of {name}"
    for arg in node.args:
        if reason := foreign(arg):
            return reason
        if arg.type.option and (len(arg.path) < len(node.path) or name == "ht.where"):
            return "cannot repeat or choose values that may be missing"
    if name == "ht.where" and (node.args[0].type != number(bool) or isinstance(node.args[0], g.Literal)):
        return "chooses by a truth value"
    made = _type_of_call(node)
    if made != node.type:
        return f"gives {made} there, and not {node.type}"
    return _compared(node) if name in _COMPARISONS else ""


def _compared(node: g.Call) -> str:
    """A constant of numpy has a type of its own, and in the text of a query it is a plain number."""
    if not any(isinstance(arg, g.Literal) and arg.kind != type(arg.value).__name__ for arg in node.args):
        return ""
    here = np.result_type(*(arg.type.dtype for arg in node.args if isinstance(arg.type, Number)))
    plain = [arg.value if isinstance(arg, g.Literal) else getattr(arg.type, "dtype", None) for arg in node.args]
    try:
        there = np.result_type(*plain)
    except OverflowError:
        return f"has no {here} constants"
    return "" if there == here else f"compares in {there} there, and not in {here}"


def _repeated(node: g.Call) -> str:
    value = node.args[0]
    if value.type.option:
        return "cannot repeat or choose values that may be missing"
    if isinstance(value, g.Literal):
        return "" if is_writable(value) and _widened(value) == node.type else f"has no constant of the type {node.type}"
    return "" if value.path else "sees one file, and this is a value of the whole dataset"


def is_writable(node: g.Literal) -> bool:
    return isinstance(node.value, (bool, int)) or (isinstance(node.value, float) and math.isfinite(node.value))


def _widened(node: g.Node) -> Element:
    """The type of a value in a choice, where a constant is an array of Python's numbers."""
    return number(np.asarray(node.value).dtype) if isinstance(node, g.Literal) else node.type


def _type_of_call(node: g.Call) -> Element | None:
    """What a call gives when its constants are plain numbers."""
    if node.function == "ht.where":
        one, other = (_widened(arg) for arg in node.args[1:])
        return infer.common([one, other])
    plain = [(type(arg.value).__name__, arg.value) if isinstance(arg, g.Literal) else arg.type for arg in node.args]
    try:
        return infer.flat_type(functions.resolve(node.function), plain)
    except (TypeError, ValueError, OverflowError):
        return None


def _reducer(node: g.Reduce, dialect: Dialect) -> str:
    if node.function not in dialect.reducers:
        return f"has no {node.function} of a list"
    if node.options:
        return f"has no options of {node.function}"
    return "" if len(node.args[0].path) > 1 else "reduces lists of the event"


#: Why a node has no form, or ""; by its kind.
RULES: Mapping[type[g.Node], Callable[[Any, Dialect], str]] = {
    g.Nest: _nested,
    g.Side: _combined,
    g.Join: _joined,
    g.Flatten: _flattened,
    g.Call: _call,
    g.Reduce: _reducer,
}
