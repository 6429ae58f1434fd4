"""A query for some columns of a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hep_tables_coffea.backends.servicex.query.array_query import ArrayQuery
from hep_tables_coffea.backends.servicex.query.capability import supports
from hep_tables_coffea.backends.servicex.query.dialect import Dialect
from hep_tables_coffea.backends.servicex.query.loop_query import LoopQuery
from hep_tables_coffea.backends.servicex.query.lowering import needs, on_all_events, resolved, selecting, standin
from hep_tables_coffea.codegen.hints import name_hints
from hep_tables_coffea.errors import BackendError
from hep_tables_coffea.graph import functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import steps
from hep_tables_coffea.graph.traverse import walk

__all__ = ["write_query"]


def write_query(columns: Mapping[str, g.Node], keep: g.Node | None, dialect: Dialect, tree: str | None) -> str:
    """The query that delivers some columns, as qastle text.

    A list that would be delivered alone comes with the number of its rows, `<name>_count`: the code generator of uproot
    makes records of a single column.

    Args:
        columns: the name of each delivered column, and its node: numbers on `event`, `event * Jet`, ...
        keep: a condition on events that those delivered fulfil, or None. The columns are then on all events or on those
            that it keeps.
        dialect: `UPROOT` or `XAOD`.
        tree: the name of the tree, or None where the code generator finds it.

    Raises:
        BackendError: a column cannot be had like this; the message has the reason.

    Example:
        >>> import hep_tables_coffea as ht
        >>> from hep_tables_coffea.backends.servicex.query import UPROOT, as_func_adl, write_query
        >>> events = ht.nanoaod(ht.samples.nanoaod("events.root", 100))  # doctest: +SKIP
        >>> print(as_func_adl(write_query({"pt": (events.Jet.pt / 1000)._node}, None, UPROOT, "Events")))  # doctest: +SKIP
        FuncADL_Uproot().FromTree('Events')
            .Select(lambda e: {'pt': e.Jet_pt / 1000, 'pt_count': e.Jet_pt.Count()})
    """
    if len(columns) == 1 and dialect.columnar:
        columns = {**columns, **_counts(*next(iter(columns.items())))}
    masks = _masks(keep)
    _check([*columns.values(), *map(selecting, masks)], masks, dialect)
    moved = on_all_events([*columns.values(), *map(selecting, masks)])

    def made(node: g.Node) -> g.Node:
        return resolved(moved[node], dialect)

    names = {made(node): name for node, name in name_hints(moved).items()}
    outputs = {name: made(node) for name, node in columns.items()}
    conditions = [made(selecting(mask)) for mask in masks]
    if dialect.columnar:
        return ArrayQuery(outputs, conditions, names).write(tree)
    return LoopQuery(outputs, conditions, names).write()


def _counts(name: str, node: g.Node) -> dict[str, g.Node]:
    return {f"{name}_count": functions.reduce("num", standin(node))} if len(node.path) > 1 else {}


def _masks(keep: g.Node | None) -> list[g.Node]:
    """The conditions that events fulfil, one after the other."""
    if keep is None:
        return []
    events = keep.path[0]
    before = steps(events.base, events) if events is not events.base else []
    return [step.node for step in before if step.node is not None] + [keep]


def _check(nodes: Sequence[g.Node], masks: Sequence[g.Node], dialect: Dialect) -> None:
    for node in walk(nodes, lambda node: needs(node, dialect)):
        answer = supports(node, dialect)
        if not answer:
            msg = f"this cannot be part of a query: {answer.reason}"
            raise BackendError(msg, values=[("column", node.text)], where=node.where)
    for node in nodes:
        events = node.path[0]
        for step in steps(events.base, events) if events is not events.base else []:
            if step.node not in masks:
                msg = "columns of some events are asked for, and other events are delivered"
                raise BackendError(msg, values=[("column", node.text), ("events", step.rows_text())], where=node.where)
