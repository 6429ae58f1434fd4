"""Structures of outputs: any nest of tuples, lists and dicts of recorded values, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from weakref import WeakSet

from hep_tables_coffea.errors import RecordingError, UsageError
from hep_tables_coffea.graph.nodes import Current, Fill, Iterate, Node, Parameter
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.record.array import Array
from hep_tables_coffea.record.columns import as_record
from hep_tables_coffea.record.histogram import RecordedHist
from hep_tables_coffea.record.values import shown

__all__ = ["flatten", "named"]

Rebuild = Callable[[list[Any]], Any]


def flatten(structure: Any) -> tuple[dict[str, Node], Callable[[Mapping[str, Any]], Any]]:
    """The recorded values of a structure, each with a name, and a function from answers to the structure."""
    nodes: dict[str, Node] = {}
    rebuild = _visit(structure, "", nodes)
    if not nodes:
        msg = "there is nothing recorded to compute"
        raise UsageError(msg, hint="give recorded values or histograms, or structures of them")
    _check_parameters(nodes.values())
    return {name: as_record(node) for name, node in nodes.items()}, rebuild


def _visit(part: Any, name: str, nodes: dict[str, Node]) -> Callable[[Mapping[str, Any]], Any]:
    if isinstance(part, RecordedHist) and part.empty:
        made = part.template()
        return lambda answers: made.copy()
    if isinstance(part, (Array, RecordedHist)):
        key = _unique(name or _default(part._node), nodes)
        nodes[key] = part._node
        return lambda answers: answers[key]
    if isinstance(part, Mapping):
        members = {k: _visit(v, f"{name}_{k}" if name else str(k), nodes) for k, v in part.items()}
        return lambda answers: {k: member(answers) for k, member in members.items()}
    if isinstance(part, (list, tuple)):
        kind = type(part)
        items = [_visit(item, f"{name}_{k}" if name else "", nodes) for k, item in enumerate(part)]
        return lambda answers: _sequence(kind, [item(answers) for item in items])
    if hasattr(part, "__array__") or part is None or isinstance(part, (int, float, str, bool)):
        return lambda answers: part
    msg = f"{shown(part)} is no output"
    raise UsageError(msg, hint="outputs are recorded values, histograms, and tuples, lists and dicts of them")


#: Outputs that were looked at before.
_complete: WeakSet[Node] = WeakSet()


def _check_parameters(nodes: Iterable[Node]) -> None:
    """An error where the parameter of a lambda or of a loop has got out of it."""
    fresh = [node for node in nodes if node not in _complete]
    for one in walk(fresh, lambda n: n.args[: n.size] if isinstance(n, Iterate) else n.needs):
        if isinstance(one, (Current, Parameter)):
            msg = "the parameter of a lambda is used outside of it"
            raise RecordingError(msg, values=[("value", one.text)], where=one.where, hint="return it from the lambda")
    _complete.update(fresh)


def _sequence(kind: type, items: list[Any]) -> Any:
    return kind(*items) if hasattr(kind, "_fields") else kind(items)


def _default(node: Node) -> str:
    return "histogram" if isinstance(node, Fill) else "output"


def _unique(name: str, nodes: Mapping[str, Node]) -> str:
    if name not in nodes:
        return name
    number = 2
    while f"{name}_{number}" in nodes:
        number += 1
    return f"{name}_{number}"


def named(structure: Any) -> dict[str, Node]:
    """The outputs of a processor: what a dict names, or `output`, `output_2`, ..."""
    return flatten(structure)[0]
