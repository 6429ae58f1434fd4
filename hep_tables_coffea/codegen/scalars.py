"""Dataset-wide values after merging: the part of a processor that `postprocess` computes."""

from __future__ import annotations

import numpy as np

from hep_tables_coffea.codegen.source import Names, literal_text, quoted
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.types.elements import Number

__all__ = ["ScalarWriter"]

LONG = 100


class ScalarWriter:
    """Writes expressions of aggregates as Python numbers; missing stays missing."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.lines: list[str] = []
        self.helpers: set[str] = set()
        self._known: dict[g.Node, str] = {}

    def knows(self, node: g.Node) -> bool:
        return node in self._known

    def add_aggregate(self, node: g.Aggregate, answer: str, merge: str) -> None:
        """The merged value of an aggregate."""
        options = "".join(f", {key}={value!r}" for key, value in node.options)
        variable = self.names.new(f"{answer}_merged")
        self.lines.append(f"{variable} = {merge}(in_order(out[{quoted(answer)}], self.order){options})")
        self._known[node] = variable

    def value(self, node: g.Node) -> str:
        """The expression of a dataset-wide value; long ones get a variable, so that none is nested deeply."""
        for part in walk([node], lambda n: () if n in self._known else n.args):
            if part not in self._known:
                self._known[part] = self._keep(self._write(part))
        return self._known[node]

    def _keep(self, text: str) -> str:
        if len(text) < LONG:
            return text
        variable = self.names.new("value")
        self.lines.append(f"{variable} = {text}")
        return variable

    def _write(self, node: g.Node) -> str:
        if isinstance(node, g.Literal):
            return literal_text(node.value, node.kind)
        texts = [self._known[arg] for arg in node.args]
        assert isinstance(node, g.Call)
        if node.function == "ak.is_none":
            return f"({texts[0]} is None)"
        if node.function == "ak.values_astype":
            self.helpers.add("of_known")
            return f"of_known(np.{np.dtype(dict(node.options)['to']).type.__name__}, {texts[0]})"
        if node.function == "ak.fill_none":
            filled = f"{texts[1]} if {texts[0]} is None else {texts[0]}"  # in the common type, missing or not
            return (
                f"np.{node.type.dtype.type.__name__}({filled}).item()"
                if isinstance(node.type, Number)
                else f"({filled})"
            )
        options = "".join(f", {key}={value!r}" for key, value in node.options)
        name = {"ht.where": "np.where"}.get(node.function, node.function)
        self.helpers.add("of_known")
        if name.startswith("ht."):
            name = name[3:]
            self.helpers.add(name)
        return f"of_known({name}, {', '.join(texts)}{options})"
