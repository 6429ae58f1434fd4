"""Functions of one element: traced with a parameter, never read as text."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hep_tables_coffea.errors import FilterError, HepTablesError, RecordingError, UsageError, Where
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph.nodes import Fill, Node
from hep_tables_coffea.graph.scope import current, nest_together, per_row, release
from hep_tables_coffea.record.array import wrap
from hep_tables_coffea.record.values import is_constant, node_of, shown
from hep_tables_coffea.types.elements import Number

__all__ = ["called", "curry", "filter_by", "key_of", "map_rows"]


def map_rows(node: Node, function: Any) -> Node:
    """One value for each row: what the function makes of it."""
    _check_callable(function, "map")
    parameter, marker = current(node)
    return release(_result(_call(function, parameter), parameter, function), marker)


def filter_by(node: Node, function: Callable[..., Any]) -> Node:
    """The rows for which the function is true."""
    from hep_tables_coffea.record.index import apply_filter

    parameter, marker = current(node)
    answer = _call(function, parameter)
    if not (isinstance(getattr(answer, "_node", None), Node) or isinstance(answer, (bool, np.bool_))):
        msg = f"{_name(function)} gives {shown(answer)}, which is no mask"
        raise FilterError(msg, values=[("filtered", node.text)], where=_line(function), hint="return a comparison")
    mask = _result(answer, parameter, function)
    if not (isinstance(mask.type, Number) and mask.type.dtype.kind == "b"):
        msg = f"{_name(function)} gives {mask.type}, which is no mask"
        raise FilterError(msg, values=[("filtered", node.text)], where=_line(function), hint="return a comparison")
    node, mask = nest_together([node, release(mask, marker)])
    return apply_filter(node, mask)


def key_of(node: Node, key: Any) -> Node:
    """A key of order: an expression, or a function of one row."""
    if isinstance(getattr(key, "_node", None), Node) or not callable(key):
        return node_of(key, "order by")
    return map_rows(node, key)


def _check_callable(function: Any, what: str) -> None:
    if not callable(function) or isinstance(getattr(function, "_node", None), Node):
        msg = f"{what} needs a function, and got {shown(function)}"
        raise UsageError(msg, hint=f"x.{what}(lambda row: row.pt * 2)")


def _name(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", None) or type(function).__name__
    return "the lambda" if name == "<lambda>" else str(name)


def _code(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    inner = getattr(function, "__func__", function)
    called = getattr(type(inner), "__call__")  # noqa: B004, B009 (its code, not whether it is there)
    return getattr(inner, "__code__", None) or getattr(called, "__code__", None)


def _line(function: Any) -> Where | None:
    code = _code(function)
    return Where(code.co_filename, code.co_firstlineno) if code is not None else None


def _call(function: Callable[..., Any], parameter: Node) -> Any:
    """What the function makes of its parameter; its own errors name the function and its line."""
    return called(function, wrap(parameter), parameter)


def called(function: Callable[..., Any], argument: Any, parameter: Node) -> Any:
    """What the function makes of an argument that stands for a parameter."""
    try:
        inspect.signature(function).bind(None)
    except TypeError as error:
        msg = f"{_name(function)} cannot be called with one argument: {error}"
        raise UsageError(msg, values=[("parameter", parameter.text)], where=_line(function)) from error
    except ValueError:
        pass  # a builtin without a signature
    try:
        return function(argument)
    except HepTablesError:
        raise
    except Exception as error:
        msg = f"{_name(function)} raised {type(error).__name__}: {error}"
        raise RecordingError(msg, values=[("parameter", parameter.text)], where=_line(function)) from error


def _result(answer: Any, parameter: Node, function: Any) -> Node:
    """The answer of a function as one value for each row of the parameter; a tuple or dict is a record of each."""
    members: dict[str, Any] | None = None
    if isinstance(answer, Mapping):
        members = {str(name): member for name, member in answer.items()}
    elif isinstance(answer, (tuple, list)):
        members = {str(number): member for number, member in enumerate(answer)}
    if members:
        nodes = {name: _result(member, parameter, function) for name, member in members.items()}
        anchor = max(nodes.values(), key=lambda node: len(node.path))
        depth = len(per_row_path(parameter, anchor))
        return build.zip_fields(nodes, depth=depth)
    if not is_constant(answer) and not isinstance(getattr(answer, "_node", None), Node):
        msg = f"{_name(function)} gives {shown(answer)}, which cannot be recorded"
        hint = "return a number, a recorded value, or a tuple or dict of them"
        raise RecordingError(msg, values=[("parameter", parameter.text)], where=_line(function), hint=hint)
    value = node_of(answer)
    if isinstance(value, Fill):
        msg = f"{_name(function)} gives a histogram, which has no value for each row"
        raise RecordingError(msg, where=_line(function), hint="fill it with what map gives: h.fill(x.map(f))")
    return per_row(parameter, value)


def per_row_path(parameter: Node, value: Node) -> tuple[Any, ...]:
    """The path of the rows of the parameter, as it is beside a value."""
    rows, _ = nest_together([build.anchor(parameter), value])
    return rows.path


class _Curried:
    """A function whose first arguments are given, some now and some later."""

    def __init__(self, function: Callable[..., Any], given: tuple[Any, ...] = ()) -> None:
        functools.update_wrapper(self, function)
        self.function, self.given = function, given
        self.__signature__ = _remaining(function, len(given))

    def __call__(self, *arguments: Any) -> Any:
        given = (*self.given, *arguments)
        needed = sum(
            parameter.default is parameter.empty
            for parameter in inspect.signature(self.function).parameters.values()
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        )
        return self.function(*given) if len(given) >= needed else _Curried(self.function, given)


def _remaining(function: Callable[..., Any], given: int) -> inspect.Signature:
    signature = inspect.signature(function)
    return signature.replace(parameters=list(signature.parameters.values())[given:])


def curry(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that may be called with its first arguments only, and then with the rest.

    Example:
        >>> import hep_tables_coffea as ht
        >>> @ht.curry
        ... def scaled(factor, jet):
        ...     return jet.pt * factor
        >>> jets.map(scaled(2))  # doctest: +SKIP
        <Array event * Jet * float32>
    """
    return _Curried(function)
