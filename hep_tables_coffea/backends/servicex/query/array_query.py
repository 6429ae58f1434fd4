"""A query of the columnar dialect: steps that make columns, and hand on what later steps use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hep_tables_coffea.backends.servicex.query import text
from hep_tables_coffea.backends.servicex.query.arrays import EVENT, Arrays
from hep_tables_coffea.backends.servicex.query.dialect import UPROOT
from hep_tables_coffea.backends.servicex.query.lowering import column_of, resolved
from hep_tables_coffea.backends.servicex.query.steps import Steps
from hep_tables_coffea.graph import nodes as g

__all__ = ["ArrayQuery"]


class ArrayQuery:
    """The steps of one query, written from the last to the first, as each must hand on what the next one uses."""

    def __init__(self, outputs: Mapping[str, g.Node], masks: Sequence[g.Node], names: Mapping[g.Node, str]) -> None:
        self.outputs, self.masks = outputs, masks
        self.steps = Steps([*outputs.values(), *masks], names)
        self.writer = Arrays(self.value)
        self._used: dict[str, None] = {}
        self._level = 0

    def value(self, node: g.Node) -> str:
        """The text of a node at the current step."""
        node = resolved(node, UPROOT)
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
