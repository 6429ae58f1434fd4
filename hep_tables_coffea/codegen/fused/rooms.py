"""How much room a kernel needs: for the lists of one event, and for the columns of a chunk."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from hep_tables_coffea.graph.axes import Axis, Path

__all__ = ["Rooms"]


class Rooms:
    """Writes the sizes of arrays as expressions of where lists begin."""

    #: What a kernel takes, and the helpers that are called around it.
    arrays: Mapping[str, tuple[str, Any]]
    helpers: set[str]

    @abstractmethod
    def known(self, wish: str) -> str:
        """The variable of this name, "" if there is none yet."""

    @abstractmethod
    def variable(self, wish: str, text: str) -> str:
        """A new variable, which holds an expression."""

    def most(self, axis: Axis) -> str:
        """The most rows of an axis in one event, at least: an expression."""
        if axis.parent is not None:
            return self.most(axis.parent)
        if axis.kind == "rows":
            return self._longest(axis)
        if axis.kind == "joined":
            return "(" + " + ".join(map(self.most, axis.inputs)) + ")"
        if axis.kind == "listed":
            return str(axis.params[1])
        inputs = axis.inputs * axis.params[0] if axis.kind == "pairs" else axis.inputs
        return " * ".join(map(self.most, inputs))

    def _longest(self, axis: Axis) -> str:
        """The variable with the length of the longest list of a collection."""
        self.helpers.add("longest")
        name = self._name_of(axis)
        wish = f"most_{name}"
        return self.known(wish) or self.variable(wish, f"longest({self.known(name)})")

    def _name_of(self, axis: Axis) -> str:
        return next(name for name, (kind, about) in self.arrays.items() if kind == "rows" and about is axis)

    def room(self, path: Path) -> str:
        """The most rows of a path in the whole chunk: an expression."""
        if len(path) == 1 and path[0].base.kind == "rows":
            return "len(events)"
        counts = [self._counts(axis) for k, axis in enumerate(path) if k or axis.base.kind == "flat"]
        text = " * ".join(counts)
        if "np.diff(" not in text:
            text = f"np.ones(len(events), np.int64) * {text}"
        return f"int(np.sum({text}))"

    def _counts(self, axis: Axis) -> str:
        """The most rows of an axis in each event."""
        if axis.parent is not None:
            return self._counts(axis.parent)
        if axis.kind == "rows":
            starts = self.known(self._name_of(axis))
            if "." in axis.params[1]:
                return self._longest(axis)
            return f"np.diff({starts})"
        if axis.kind == "joined":
            return "(" + " + ".join(self._counts(one) for one in axis.inputs) + ")"
        if axis.kind == "listed":
            return str(axis.params[1])
        if axis.kind == "flat":
            inner = [one for one in axis.inputs if one.base.kind != "rows" or one.base.params[1]]
            return " * ".join(self._counts(one) for one in inner) or "np.ones(len(events), np.int64)"
        if axis.kind == "pairs":
            size = self._counts(axis.inputs[0])
            number, replacement = axis.params
            parts = " * ".join(f"np.maximum({size} {'+' if replacement else '-'} {k}, 0)" for k in range(number))
            return f"({parts} // {int(np.prod(range(1, number + 1)))})"
        return "(" + " * ".join(self._counts(one) for one in axis.inputs) + ")"
