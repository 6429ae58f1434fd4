"""Behaviors of records, one record at a time: vectors by their formulas, the rest as the schema's classes have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from hep_tables_coffea.backends.reference import vectors
from hep_tables_coffea.backends.reference.arrays import RecordKind, kind_of, layout_of
from hep_tables_coffea.backends.reference.elements import cast
from hep_tables_coffea.backends.reference.questions import touched
from hep_tables_coffea.graph import functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.types import infer

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["behave", "total"]


def behave(node: g.Behave, arguments: Sequence[Any]) -> Any:
    """A property, method or operator of one record; missing where an argument is."""
    if any(argument is None for argument in arguments):
        return None
    kind = kind_of(node)
    result = _of_vectors(node, arguments, kind)
    if result is None:
        result = _of_classes(node, arguments)
    return _typed(result, kind)


def total(node: g.Behave, records: Sequence[Any]) -> Any:
    """The sum of a list of records: of their Cartesian components."""
    kind = kind_of(node)
    found = [record for record in records if record is not None]
    assert isinstance(kind, RecordKind)
    if not all(map(vectors.is_vector, found)):
        array = _array(node, 0, [found], 1)
        return _typed(ak.sum(array, axis=-1)[0], kind)
    return _typed(vectors.expressed(vectors.added(found), kind.fields), kind)


def _typed(result: Any, kind: Any) -> Any:
    """Numbers of the declared type; a record as a dict, a vector in the declared coordinates."""
    if result is None:
        return None
    if not isinstance(kind, RecordKind):
        return cast(result, kind)
    members = result if isinstance(result, dict) else {name: result[name] for name in result.fields}
    if not set(kind.fields) <= set(members):
        members = vectors.expressed(members, kind.fields)
    return {name: cast(members[name], inner) for name, (_, inner) in kind.fields.items()}  # type: ignore[arg-type]


def _of_vectors(node: g.Behave, arguments: Sequence[Any], kind: Any) -> Any:
    """By formula, or None where there is none for it."""
    if not vectors.is_vector(arguments[0]) or node.options:
        return None
    if node.how == "property" and node.method in vectors.PROPERTIES:
        return vectors.PROPERTIES[node.method](arguments[0])
    if node.how == "method" and node.method in vectors.METHODS and vectors.is_vector(arguments[1]):
        return vectors.METHODS[node.method](*arguments)
    if node.how == "operator" and isinstance(kind, RecordKind):
        return _operator(node.method, arguments, kind)
    return None


def _operator(method: str, arguments: Sequence[Any], kind: RecordKind) -> Any:
    """Cartesian components are what adds and scales; the result has whatever coordinates it was declared with."""
    if method in vectors.OPERATORS and all(map(vectors.is_vector, arguments)):
        parts = [vectors.cartesian(argument) for argument in arguments]
        shared = [name for name in parts[0] if all(name in part for part in parts)]
        made = {name: vectors.OPERATORS[method](*(part[name] for part in parts)) for name in shared}
        if method == "negative" and "charge" in made:
            made["charge"] = -made["charge"]  # turned around, not conjugated
        return vectors.expressed(made, kind.fields)
    if method == "multiply" and {"x", "y"} <= set(kind.fields) and not vectors.is_vector(arguments[1]):
        return {name: vectors.component(arguments[0], name) * arguments[1] for name in kind.fields}
    return None


def _of_classes(node: g.Behave, arguments: Sequence[Any]) -> Any:
    """By the schema's class, of arrays with one record."""
    values = [_array(node, k, [argument], 0) for k, argument in enumerate(arguments)]
    options = dict(node.options)
    if node.how == "operator":
        result = getattr(np, node.method)(*values, **options)
    elif node.how == "property":
        result = getattr(values[0], node.method)
    else:
        result = getattr(values[0], node.method)(*values[1:], **options)
    return result[0]


def _array(node: g.Behave, k: int, values: Sequence[Any], depth: int) -> Any:
    arg = node.args[k]
    if isinstance(arg, g.Literal):
        return functions.constant(arg)
    layout = layout_of(values, depth, kind_of(arg, touched(node, k)), names=True)
    return ak.Array(layout, behavior=infer.behaviors(functions.behaviors_of(node)))
