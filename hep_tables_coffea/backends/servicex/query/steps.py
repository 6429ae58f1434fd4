"""Which parts of a query are computed in steps of their own, and what each step hands on to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from hep_tables_coffea.backends.servicex.query.arrays import OWN_NAMES, is_attribute, must_be_bound
from hep_tables_coffea.backends.servicex.query.dialect import UPROOT
from hep_tables_coffea.backends.servicex.query.lowering import column_of, parts, resolved
from hep_tables_coffea.codegen.source import Names
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.lower import last_step
from hep_tables_coffea.types.elements import Number

__all__ = ["Steps"]

#: What is needed twice and longer than this is computed once.
LONG = 40
#: What is nested deeper than this is computed in steps: parsers of Python end at a hundred parentheses or two.
DEEP = 25


class Steps:
    """The steps of a query for some nodes. `names` are the columns that steps make, `hints` the user's own names."""

    def __init__(self, roots: Sequence[g.Node], hints: Mapping[g.Node, str]) -> None:
        self._hints = hints
        self.order = list(walk(roots, lambda node: parts(node, UPROOT)))
        stored = [column_of(node) for node in self.order if isinstance(node, g.Field)]
        self._names = Names({*OWN_NAMES, *stored})
        self.names: dict[g.Node, str] = {}
        self.level: dict[g.Node, int] = {}
        self._find()
        for node in self.order:
            self.level[node] = max((self.available(part) for part in parts(node, UPROOT)), default=0)

    def available(self, node: g.Node) -> int:
        """The first step that can use a node."""
        return self.level[node] + (node in self.names)

    def _find(self) -> None:
        """Which nodes get steps."""
        uses = Counter(part for node in self.order for part in dict.fromkeys(parts(node, UPROOT)))
        size: dict[g.Node, int] = {}
        depth: dict[g.Node, int] = {}
        items: set[g.Node] = set()
        for node in self.order:
            for part in must_be_bound(node, items.__contains__):
                if not _is_plain(resolved(part, UPROOT)):
                    self._bind(resolved(part, UPROOT))
            inside = [part for part in parts(node, UPROOT) if part not in self.names]
            own = LONG if isinstance(node, (g.Nest, g.Side)) or _is_sorted(node) else 12
            size[node] = own + sum(size[part] if part in inside else 10 for part in parts(node, UPROOT))
            depth[node] = 1 + max((depth[part] for part in inside), default=0)
            if _is_item(node) or any(part in items for part in inside):
                items.add(node)
            if not _is_plain(node) and ((uses[node] > 1 and size[node] > LONG) or depth[node] > DEEP):
                self._bind(node)

    def _bind(self, node: g.Node) -> None:
        if node not in self.names:
            self.names[node] = self._names.new(self._hints.get(node) or self._wish(node))

    def _wish(self, node: g.Node) -> str:
        """A name that says what a column is."""
        if isinstance(node, g.Restrict):
            chosen = parts(node, UPROOT)[-1]
            return f"{self._hints.get(chosen, 'selected')}_{_short(node)}"
        if isinstance(node, g.Side):
            return f"{_short(node)}_{node.slot + 1}"
        if isinstance(node.type, Number) and node.type.dtype.kind == "b":
            return f"{node.path[-1].base.name}_mask"
        if isinstance(node, (g.Call, g.Reduce)):
            return f"{_short(node)}_{str(node.function).rpartition('.')[2]}"
        return _short(node)


def _is_plain(node: g.Node) -> bool:
    return isinstance(node, g.Field) and is_attribute(column_of(node))


def _is_sorted(node: g.Node) -> bool:
    return isinstance(node, g.Restrict) and last_step(node)[2].kind == "ordered"


def _is_item(node: g.Node) -> bool:
    return isinstance(node, g.Restrict) and last_step(node)[2].kind == "subset"


def _short(node: g.Node) -> str:
    while not isinstance(node, g.Field):
        node = parts(node, UPROOT)[0]
    return column_of(node)
