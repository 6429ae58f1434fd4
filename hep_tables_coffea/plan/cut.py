"""Where a program is cut: what a back end near the data delivers, and the rest over what it delivers.

The columns of the cut are the furthest that the back end can compute. They become a table with a schema of its own, and
the outputs are made again over that table: everything after the cut is a program like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from hep_tables_coffea.errors import BackendError
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis, Path, derives, steps
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.again import Again, Clash
from hep_tables_coffea.plan.demand import Demand, anchor_paths, chunk_nodes, readable
from hep_tables_coffea.plan.table import (
    constant_leaf,
    count_of,
    is_events,
    is_product,
    make_table,
    own_axes,
    stored_field,
)
from hep_tables_coffea.plugins.protocol import Support, Upstream
from hep_tables_coffea.types.dataset import Dataset
from hep_tables_coffea.types.elements import Number, Record

__all__ = ["Cut", "make_cut"]

#: Columns that tell an event from all others: they are delivered too, so that deliveries can be joined.
IDENTITY = ("run", "luminosityBlock", "event", "lumi")


@dataclass(frozen=True, slots=True)
class Cut:
    """What is delivered, and the outputs over that.

    `columns` are the delivered columns by name, `events` the axis of the events that are: all of them, or what a filter
    leaves. `dataset` has the schema of the delivered table, and the samples of the original one. `moved` are dataset-wide
    values that stand in for those of the original program.
    """

    upstream: str
    columns: Mapping[str, g.Node]
    events: Axis
    dataset: Dataset
    outputs: Mapping[str, g.Node]
    refusals: tuple[tuple[g.Node, str], ...] = ()
    moved: Mapping[g.Node, g.Node] = field(default_factory=dict)


def make_cut(outputs: Mapping[str, g.Node], upstream: Upstream, dataset: Dataset) -> Cut:
    """The cut of a program that leaves to the upstream back end all that it can do.

    Raises `BackendError` where a stored column that is needed cannot be delivered, with the reason.
    """
    made_here: set[Path] = set()
    while True:
        frontier = _Frontier(outputs, upstream, made_here)
        table = make_table(dataset, frontier.columns(), frontier.tables, frontier.collections(), _names(outputs))
        again = Again(table, frontier.demand)
        try:
            moved = {name: again.output(node) for name, node in outputs.items()}
        except Clash as clash:
            if clash.rows in made_here:
                raise
            made_here.add(clash.rows)
            continue
        refusals = tuple(frontier.refusals())
        return Cut(upstream.name, table.columns, frontier.events, table.dataset, moved, refusals, again.constants)


def _names(outputs: Mapping[str, g.Node]) -> dict[g.Node, str]:
    """A name for each column of an output."""
    found: dict[g.Node, str] = {}
    for name, node in outputs.items():
        if isinstance(node, g.Fill):
            for members in node.fills:
                for axis, place in members:
                    found.setdefault(node.args[place], f"{name}_{axis}")
        elif node.path and isinstance(node.type, Record):
            for field_name in readable(node) if not isinstance(node, g.Behave) else ():
                found.setdefault(build.field(node, field_name), f"{name}_{field_name}")
        else:
            for one in chunk_nodes({name: node}):
                found.setdefault(one, name)
    return found


class Capability:
    """What a back end can compute with all that it needs, asked once for each node."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._known: dict[g.Node, Support] = {}

    def __call__(self, node: g.Node) -> Support:
        """Yes, or no and the reason: of the node, or of the first that it needs."""
        for one in walk([node], self._needs):
            if one not in self._known:
                refused = next((s for s in map(self._known.__getitem__, self._needs(one)) if not s), None)
                self._known[one] = self._upstream.supports(one) if refused is None else refused
        return self._known[node]

    def _needs(self, node: g.Node) -> Iterable[g.Node]:
        known = self._known.get(node)
        return () if known is not None else self._upstream.needs(node)

    def own(self, node: g.Node) -> Support:
        """Of the node alone, given what it needs."""
        return self._upstream.supports(node)


