"""A query for some columns of a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hep_tables_coffea.backends.servicex.query import text
from hep_tables_coffea.backends.servicex.query.arrays import EVENT, Arrays
from hep_tables_coffea.backends.servicex.query.capability import supports
from hep_tables_coffea.backends.servicex.query.dialect import Dialect
from hep_tables_coffea.backends.servicex.query.lowering import column_of, needs, on_all_events, standin
from hep_tables_coffea.backends.servicex.query.steps import Steps, resolved
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
    if len(columns) == 1:
        columns = {**columns, **_counts(*next(iter(columns.items())))}
    masks = _masks(keep)
    _check([*columns.values(), *masks], masks, dialect)
    moved = on_all_events([*columns.values(), *masks])
    names = {resolved(moved[node]): name for node, name in name_hints(moved).items()}
    outputs = {name: resolved(moved[node]) for name, node in columns.items()}
    return _Query(dialect, outputs, [resolved(moved[mask]) for mask in masks], names).write(tree)


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
    for node in walk(nodes, needs):
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


class _Query:
    """The steps of one query, written from the last to the first, as each must hand on what the next one uses."""

    def __init__(
        self, dialect: Dialect, outputs: Mapping[str, g.Node], masks: Sequence[g.Node], names: Mapping[g.Node, str]
    ) -> None:
        self.dialect, self.outputs, self.masks = dialect, outputs, masks
        self.steps = Steps([*outputs.values(), *masks], names)
        self.writer = Arrays(dialect, self.value)
        self._used: dict[str, None] = {}
        self._level = 0

    def value(self, node: g.Node) -> str:
        """The text of a node at the current step."""
        node = resolved(node)
        if isinstance(node, g.Field) and node not in self.steps.names:
            return self._column(column_of(node))
        if node in self.steps.names and self.steps.level[node] < self._level:
            return self._column(self.steps.names[node])
        return self.writer.write(node)

    def _column(self, name: str) -> str:
        self._used[name] = None
        return self.writer.column(name)

    def write(self, tree: str | None) -> str:
        """The whole query."""
        ready = self.steps.available
        last = max(ready(node) for node in [*self.outputs.values(), *self.masks])
        found: list[tuple[str, str]] = []
        for level in reversed(range(last + 1)):
            wanted, self._used, self._level = self._used, {}, level
            members = self._handed_on(wanted) if level < last else self._delivered()
            found.append(("Select", text.dictionary(members)))
            conditions = [mask for mask in self.masks if ready(mask) == level]
            found += [("Where", self.value(mask)) for mask in reversed(conditions)]
        made = text.events(tree)
        for name, body in reversed(found):
            made = text.call(name, made, text.function([EVENT], body))
        return made

    def _delivered(self) -> dict[str, str]:
        return {name: self.value(node) for name, node in self.outputs.items()}

    def _handed_on(self, wanted: Mapping[str, None]) -> dict[str, str]:
        """What later steps use: what this one makes, and what it only hands on."""
        made = {name: node for node, name in self.steps.names.items() if self.steps.level[node] == self._level}
        return {name: self.value(made[name]) if name in made else self._column(name) for name in wanted}
