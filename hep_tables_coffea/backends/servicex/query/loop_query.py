"""A query of the dialect for ATLAS: what the generator is told before, filters of events, filtered lists, columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hep_tables_coffea.backends.servicex.query import text
from hep_tables_coffea.backends.servicex.query.dialect import XAOD
from hep_tables_coffea.backends.servicex.query.loops import EVENT, Loops
from hep_tables_coffea.backends.servicex.query.lowering import column_of, parts
from hep_tables_coffea.codegen.source import Names
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plugins.registry import schema_pack

__all__ = ["LoopQuery"]


class LoopQuery:
    """Writes one query. Lists that several columns need are filtered in a step of their own."""

    def __init__(self, outputs: Mapping[str, g.Node], masks: Sequence[g.Node], names: Mapping[g.Node, str]) -> None:
        self.outputs, self.masks, self.names = outputs, masks, names
        self.nodes = list(walk([*outputs.values(), *masks], lambda node: parts(node, XAOD)))

    def write(self) -> str:
        """The whole query."""
        before, bound = Loops(self.nodes), self._shared()
        made = [("Where", before.column(mask)) for mask in self.masks]
        after = Loops(self.nodes, {axis: name for axis, (name, _) in bound.items()}) if bound else before
        members = {name: after.column(node) for name, node in self.outputs.items()}
        if bound:
            lists = {name: before.rows(node, (EVENT,)) for axis, (name, node) in bound.items() if axis in after.taken}
            handed_on = {name: before.call(call) for call, name in (after.handed_on or {}).items()}
            made.append(("Select", text.dictionary({**lists, **handed_on})))
        made.append(("Select", text.dictionary(members)))
        found = self._told({**before.functions, **after.functions})
        for name, body in made:
            found = text.call(name, found, text.function([EVENT], body))
        return found

    def _shared(self) -> dict[Axis, tuple[str, g.Node]]:
        """The filtered lists that are used more than once, with names, and a column on each."""
        trial, names = Loops(self.nodes), Names()
        for node in self.outputs.values():
            trial.column(node)
        found: dict[Axis, tuple[str, g.Node]] = {}
        for axis, uses in trial.uses.items():
            if uses > 1 and axis.node is not None:
                column = next(node for node in self.nodes if len(node.path) == 2 and node.path[1] is axis)
                found[axis] = (names.new(self.names.get(axis.node) or f"selected_{trial.collection(axis)}"), column)
        return found

    def _told(self, functions: Mapping[str, Any]) -> str:
        """The events, with what the generator is told of the columns and functions."""
        schema = build.source_of(self.nodes[0]).dataset.schema
        columns = [column_of(node) for node in self.nodes if isinstance(node, g.Field)]
        pack: Any = schema_pack(schema.pack)
        found = text.events(None)
        for one in [*pack.metadata(schema, columns), *functions.values()]:
            found = text.call("MetaData", found, text.constant(one))
        return found
