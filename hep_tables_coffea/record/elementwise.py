"""Elementwise functions that need more than their name: where, clip, isin, interpolation, missing values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hep_tables_coffea.errors import RecordingError, UsageError
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.record.array import Array, wrap
from hep_tables_coffea.record.values import node_of
from hep_tables_coffea.types.elements import Number, Record, Text

__all__ = ["clip", "digitize", "fill_missing", "interp", "is_missing", "isin", "where"]


def where(condition: Any, x: Any, y: Any) -> Array:
    """`x` where the condition is true, else `y`; missing where the condition is missing.

    Args:
        condition: `event * ... * bool`.
        x, y: values on the same rows, on a prefix of them, or constants.

    Example:
        >>> import hep_tables_coffea as ht
        >>> ht.where(events.Jet.pt > 30, events.Jet.pt, 0.0)  # doctest: +SKIP
        <Array event * Jet * float64>
    """
    nodes = [node_of(value, "choose with ht.where from") for value in (condition, x, y)]
    if not (isinstance(nodes[0].type, Number) and nodes[0].type.dtype.kind == "b"):
        msg = f"the condition of where must be a truth value, and is {nodes[0].type}"
        raise UsageError(msg, values=[("condition", nodes[0].text)], hint="compare it: x > 0")
    return wrap(functions.call("ht.where", [nodes[0], *_alternatives(nodes)], doing="choose from"))


def _alternatives(nodes: Sequence[Node]) -> list[Node]:
    """The two values of a choice, which must be of one kind; constant strings are repeated for each row."""
    _, x, y = nodes
    if type(x.type) is not type(y.type):
        msg = f"a choice gives values of one kind, and not {x.type} or {y.type}"
        raise UsageError(msg, values=[("if true", x.text), ("if not", y.text)], hint="choose between columns")
    if not isinstance(x.type, Text):
        return [x, y]
    path, aligned = build.align(nodes, "choose from")
    full = next((node for node in aligned if node.path == path), None)
    if full is None or not path:
        return [x, y]
    return [node if node.path == path else build.broadcast(node, full, len(path)) for node in aligned[1:]]


def clip(a: Any, a_min: Any = None, a_max: Any = None, **options: Any) -> Array:
    """`np.clip`: values below or above the limits become the limits."""
    for name in ("min", "max"):
        if name in options:
            value = options.pop(name)
            a_min, a_max = (value, a_max) if name == "min" else (a_min, value)
    if options:
        msg = f"np.clip: the keyword {', '.join(options)} cannot be recorded"
        raise UsageError(msg)
    node = node_of(a)
    if a_min is not None:
        node = functions.call("np.maximum", [node, node_of(a_min)])
    if a_max is not None:
        node = functions.call("np.minimum", [node, node_of(a_max)])
    return wrap(node)


def _table(values: Iterable[Any], what: str) -> tuple[float, ...]:
    if getattr(values, "_node", None) is not None:
        msg = f"{what} must be a list of numbers in memory"
        raise UsageError(msg, values=[("given", values.type)], hint="match rows with ht.cross or nearest")  # type: ignore[attr-defined]
    array = np.asarray(list(values) if not isinstance(values, np.ndarray) else values)
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        msg = f"{what} must be a list of numbers in memory"
        raise UsageError(msg)
    return tuple(array.tolist())


def isin(element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False) -> Array:
    """`np.isin`: whether each value is one of a list of constants: `np.isin(abs(gen.pdgId), [11, 13])`."""
    values = test_elements
    inner = node_of(element)
    if isinstance(inner.type, Text):
        node = functions.call("ak.str.is_in", [inner], {"value_set": tuple(map(str, values))})
    else:
        node = functions.call("ht.isin", [numeric("np.isin", inner)], {"values": _table(values, "np.isin: the values")})
    return wrap(functions.call("np.logical_not", [node]) if invert else node)


def digitize(x: Any, bins: Any, right: bool = False) -> Array:
    """`np.digitize`: the number of the bin that each value falls in."""
    options = {"bins": _table(bins, "np.digitize: the bins"), "right": bool(right)}
    return wrap(functions.call("ht.digitize", [node_of(x)], options))


def interp(x: Any, xp: Any, fp: Any, **options: Any) -> Array:
    """`np.interp`: linear interpolation in a table of constants."""
    if options:
        msg = f"np.interp: the keyword {', '.join(options)} cannot be recorded"
        raise UsageError(msg)
    tables = {"xp": _table(xp, "np.interp: xp"), "fp": _table(fp, "np.interp: fp")}
    return wrap(functions.call("ht.interp", [node_of(x)], tables))


def is_missing(x: Any) -> Array:
    """Whether there is no value: `event * bool` of `event * ?Jet`. The opposite of `x.exists`."""
    return wrap(missing(node_of(x)))


def numeric(function: str, node: Node) -> Node:
    """The value, after a check that it is a number."""
    if not isinstance(node.type, Number):
        what = "records" if isinstance(node.type, Record) else "strings"
        msg = f"{function} of {what} is not defined"
        hint = f"use one of its columns: {', '.join(node.type.fields[:6])}" if isinstance(node.type, Record) else ""
        raise RecordingError(msg, values=[("value", node.text)], hint=hint)
    return node


def missing(node: Node) -> Node:
    if isinstance(node.type, Record):
        node = build.anchor(node)
    return functions.call("ak.is_none", [node], {"axis": -1})


def fill_missing(x: Any, value: Any) -> Array:
    """The value where there is one, else `value`, a constant."""
    node, filling = node_of(x), node_of(value)
    if isinstance(node.type, Record):
        msg = "a missing record cannot be filled"
        raise UsageError(
            msg, values=[("record", node.text)], hint=f"fill its columns: {', '.join(node.type.fields[:6])}"
        )
    if isinstance(node.type, Text) is not isinstance(filling.type, Text):
        msg = f"a missing {node.type} cannot be filled with {filling.type}"
        raise UsageError(msg, values=[("value", node.text), ("to fill in", filling.text)])
    if filling.path:
        msg = "missing values are filled with one constant"
        hint = "a value for each row: ht.where(x.exists, x, y)"
        raise UsageError(msg, values=[("value", node.text), ("to fill in", filling.text)], hint=hint)
    return wrap(functions.call("ak.fill_none", [node, filling]))
