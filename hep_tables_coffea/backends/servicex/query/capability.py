"""Whether a node can be part of a query, given that what it needs can be."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hep_tables_coffea.backends.servicex.query.dialect import Dialect
from hep_tables_coffea.backends.servicex.query.lowering import lowered, needs, sorting_key
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.plan.lower import last_step
from hep_tables_coffea.plugins.protocol import Support
from hep_tables_coffea.types import infer
from hep_tables_coffea.types.elements import Element, Number, Record, Text, number

__all__ = ["supports"]

YES = Support(True)


def supports(node: g.Node, dialect: Dialect) -> Support:
    """Whether a query can say a node, given that it can say what the node needs.

    Args:
        node: a column of a program.
        dialect: `UPROOT` or `XAOD`.

    Returns:
        Yes, or no and the reason.

    Example:
        >>> import hep_tables_coffea as ht
        >>> from hep_tables_coffea.backends.servicex.query import UPROOT, supports
        >>> jets = ht.flat("events.root").Jet  # doctest: +SKIP
        >>> supports(jets.pt.Mean()._node, UPROOT).reason  # doctest: +SKIP
        'the uproot dialect of func_adl has no mean of a list'
    """
    if lowered(node) is not node:
        return YES
    reason = dialect.refused.get(type(node).__name__) or _element(node.type) or _kind(node, dialect)
    return Support(False, f"the {dialect.name} dialect of func_adl {reason}") if reason else YES


def _element(element: Element) -> str:
    if isinstance(element, Record):
        return "delivers columns, and a record is several of them"
    if isinstance(element, Text):
        return "has no strings"
    if element.dtype == np.float16 or element.dtype.kind not in "bifu":
        return f"delivers no {element.dtype.name}"
    return ""


def _kind(node: g.Node, dialect: Dialect) -> str:
    known: dict[type[g.Node], Callable[[Any, Dialect], str]] = {
        g.Field: _field,
        g.Restrict: _restriction,
        g.Nest: _nested,
        g.Side: _combined,
        g.Join: _joined,
        g.Flatten: _flattened,
        g.Call: _call,
        g.Reduce: _reducer,
    }
    if type(node) not in known:
        what = node.method if isinstance(node, g.Behave) else type(node).__name__
        if isinstance(node, g.UserCall):
            what = f"function {node.declared.name}, which is Python"
        return f"has no {what}"
    return known[type(node)](node, dialect)


def _field(node: g.Field, dialect: Dialect) -> str:
    if node.name == build.ROW:
        return "has no positions of rows"
    record = node.args[0].type
    if isinstance(node.args[0], g.Behave) or not isinstance(record, Record) or record.group is None:
        return f"has no {node.name} of a vector that is computed like this"
    leaf: Any = record.group.fields[node.name]
    if leaf.problem:
        return f"cannot read {leaf.column}: {leaf.problem}"
    if leaf.constant is not None:
        return f"reads what is stored, and {node.name} is a constant"
    if leaf.optional:
        return f"fails for a file that lacks {leaf.column}"
    return "cannot write a name with a quote" if "'" in leaf.column or "\\" in leaf.column else ""


def _restriction(node: g.Restrict, dialect: Dialect) -> str:
    inner, k, step = last_step(node)
    if step.kind == "ordered":
        key = sorting_key(step)
        if (
            key is None
            or key.type.option
            or _options(step.node) - {("ascending", True), ("ascending", False), ("stable", True)}
        ):
            return "takes no rows by an index"
        if k != 1 or len(inner.path) != 2:
            return "sorts no lists in lists"
    elif step.kind != "subset" or step.node is None:
        return {"sliced": "has no slices of lists", "padded": "does not fill up lists"}.get(
            step.kind, "has no such rows"
        )
    chosen = needs(node)[1]
    if chosen.path != (*inner.path[:k], step.parent):
        return "has no condition on one of two collections in each other"
    if chosen.type.option:
        return "has no selection by a condition that may be missing"
    if not isinstance(chosen.type, Number) or (step.kind == "subset" and chosen.type.dtype.kind != "b"):
        return "selects by truth values"
    return ""


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


def _call(node: g.Call, dialect: Dialect) -> str:
    name = node.function
    if name == "ht.broadcast":
        return _repeated(node)
    if name != "ht.where" and name not in dialect.functions and name not in dialect.operators:
        return f"has no {name.removeprefix('ht.')}"
    if node.options:
        return f"has no options of {name}"
    for arg in node.args:
        if isinstance(arg, g.Literal) and not _writable(arg):
            return f"cannot write {arg.value!r}"
        if not isinstance(arg, g.Literal) and not arg.path:
            return "sees one file, and this is a value of the whole dataset"
        if arg.type.option and (len(arg.path) < len(node.path) or name == "ht.where"):
            return "cannot repeat or choose values that may be missing"
    if name == "ht.where" and (node.args[0].type != number(bool) or isinstance(node.args[0], g.Literal)):
        return "chooses by a truth value"
    made = _type_of_call(node)
    return "" if made == node.type else f"gives {made} there, and not {node.type}"


def _repeated(node: g.Call) -> str:
    value = node.args[0]
    if value.type.option:
        return "cannot repeat or choose values that may be missing"
    if isinstance(value, g.Literal):
        return "" if _writable(value) and _widened(value) == node.type else f"has no constant of the type {node.type}"
    return "" if value.path else "sees one file, and this is a value of the whole dataset"


def _writable(node: g.Literal) -> bool:
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
    array = node.args[0]
    if node.function not in dialect.reducers:
        return f"has no {node.function} of a list"
    if node.options:
        return f"has no options of {node.function}"
    if len(array.path) < 2:
        return "reduces lists of the event"
    if array.type.option and node.function in ("min", "max"):
        return ""
    return ""
