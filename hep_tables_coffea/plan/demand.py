"""What a program needs: which fields of which records, how often each value is used, where a value can be found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from hep_tables_coffea.errors import Where
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Path
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.cheaper import cheaper, is_place
from hep_tables_coffea.plan.lower import last_step, lower_counts
from hep_tables_coffea.plan.needs import anchor_paths, captured, gathers, is_moved, is_record, readable
from hep_tables_coffea.types.elements import Record
from hep_tables_coffea.types.schema import Leaf

__all__ = ["Demand"]

_PLAIN = (g.Field, g.Restrict, g.Side, g.Nest, g.Flatten, g.Join)


class Demand:
    """The needs of some outputs, found once before any code is written.

    With `given`, what it is true of is had from elsewhere: it is in `order`, and what it is made of is not. Records whose
    rows are filtered or combined are then looked at column by column, and values after their rows were selected. `instead`
    says of what a value is made in another way than recorded.
    """

    def __init__(
        self,
        outputs: Iterable[g.Node],
        given: Callable[[g.Node], bool] | None = None,
        instead: Callable[[g.Node], Sequence[g.Node]] = lambda node: (),
    ) -> None:
        self._given, self._instead = given, instead
        self._lowered: dict[g.Node, g.Node] = {}
        self._origins: dict[g.Node, g.Node] = {}
        self.uses: Counter[g.Node] = Counter()
        self.twins: dict[g.Node, tuple[g.Node, str]] = {}
        self.order: list[g.Node] = []
        self._fields: dict[g.Node, dict[str, None]] = {}
        self._vectors: set[g.Node] = set()
        self._on_path: dict[Path, list[g.Node]] = {}
        self._waiting: list[g.Node] = []
        outputs = list(outputs)
        self._recorded = set(walk(outputs))
        #: Nodes with a later serial are made here, and not by the user.
        self.newest = max((node.serial for node in self._recorded), default=0)
        self._places: dict[g.Node, Where] = {}
        for output in outputs:
            self._use(output)
        while self._waiting:
            self._expand(self._waiting.pop())
        self._find_twins()
        self._count_anchors()

    # -- collecting --

    def _use(self, node: g.Node, user: g.Node | None = None) -> None:
        if is_record(node):
            assert isinstance(node.type, Record)
            self._ask(node, readable(node), vector=False)
            return
        lowered = self.lowered(node)
        if lowered is not node:
            self._origins.setdefault(lowered, node)
        for made, origin in ((node, user), (lowered, node)):
            if origin is not None and made.serial > self.newest:
                self._places.setdefault(made, self.where(origin))
        node = lowered
        self.uses[node] += 1
        if self.uses[node] == 1:
            self._waiting.append(node)
            self.order.append(node)
            if isinstance(node, _PLAIN):
                self._on_path.setdefault(node.path, []).append(node)

    def _expand(self, node: g.Node) -> None:
        if not node.path or (self._given is not None and self._given(node)):
            return  # a constant, or a value of the whole dataset that is known before; or from elsewhere
        instead = self._instead(node)
        if instead:
            for need in instead:
                self._use(need, node)
            return
        if isinstance(node, g.Behave):
            if node in self._origins:
                self._origins.update(zip(node.args, self._origins[node].args))
            for arg, touched in zip(node.args, node.touched):
                if is_record(arg):
                    self._ask(arg, functions.needed_fields(arg, touched), vector=True)
                else:
                    self._use(arg, node)
            return
        if isinstance(node, g.Field) and not isinstance(node.args[0], g.Behave):
            self._constant(node)
            return
        for need in self._direct(node):
            self._use(need, node)

    def _constant(self, node: g.Field) -> None:
        record = node.args[0].type
        leaf = record.group.fields.get(node.name) if isinstance(record, Record) and record.group else None
        if isinstance(leaf, Leaf) and leaf.constant is not None:
            self._use(build.field(node.args[0], leaf.like))

    def _direct(self, node: g.Node) -> list[g.Node]:
        """The values that the code of a node names; anchors, of which only the counts matter, are found later."""
        if isinstance(node, g.Restrict):
            if self._given is not None and _is_elementwise(node.args[0]):
                return [_restricted(arg, node.path) for arg in node.args[0].args if arg.path]
            inner, k, step = last_step(node)
            index = [build.restrict(step.node, inner.path[:k] + step.node.path[k:])] if step.node is not None else []
            return [inner, *index]
        if isinstance(node, g.Metadata):
            return []
        if isinstance(node, g.Side):
            return [] if self._given is None and is_place(node.args[node.slot]) else [node.args[node.slot]]
        if isinstance(node, g.Iterate):
            return [*node.args[: node.size], *captured(node)]
        if isinstance(node, g.Nest):
            return [node.args[0]]
        if isinstance(node, g.Pick) and len(node.args) == 2 and gathers(node):
            return [node.args[0].args[0], node.args[1]]
        if isinstance(node, g.Call) and node.function == "ht.broadcast":
            return [node.args[0]]
        return list(node.args)

    def _ask(self, record: g.Node, fields: Iterable[str], vector: bool) -> None:
        if isinstance(record, g.Behave):
            self._use(record)
            return
        self.uses[record] += 1
        if vector:
            self._vectors.add(record)
        known = self._fields.setdefault(record, {})
        new = [name for name in fields if name not in known]
        known.update(dict.fromkeys(new))
        if is_moved(record) and not self._by_column(record):
            inner, *others = self._direct(record)
            self._ask(inner, new if new else [], vector)
            if self.uses[record] == 1:
                for other in others:
                    self._use(other)
        else:
            for name in new:
                self._use(build.field(record, name))

    def _by_column(self, record: g.Node) -> bool:
        """Whether a record is some rows of a stored collection, of which none is missing as a whole."""
        if self._given is None or not isinstance(record, g.Restrict) or record.type.option:
            return False
        return isinstance(record.args[0], (g.Field, g.Source))

    def _find_twins(self) -> None:
        for record, names in self._fields.items():
            if is_moved(record):
                for name in names:
                    leaf = build.field(record, name)
                    in_missing = record.type.option and len(leaf.path) > len(record.path)
                    if not is_record(leaf) and not in_missing:
                        self.twins[leaf] = (record, name)
                        self.uses[record] += leaf in self.uses

    def _count_anchors(self) -> None:
        """Columns that serve as anchors are used once more, so that they become variables."""
        for node in list(self.order):
            for path in anchor_paths(node):
                column = self.column_on(path)
                if column is not None:
                    self.uses[column] += 1

    # -- asking --

    def lowered(self, node: g.Node) -> g.Node:
        """A value as it is computed."""
        if node not in self._lowered:
            self._lowered[node] = cheaper(node, self._recorded) if self._given is None else lower_counts(node)
        return self._lowered[node]

    def recorded(self) -> dict[g.Node, g.Node]:
        """The values and records that are needed as the user wrote them, and as they are computed."""
        pairs = ((self._origins.get(node, node), node) for node in self.order + self.records)
        return {origin: node for origin, node in pairs if origin.serial <= self.newest}

    def where(self, node: g.Node) -> Where:
        """The user's line: of a node that is made here, that of the node for which it is made."""
        return self._places.get(node, node.where)

    @property
    def source(self) -> g.Node:
        """The events."""
        return next(node for node in walk(self.order) if isinstance(node, g.Source))

    def in_order(self) -> list[g.Node]:
        """The values, each after those that its code names: written in this order, none is nested deeply."""
        return [node for node in walk(self.order, self._named) if self.uses[node] and not is_record(node)]

    def _named(self, node: g.Node) -> list[g.Node]:
        node = self.lowered(node)
        if not node.path:
            return []
        if isinstance(node, g.Field) and not isinstance(node.args[0], g.Behave):
            return []
        if is_moved(node) or not is_record(node):
            return [need for need in self._direct(node) if need in self.uses]
        return [build.field(node, name) for name in self._fields.get(node, {})]

    @property
    def records(self) -> list[g.Node]:
        """The records of which fields are needed."""
        return list(self._fields)

    def fields(self, record: g.Node) -> list[str]:
        """The fields that some code needs of a record."""
        return list(self._fields.get(record, {}))

    def vector(self, record: g.Node) -> bool:
        """Whether methods of the record are used."""
        return record in self._vectors

    def deep(self, record: g.Node) -> bool:
        """Whether a field is a list in each record."""
        return any(len(build.field(record, name).path) > len(record.path) for name in self.fields(record))

    def column_on(self, path: Path) -> g.Node | None:
        """A plain column with one value for each row of the path, which is needed anyhow."""
        found = [node for node in self._on_path.get(path, []) if _is_structure(node)]
        return min(found, key=lambda node: node.serial) if found else None


def _is_elementwise(node: g.Node) -> bool:
    """Whether a value can as well be computed after its rows were selected."""
    if not isinstance(node, (g.Call, g.UserCall)) or any(isinstance(arg.type, Record) for arg in node.args):
        return False
    return isinstance(node, g.UserCall) or node.function not in ("ht.broadcast", "ht.same_rows")


def _restricted(node: g.Node, path: Path) -> g.Node:
    """A value on as many of these rows as it has axes."""
    return build.restrict(node, path[: len(node.path)])


def _is_structure(node: g.Node) -> bool:
    """Stored columns, moved: computed before anything that could need them as an anchor."""
    while isinstance(node, (g.Restrict, g.Side, g.Nest, g.Flatten, g.Join)):
        if isinstance(node, g.Nest) and node.args[1].path == node.path:
            return False  # a value repeated for the rows of these very lists
        node = node.args[node.slot] if isinstance(node, g.Side) else node.args[0]
    return isinstance(node, g.Field) and node.name != build.ROW
