"""What a back end near the data can compute of a program."""

from __future__ import annotations

from collections.abc import Iterable

from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plugins.protocol import Support, Upstream
from hep_tables_coffea.types.elements import Number, Record, required

__all__ = ["Capability"]


class Capability:
    """What a back end can compute with all that it needs, asked once for each node."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._known: dict[g.Node, Support] = {}
        self._stored: dict[g.Node, bool] = {}
        self._halves: dict[g.Node, tuple[g.Node, g.Node] | tuple[()]] = {}

    def __call__(self, node: g.Node) -> Support:
        """Yes, or no and the reason: of the node, or of the first that it needs."""
        for one in walk([node], self._needs):
            if one not in self._known:
                refused = next((s for s in map(self._known.__getitem__, self._needs(one)) if not s), None)
                self._known[one] = self._upstream.supports(one) if refused is None else refused
        return self._known[node]

    def is_of_columns(self, node: g.Node) -> bool:
        """Whether a value depends on what is stored."""
        for one in walk([node], lambda node: () if node in self._stored else node.needs):
            if one not in self._stored:
                is_column = isinstance(one, g.Field) and not isinstance(one.type, Record)
                self._stored[one] = is_column or any(self._stored[need] for need in one.needs)
        return self._stored[node]

    def _needs(self, node: g.Node) -> Iterable[g.Node]:
        known = self._known.get(node)
        return () if known is not None else self._upstream.needs(node)

    def halves(self, node: g.Node) -> tuple[g.Node, g.Node] | tuple[()]:
        """A value that may be missing as two that may not: filled, and whether there is one. Where only these can be had."""
        if node not in self._halves:
            self._halves[node] = self._halves_of(node)
        return self._halves[node]

    def _halves_of(self, node: g.Node) -> tuple[g.Node, g.Node] | tuple[()]:
        element = node.type
        if not node.path or not isinstance(element, Number) or not element.option or self(node):
            return ()
        filled = functions.call("ak.fill_none", [node, build.literal(element.dtype.type(0))])
        known = functions.call("np.logical_not", [functions.call("ak.is_none", [node], {"axis": -1})])
        return (filled, known) if filled.type == required(element) and self(filled) and self(known) else ()

    def own(self, node: g.Node) -> Support:
        """Of the node alone, given what it needs."""
        return self._upstream.supports(node)