class _Frontier:
    """Which nodes are delivered: the furthest, so that of each collection all are on the same rows."""

    def __init__(self, outputs: Mapping[str, g.Node], upstream: Upstream, made_here: set[Path]) -> None:
        #: Rows that the program makes, and that are not delivered.
        self._made_here = made_here
        self.can = Capability(upstream)
        roots = chunk_nodes(outputs)
        self._counts = [root for root in roots if is_position(root)]
        self._roots = [root for root in roots if not is_position(root)]
        self._answers = set(_leaves(self._roots))
        #: Of each collection the rows that are delivered: the collection, or what a filter leaves of it.
        self.tables: dict[Axis, Axis] = {}
        while True:
            self.demand = Demand([*self._roots, *self._masks()], self._takes)
            found = self._common()
            if found == self.tables:
                break
            self.tables = found

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
            if len(node.path) < 2 or isinstance(node.type, Record):
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
        return list(taken) + self._identity(bool(taken))

    def _identity(self, others: bool) -> list[g.Node]:
        """What tells an event from another; some value of each event where there is no other column."""
        source = self._source
        stored = [build.field(source, name) for name in source.type.fields]  # type: ignore[union-attr]
        plain = [node for node in stored if isinstance(node.type, Number) and constant_leaf(node) is None]
        values = [build.restrict(build.shrunk(node, 1), (self.events,)) for node in plain]
        known = [made for node, made in zip(plain, values) if node.name in IDENTITY and self.can(made)]
        return known or ([] if others else list(islice(filter(self.can, values), 1)))

    @property
    def _source(self) -> g.Node:
        return build.source_of(next(node for node in walk([*self._roots, *self._counts]) if isinstance(node, g.Source)))

    def _refuse_stored(self, node: g.Node) -> None:
        if isinstance(node, g.Field) and node.name != build.ROW and not isinstance(node.args[0], g.Behave):
            reason = self.can(node).reason or "its rows are not those of the others"
            msg = f"the column {node.name!r} cannot be delivered: {reason}"
            raise BackendError(msg, values=[("column", node.text)], where=node.where)

    def refusals(self) -> list[tuple[g.Node, str]]:
        """The first nodes that are left, and why."""
        found = []
        for node in self.demand.order:
            if not self._takes(node) and node.path and not is_position(node):
                own = self.can.own(node)
                if not own:
                    found.append((node, own.reason))
        return found

    def _takes(self, node: g.Node) -> bool:
        """Whether a node is delivered, or as good as that."""
        if not node.path or not isinstance(node.type, Number) or not is_events(node.path[0].base):
            return False
        if self._made_here and stored_field(node) is None and not self._made_here.isdisjoint(_prefixes(node.path)):
            return False
        if any(self.tables.get(axis.base, axis) is not axis for axis in own_axes(node.path)):
            return False
        if _is_constant(node):
            return True
        if is_position(node) or not _is_of_columns(node):
            return False
        if node not in self._answers and is_product(node.path):
            return False  # there would be more of it than of what it is made of
        return bool(self.can(node))

    def _common(self) -> dict[Axis, Axis]:
        """Of each collection the smallest set of rows that has all that is needed."""
        found: dict[Axis, Axis] = {}
        for path in self._paths():
            for axis in own_axes(path):
                known = found.get(axis.base, self.tables.get(axis.base))
                found[axis.base] = axis if known is None else _ancestor(known, axis)
        return found

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
                for step in steps(table, axis) if table is not axis else []:
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


def _is_of_columns(node: g.Node) -> bool:
    """Whether a value depends on what is stored."""
    return any(isinstance(one, g.Field) and not isinstance(one.type, Record) for one in walk([node]))


def _prefixes(path: Path) -> set[Path]:
    rows = tuple(axis.base for axis in path)
    return {rows[:k] for k in range(len(rows) + 1)}


def _leaves(roots: Sequence[g.Node]) -> Iterable[g.Node]:
    """The columns of outputs that may be records."""
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if isinstance(node.type, Record) and not isinstance(node, g.Behave):
            waiting += [build.field(node, name) for name in readable(node)]
        else:
            yield node
