"""Loops without a bound that is known: a step repeated for each row until a condition holds for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from itertools import count
from typing import Any

from hep_tables_coffea.errors import RecordingError, UsageError
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph.axes import Path
from hep_tables_coffea.graph.nodes import Current, Node, Parameter
from hep_tables_coffea.graph.scope import is_current, nest_together, per_row
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.record.array import wrap
from hep_tables_coffea.record.lambdas import called
from hep_tables_coffea.record.values import node_of, shown
from hep_tables_coffea.types.elements import Number, Record
from hep_tables_coffea.types.infer import common

__all__ = ["iterate"]

_numbers = count(1)
_level: ContextVar[int] = ContextVar("hep_tables_coffea_loops", default=0)


def iterate(state: Any, step: Callable[[Any], Any], until: Callable[[Any], Any], max_iterations: int = 100) -> Any:
    """Repeat a step for each row until a condition holds for it.

    Args:
        state: where it begins: a recorded value, or a tuple or dict of values on the same rows.
        step: of a state, gives the next one, in the same structure.
        until: of a state, gives `event * ... * bool`: a row for which it is true, or missing, is left as it is.
        max_iterations: the most steps; a row that is not finished then is an error that names its event.

    Returns:
        The last state of each row, in the structure of `state`.

    Example:
        >>> import hep_tables_coffea as ht
        >>> halved = ht.iterate(events.Jet.pt, lambda x: x / 2, until=lambda x: x < 10)  # doctest: +SKIP
    """
    names, values = _members(state)
    path, nodes = build.align([node_of(value, "iterate over") for value in values], "iterate over")
    if not path or any(isinstance(node.type, Record) for node in nodes):
        msg = "iterate needs numbers with one value for each row, and not records or values of the whole dataset"
        raise UsageError(msg, values=[("state", node.text) for node in nodes], hint="iterate over columns, or indices")
    full = next(node for node in nodes if len(node.path) == len(path))
    nodes = [per_row(full, node) for node in nodes]
    limit = _bound(max_iterations)
    nodes, parameters, steps, condition = _settled(names, nodes, step, until)
    made = [functions.iterate(nodes, parameters, steps, condition, limit, k) for k in range(len(nodes))]
    return _structure(names, [wrap(node) for node in made], state)


def _settled(
    names: Sequence[str] | None, nodes: list[Node], step: Callable[..., Any], until: Callable[..., Any]
) -> tuple[list[Node], list[Node], list[Node], Node]:
    """The loop traced again until its state is as wide as what the step makes of it, in type and in rows."""
    types = [node.type for node in nodes]
    level = _level.get()
    token = _level.set(level + 1)
    try:
        for _ in range(4):
            number, path = next(_numbers), nodes[0].path
            parameters: list[Node] = [
                Parameter.make((), (number, k, level, path), path, kind, None) for k, kind in enumerate(types)
            ]
            steps, condition = _trace(names, parameters, step, until)
            wider = [common([kind, new.type]) for kind, new in zip(types, steps)]
            captured = _captured_elements(path, [*steps, condition])
            if wider == types and not captured:
                break
            types, nodes = wider, nest_together([*nodes, *captured])[: len(nodes)]
    finally:
        _level.reset(token)
    _check(parameters, steps, condition)
    return nodes, parameters, steps, condition


def _captured_elements(path: Path, results: Sequence[Node]) -> list[Node]:
    """Elements of lambdas around the loop that its steps use, and that its state knows nothing of."""
    beyond = {axis for node in results for axis in node.path if is_current(axis) and axis not in path}
    return [node for node in walk(results) if isinstance(node, Current) and node.axis in beyond]


def _bound(max_iterations: Any) -> int:
    if isinstance(max_iterations, bool) or not isinstance(max_iterations, int) or max_iterations < 1:
        msg = f"max_iterations={shown(max_iterations)} is not possible"
        raise UsageError(msg, hint="it is a positive number")
    return max_iterations


def _trace(
    names: Sequence[str] | None, parameters: Sequence[Node], step: Callable[..., Any], until: Callable[..., Any]
) -> tuple[list[Node], Node]:
    """The next state and the condition, as functions of the parameters."""
    structure = _structure(names, [wrap(parameter) for parameter in parameters], None)
    given, values = _members(called(step, structure, parameters[0]))
    if names is not None and given is not None and set(given) == set(names):
        by_name = dict(zip(given, values))
        given, values = list(names), [by_name[name] for name in names]
    if given != names or len(values) != len(parameters):
        msg = f"the step gives {_shape(given, values)}, and not a state of the same structure"
        raise RecordingError(msg, hint="return as many values as the state has, under the same names")
    steps = [per_row(parameters[0], node_of(value, "iterate over")) for value in values]
    condition = per_row(parameters[0], node_of(called(until, structure, parameters[0]), "iterate until"))
    return steps, condition


def _shape(names: Sequence[str] | None, values: Sequence[Any]) -> str:
    return "one value" if names is None else f"{len(values)} values ({', '.join(names)})"


def _check(parameters: Sequence[Node], steps: Sequence[Node], condition: Node) -> None:
    for node in (*steps, condition):
        if node.path != parameters[0].path:
            msg = "the step gives values of other rows than the state"
            raise RecordingError(msg, values=[("state", parameters[0].text), ("step", node.text)])
    if not (isinstance(condition.type, Number) and condition.type.dtype.kind == "b"):
        msg = f"the condition of iterate gives {condition.type}, which is no truth value"
        raise RecordingError(msg, hint="return a comparison: lambda x: x < 10")


def _members(state: Any) -> tuple[list[str] | None, list[Any]]:
    """The names of a state, None where it is one value, and its values."""
    if isinstance(state, Mapping):
        return [str(name) for name in state], list(state.values())
    if isinstance(state, (tuple, list)):
        return [str(number) for number in range(len(state))], list(state)
    return None, [state]


def _structure(names: Sequence[str] | None, values: list[Any], like: Any) -> Any:
    if names is None:
        return values[0]
    if isinstance(like, Mapping) or (like is None and not all(name.isdigit() for name in names)):
        return dict(zip(names, values))
    return tuple(values)
