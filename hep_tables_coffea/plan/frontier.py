"""The frontier of a program: the furthest columns that a back end near the data can compute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice

from hep_tables_coffea.errors import BackendError, Where
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis, Path, derives, steps
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.capability import Capability
from hep_tables_coffea.plan.demand import Demand
from hep_tables_coffea.plan.needs import anchor_paths, chunk_nodes, readable
from hep_tables_coffea.plan.table import constant_leaf, count_of, is_events, is_product, own_axes, stored_field
from hep_tables_coffea.types.elements import Number, Record

__all__ = ["Frontier"]

#: Columns that tell an event from all others: they are delivered too, so that deliveries can be joined.
IDENTITY = ("run", "luminosityBlock", "event", "lumi", "runNumber", "lumiBlock", "eventNumber")
#: Records of the event in which they may be.
ABOUT = ("EventInfo",)


class Frontier:
    """Which nodes are delivered: the furthest, so that of each collection all are on the same rows.

    `refused` are rows that are not delivered: some that the program makes, and some that cannot be counted. `needed` are
    values that are needed besides those of the outputs.
    """

    def __init__(
        self, outputs: Mapping[str, g.Node], can: Capability, refused: AbstractSet[Path], needed: Iterable[g.Node]
    ) -> None:
        self.can, self._refused = can, refused
        answers = chunk_nodes(outputs)
        roots = [*answers, *needed]
        self._counts = [root for root in roots if is_position(root)]
        self._roots = [root for root in roots if not is_position(root)]
        self._answers = set(_leaves(answers))
        self._answers |= {half for answer in self._answers for half in can.halves(answer)}
        #: Of each collection the rows that are delivered: the collection, or what a filter leaves of it.
        self.tables: dict[Axis, Axis] = {}
        self._taken: dict[g.Node, bool] = {}
        while True:
            self.demand = Demand([*self._roots, *self._masks()], self._takes, self._halves)
            found = self._common()
            if found == self.tables:
                break
            self.tables = found
            self._taken.clear()

    @property
    def events(self) -> Axis:
        return next((axis for base, axis in self.tables.items() if is_events(base)), self._source.path[0])

    def collections(self) -> dict[Axis, g.Node]:
        """Of each collection a value on the rows that are delivered."""
        found: dict[Axis, g.Node] = {}
        wanted = {axis.base for node in self.demand.order if self._takes(node) for axis in node.path[:2]}
        wanted |= {base for base in self.tables if base.kind == "rows"}
        anchors = [arg for node in self.demand.order if not self._takes(node) for arg in node.args]
        for node in walk([*self.demand.order, *self._counts, *map(build.anchor, anchors)]):
            if len(node.path) < 2 or isinstance(node.type, Record) or not is_events(node.path[0].base):
                continue
            table = tuple(self.tables.get(axis.base, axis) for axis in node.path[:2])
            base = table[-1].base
            if base in wanted & self.tables.keys() and base not in found and all(map(derives, table, node.path)):
                rows = build.restrict(build.shrunk(node, 2), table)
                if self.can(count_of(rows)):
                    found[base] = rows
        return found

    def columns(self) -> list[g.Node]:
        """What is delivered, and what is the same for all rows."""
        taken: dict[g.Node, None] = {}
        for node in self.demand.order:
            if not self._takes(node):
                self._refuse_stored(node)
            elif not _is_constant(node):
                taken[node] = None
            leaf, own = constant_leaf(node), stored_field(node)
            if leaf is not None and own is not None:
                taken[build.restrict(build.field(own.args[0], leaf.like), node.path)] = None
                taken[node] = None
        return list(dict.fromkeys([*taken, *self._identity(bool(taken))]))

    def _identity(self, others: bool) -> list[g.Node]:
        """What tells an event from another; some value of each event where there is no other column."""
        known = [value for value in map(self._per_event, self._telling()) if self.can(value)]
        if known or others:
            return known
        stored = (build.field(self._source, name) for name in self._fields)
        plain = (node for node in stored if isinstance(node.type, Number) and constant_leaf(node) is None)
        return list(islice(filter(self.can, map(self._per_event, plain)), 1))

    def _telling(self) -> list[g.Node]:
        """The stored columns that tell an event from all others."""
        for record in (self._source, *(build.field(self._source, name) for name in ABOUT if name in self._fields)):
            assert isinstance(record.type, Record)
            if len(record.path) == 1 and set(IDENTITY) & set(record.type.fields):
                return [build.field(record, name) for name in IDENTITY if name in record.type.fields]
        return []

    @property
    def _fields(self) -> tuple[str, ...]:
        assert isinstance(self._source.type, Record)
        return self._source.type.fields

    def _per_event(self, node: g.Node) -> g.Node:
        return build.restrict(build.shrunk(node, 1), (self.events,))

    @property
    def _source(self) -> g.Node:
        return build.source_of(next(node for node in walk([*self._roots, *self._counts]) if isinstance(node, g.Source)))

    def _refuse_stored(self, node: g.Node) -> None:
        if isinstance(node, g.Field) and node.name != build.ROW and not isinstance(node.args[0], g.Behave):
            reason = self.can(node).reason or "its rows cannot be counted"
            msg = f"the column {node.name!r} cannot be delivered: {reason}"
            raise BackendError(msg, values=[("column", node.text)], where=self.demand.where(node))

    def refusals(self) -> list[tuple[g.Node, str]]:
        """The first nodes that are left, and why; of each line once."""
        found: dict[tuple[Where, str], g.Node] = {}
        for node in self.demand.order:
            if not self._takes(node) and node.path and not is_position(node) and not self._halves(node):
                own = self.can.own(node)
                node.where = self.demand.where(node)
                if not own:
                    found.setdefault((node.where, own.reason), node)
        return [(node, reason) for (_, reason), node in found.items()]

    def _takes(self, node: g.Node) -> bool:
        """Whether a node is delivered, or as good as that."""
        if node not in self._taken:
            self._taken[node] = self._can_be_taken(node)
        return self._taken[node]

    def _halves(self, node: g.Node) -> Sequence[g.Node]:
        """What is delivered of a value that cannot be as it is."""
        halves = self.can.halves(node)
        return halves if all(map(self._takes, halves)) else ()

    def _can_be_taken(self, node: g.Node) -> bool:
        if not node.path or not isinstance(node.type, Number) or not is_events(node.path[0].base):
            return False
        if self._refused and not self._refused.isdisjoint(_rows_of(node)):
            return False
        if any(self.tables.get(axis.base, axis) is not axis for axis in own_axes(node.path)):
            return False
        if _is_constant(node):
            return True
        if is_position(node) or not self.can.is_of_columns(node):
            return False
        if is_product(node.path) and (node not in self._answers or _is_repeated(node)):
            return False  # there would be more of it than of what it is made of
        return bool(self.can(node))

    def _common(self) -> dict[Axis, Axis]:
        """Of each collection the smallest set of rows that has all that is needed."""
        found: dict[Axis, Axis] = {}
        for path in self._paths():
            for axis in own_axes(path) if path and is_events(path[0].base) else ():
                known = found.get(axis.base, self.tables.get(axis.base))
                found[axis.base] = axis if known is None else _ancestor(known, axis)
        events = tuple(axis for base, axis in found.items() if is_events(base))
        return {base: _selectable(events, axis) for base, axis in found.items()}

    def _paths(self) -> Iterable[Path]:
        for node in self.demand.order:
            if not _is_constant(node):
                yield node.path
            if not self._takes(node):
                yield from map(self._countable, anchor_paths(node))
        for node in [*self._counts, *filter(_is_constant, self._roots)]:
            yield self._countable(node.path)

    def _countable(self, path: Path) -> Path:
        """The rows of a path of which only the number is asked; more of them where upstream cannot select these."""
        found: Path = ()
        for axis in own_axes(path):
            axis = _selectable(found, axis)
            while axis.parent is not None and not self._selects((*found, axis)):
                axis = axis.parent
            found = (*found, axis)
        return found

    def _selects(self, path: Path) -> bool:
        """Whether upstream knows which rows these are."""
        base = tuple(axis.base for axis in path)
        stored = walk([*self._roots, *self._counts])
        node = next((one for one in stored if one.path == base and not isinstance(one.type, Record)), None)
        if node is None:
            return False
        return bool(self.can(build.restrict(node, path) if len(path) == 1 else count_of(build.restrict(node, path))))

    def _masks(self) -> list[g.Node]:
        """What selects rows of those that are delivered, where only their number is needed."""
        paths = [node.path for node in self._counts]
        if self.tables:
            paths += [path for node in self.demand.order if not self._takes(node) for path in anchor_paths(node)]
        found: dict[g.Node, None] = {}
        for path in paths:
            for k, axis in enumerate(own_axes(path)):
                table = self.tables.get(axis.base, axis)
                for step in steps(table, axis) if derives(axis, table) else []:
                    if step.node is not None:
                        found[build.restrict(step.node, (*path[:k], *step.node.path[k:]))] = None
        return list(found)


def _ancestor(one: Axis, other: Axis) -> Axis:
    """The smallest set of rows that both are from."""
    lineage = set(one.lineage())
    return next(axis for axis in other.lineage() if axis in lineage)


def is_position(node: g.Node) -> bool:
    """Whether a node is the position of a stored row: of it, mostly only how many there are is asked."""
    while isinstance(node, g.Restrict):
        node = node.args[0]
    return isinstance(node, g.Field) and node.name == build.ROW


def _is_constant(node: g.Node) -> bool:
    """Whether a value is the same for all rows of a sample, and is not stored."""
    if constant_leaf(node) is not None:
        return True
    while isinstance(node, g.Restrict):
        node = node.args[0]
    if isinstance(node, g.Call):
        return not any(isinstance(arg.type, Record) for arg in node.args) and all(map(_is_constant, node.args))
    return isinstance(node, (g.Metadata, g.Literal))


def _is_repeated(node: g.Node) -> bool:
    """Whether a value is a stored one, for rows that are combinations."""
    while isinstance(node, (g.Restrict, g.Side, g.Nest)):
        node = node.args[node.slot if isinstance(node, g.Side) else 0]
    return isinstance(node, g.Field)


def _selectable(outer: Path, axis: Axis) -> Axis:
    """The smallest set of rows for which what selects them is known on all of the rows around."""
    masks = [step.node for step in axis.lineage() if step.node is not None]
    if axis.parent is None or all(derives(one, other) for mask in masks for one, other in zip(outer, mask.path)):
        return axis
    return _selectable(outer, axis.parent)


def _rows_of(node: g.Node) -> Iterable[Path]:
    """What a value is on: its rows, and of a computed one those that they come from."""
    path = node.path
    yield path[:2]
    if stored_field(node) is None:
        bases = tuple(axis.base for axis in path)
        yield from (bases[:k] for k in range(2, len(path) + 1))


def _leaves(roots: Sequence[g.Node]) -> Iterable[g.Node]:
    """The columns of outputs that may be records."""
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if isinstance(node.type, Record) and not isinstance(node, g.Behave):
            waiting += [build.field(node, name) for name in readable(node)]
        else:
            yield node
