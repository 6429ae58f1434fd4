"""Whether two answers are the same, and whether an answer has the type that was declared."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import awkward as ak
import hist
import numpy as np

from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.types import infer
from hep_tables_coffea.types.elements import Record, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hep_tables_coffea.graph.nodes import Node
    from hep_tables_coffea.types.elements import Element

__all__ = ["difference", "tolerance_of", "type_problem"]

#: How much two floating numbers may differ: relative to their size, and around zero. A mass is the root of a difference
#: of squared energies, so that half of its digits are lost.
TOLERANCES = {"float32": (1e-6, 1e-6), "float64": (1e-12, 1e-12), "vector": (1e-4, 0.3)}


def tolerance_of(node: Node) -> tuple[float, float]:
    """How much two answers for a node may differ: as little as the least precise floating number allows that it needs."""
    needed = list(walk([node]))
    if any(isinstance(one, g.Behave) for one in needed):
        return TOLERANCES["vector"]
    single = isinstance(node.type, Record) or any(getattr(one.type, "dtype", None) == np.float32 for one in needed)
    return TOLERANCES["float32" if single else "float64"]


def difference(actual: Any, expected: Any, tolerance: tuple[float, float] = TOLERANCES["float64"]) -> str:
    """What differs first, or ""; whole numbers, truth values and strings are compared exactly, NaN equals NaN."""
    if isinstance(expected, hist.Hist):
        return _hist_difference(actual, expected, tolerance)
    if isinstance(expected, ak.Array):
        if not isinstance(actual, ak.Array):
            return f"{actual!r} is no array"
        return _difference(ak.to_list(actual), ak.to_list(expected), tolerance, "")
    if isinstance(expected, np.ndarray):
        return _difference(np.asarray(actual).tolist(), expected.tolist(), tolerance, "")
    return _difference(actual, expected, tolerance, "")


def _difference(actual: Any, expected: Any, tolerance: tuple[float, float], where: str) -> str:
    if isinstance(expected, (list, tuple)) and type(actual) is type(expected):
        if len(actual) != len(expected):
            return f"{where or 'the answer'} has {len(actual)} rows, not {len(expected)}: {actual} != {expected}"
        pairs = [(f"{where}[{k}]", a, e) for k, (a, e) in enumerate(zip(actual, expected, strict=True))]
    elif isinstance(expected, dict) and isinstance(actual, dict):
        if list(actual) != list(expected):
            return f"{where} has the fields {list(actual)}, not {list(expected)}"
        pairs = [(f"{where}.{name}", actual[name], expected[name]) for name in expected]
    else:
        same = _same(actual, expected, tolerance)
        return "" if same else f"{where or 'the answer'} is {actual!r}, not {expected!r}"
    return next(filter(None, (_difference(a, e, tolerance, w) for w, a, e in pairs)), "")


def _same(actual: Any, expected: Any, tolerance: tuple[float, float]) -> bool:
    if isinstance(expected, float) and isinstance(actual, float):
        if math.isnan(expected) or math.isnan(actual):
            return math.isnan(expected) and math.isnan(actual)
        relative, absolute = tolerance
        return actual == expected or math.isclose(actual, expected, rel_tol=relative, abs_tol=absolute)
    return type(actual) is type(expected) and bool(actual == expected)


def _hist_difference(actual: Any, expected: Any, tolerance: tuple[float, float]) -> str:
    if [list(axis) for axis in actual.axes] != [list(axis) for axis in expected.axes]:
        return f"the axes {actual.axes} are not {expected.axes}"
    if actual.storage_type is not expected.storage_type:
        return f"the storage {actual.storage_type} is not {expected.storage_type}"
    return _difference(_view(actual), _view(expected), tolerance, "the histogram")


def _view(histogram: Any) -> Any:
    view = histogram.view(flow=True)
    return {name: view[name].tolist() for name in view.dtype.names} if view.dtype.names else view.tolist()


# -- types -----------------------------------------------------------------------------------------------------------


def type_problem(answer: Any, node: Node) -> str:
    """What contradicts the declared type, or "". What may be missing by declaration need not be."""
    if isinstance(node, g.Fill):
        return ""
    if not node.path:
        return _scalar_problem(answer, node.type)
    form = answer.layout.form
    for axis in node.path[1:]:
        if not form.is_list:
            return f"the axis {axis.name} of {node.text} is no list in {answer.type}"
        form = form.content
    problem = _form_problem(form, node)
    return problem and f"{node.text} declares {problem}: {answer.type}"


def _scalar_problem(answer: Any, element: Element) -> str:
    if answer is None:
        return "" if element.option else f"{element} is missing"
    kinds: Mapping[str, type] = {"f": float, "i": int, "u": int, "b": bool}
    wanted = str if isinstance(element, Text) else kinds.get(getattr(element, "dtype", np.dtype("O")).kind)
    return "" if wanted is None or type(answer) is wanted else f"{element} is {answer!r}"


def _form_problem(form: Any, node: Node) -> str:
    element = node.type
    if form.is_option:
        if not element.option:
            return f"{element}, which may not be missing"
        form = form.content
    if not isinstance(element, Record):
        found = infer.element_of_form(form)
        return "" if found is not None and str(found) == str(element).lstrip("?") else f"{element}, not {found}"
    if not form.is_record:
        return f"a record, not {form.type}"
    if isinstance(node, g.Behave):
        names = list(element.fields)
        wrong = [
            n for n in names if n not in form.fields or not _fits(form.content(n), infer.field_of_form(node.form, n))
        ]
        return f"the fields {wrong}" if wrong or len(names) != len(form.fields) else ""
    return _fields_problem(form, node, element)


def _fits(form: Any, element: Element) -> bool:
    found = infer.element_of_form(form)
    return found is not None and str(found).lstrip("?") == str(element).lstrip("?") and found.option <= element.option


def _fields_problem(form: Any, node: Node, element: Record) -> str:
    if list(form.fields) != list(element.fields):
        return f"the fields {list(element.fields)}, not {form.fields}"
    for name in element.fields:
        member, inner = build.field(node, name), form.content(name)
        for _ in member.path[len(node.path) :]:
            if not inner.is_list:
                return f"a list in {name}"
            inner = inner.content
        problem = _form_problem(inner, member)
        if problem:
            return f"{name}: {problem}"
    return ""
