"""Variations before a plan is made: each output becomes one for each variation that reaches it.

What stands for a value with its variations is replaced by one of them, and what depends on it is made again, masks and
orders included. All else is the same node in every variation, so it is computed once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from weakref import WeakSet

import numpy as np

from hep_tables_coffea.errors import UsageError
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis
from hep_tables_coffea.graph.copy import Copy
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.simulation import is_simulation, of_events, simulated, tell
from hep_tables_coffea.record.variation import NOMINAL
from hep_tables_coffea.types.dataset import Dataset

__all__ = ["Varied", "expand", "free_name", "nominal", "parts_of"]

#: The axis of a histogram that tells variations apart.
AXIS = "variation"


@dataclass(frozen=True, slots=True)
class Varied:
    """An output in variations: each name with the output that is computed for it; without one for data alone."""

    outputs: Mapping[str, str | None]
    is_histogram: bool


def parts_of(varied: Mapping[str, Varied]) -> set[str]:
    """The outputs that are no answers by themselves, but parts of one in variations."""
    return {part for one in varied.values() for part in one.outputs.values() if part is not None} - set(varied)


def nominal(node: g.Node) -> g.Node:
    """A value as it is without variations."""
    return _Variations([node]).of(NOMINAL).value(node) if _is_varied(node) else node


def expand(
    outputs: Mapping[str, g.Node], dataset: Dataset, anywhere: bool
) -> tuple[dict[str, g.Node], dict[str, Varied]]:
    """The outputs of one dataset for each variation that reaches them, and which belong together.

    Of data there is nothing but what they are. Where a dataset has both, or with `anywhere` may be another one when the
    program runs, each event is asked for what it is.
    """
    fresh = [node for node in outputs.values() if node not in _plain and node not in _reached]
    if fresh and not any(map(_is_vary, walk(fresh))):  # all at once: histograms have much in common
        _plain.update(fresh)
    if not any(map(_is_varied, outputs.values())):
        return dict(outputs), {}
    return _expanded(tuple(outputs.items()), dataset, anywhere)


@lru_cache(maxsize=64)
def _expanded(
    outputs_: tuple[tuple[str, g.Node], ...], dataset: Dataset, anywhere: bool
) -> tuple[dict[str, g.Node], dict[str, Varied]]:
    outputs = dict(outputs_)
    variations = _Variations(outputs.values())
    kinds = {is_simulation(sample) is not False for sample in dataset.samples}
    shifts = anywhere or True in kinds
    asked = simulated(dataset) if anywhere or len(kinds) > 1 else None
    tell(dataset)
    made: dict[str, g.Node] = {}
    varied: dict[str, Varied] = {}
    for name, node in outputs.items():
        made[name] = variations.of(NOMINAL).value(node)
    for name, node in outputs.items():
        if not _is_varied(node):
            continue
        labels = variations.reaching(node)
        is_histogram = isinstance(node, g.Fill) and node.view == "hist"
        if is_histogram:
            _refuse_axis(name, node)
        found: dict[str, str | None] = {NOMINAL: name}
        for label in labels:
            if shifts:
                key = free_name(f"{name}_{label}", made)
                shifted = variations.of(label).value(node)
                made[key] = of_events(shifted, asked) if asked is not None else shifted
                found[label] = key
            elif is_histogram:
                found[label] = None
        varied[name] = Varied(found, is_histogram)
    return made, varied


def free_name(wish: str, taken: Collection[str]) -> str:
    """A name that nothing has."""
    while wish in taken:
        wish += "_"
    return wish


def _refuse_axis(name: str, node: g.Node) -> None:
    if any(f"name={AXIS!r}" in text for _, text in node.maker):
        msg = f"the histogram {name} has an axis {AXIS!r} of its own, and gets one for its variations"
        raise UsageError(msg, where=node.where, hint="give it another name")


# -- what depends on variations ---------------------------------------------------------------------------------------

#: Outputs that no variation reaches, and those that one does.
_plain: WeakSet[g.Node] = WeakSet()
_reached: WeakSet[g.Node] = WeakSet()


def _is_vary(node: g.Node) -> bool:
    return isinstance(node, g.Call) and node.function == functions.VARY


def _is_varied(node: g.Node) -> bool:
    if node not in _plain and node not in _reached:
        (_reached if any(map(_is_vary, walk([node]))) else _plain).add(node)
    return node in _reached


class _Variations:
    """The variations that reach some outputs, and the outputs in each of them."""

    def __init__(self, outputs: Iterable[g.Node]) -> None:
        self._nodes = list(walk(outputs))
        #: Variation -> nuisance.
        self._nuisances: dict[str, str] = {}
        for node in self._nodes:
            if _is_vary(node):
                self._name(node)
        self.reach: dict[g.Node, frozenset[str]] = {}
        while self._spread():
            pass
        self._made: dict[str, _Variation] = {}

    def _name(self, node: g.Node) -> None:
        options = dict(node.options)
        for label in options["variations"]:
            other = self._nuisances.setdefault(label, options["nuisance"])
            if other != options["nuisance"]:
                msg = f"two nuisances have a variation {label!r}: {other} and {options['nuisance']}"
                raise UsageError(msg, where=node.where, hint="give one of them another name: variations={...}")

    def _spread(self) -> bool:
        """Find what each node depends on; whether the values of a loop turned out to depend on more than was known."""
        more = False
        for node in self._nodes:
            found = self.reach.get(node, frozenset()) if isinstance(node, g.Parameter) else frozenset()
            found = found.union(*(self.reach[need] for need in node.needs))
            self.reach[node] = found.union(dict(node.options)["variations"]) if _is_vary(node) else found
            if isinstance(node, g.Iterate):
                for parameter in node.args[node.size : 2 * node.size]:
                    more = more or not self.reach[parameter] >= found
                    self.reach[parameter] |= found
        return more

    def reaching(self, node: g.Node) -> list[str]:
        """The variations that reach a node, in the order in which they were met."""
        return [label for label in self._nuisances if label in self.reach[node]]

    def of(self, label: str) -> _Variation:
        """The values in one variation."""
        if label not in self._made:
            self._made[label] = _Variation(label, self)
        return self._made[label]


class _Variation(Copy):
    """What is recorded, in one variation."""

    def __init__(self, label: str, all_: _Variations) -> None:
        super().__init__({})
        self.label, self._all = label, all_

    def value(self, node: g.Node) -> g.Node:
        """The value in this variation."""
        for one in walk([node], self._needs):
            if one not in self.made:
                self.made[one] = self._make(one)
        return self.made[node]

    def axis(self, axis: Axis) -> Axis:
        if axis.node is not None:
            self.value(axis.node)
        return super().axis(axis)

    def _needs(self, node: g.Node) -> Sequence[g.Node]:
        if node in self.made or self._is_same(node):
            return ()
        return (node.args[0], node.args[self._chosen(node)]) if _is_vary(node) else node.needs

    def _is_same(self, node: g.Node) -> bool:
        """Whether it is not made again: nothing reaches it, or not this variation, as others may know."""
        reach = self._all.reach.get(node, frozenset())
        return not reach or (self.label != NOMINAL and self.label not in reach)

    def _chosen(self, node: g.Node) -> int:
        """Which argument the value is."""
        labels: tuple[str, ...] = dict(node.options)["variations"]
        return 1 + labels.index(self.label) if self.label in labels else 0

    def _make(self, node: g.Node) -> g.Node:
        if not self._all.reach.get(node):
            return node
        if self._is_same(node):
            return self._all.of(NOMINAL).value(node)
        if _is_vary(node):
            return self._shifted(node)
        args = [self.made[arg] for arg in node.args]
        if isinstance(node, g.Fill):
            made: g.Node = g.Fill.make(tuple(args), node.params, node.path, node.type, node.where)
        elif isinstance(node, g.Parameter):
            path = tuple(map(self.axis, node.path))
            params = (f"{node.number} {self.label}", node.slot, node.level, path)
            made = g.Parameter.make((), params, path, node.type, node.where)
        elif isinstance(node, g.Call) and all(isinstance(arg, g.Literal) for arg in args):
            made = _constant(node, args)
        else:
            made = self.again(node, args)
        if made.serial > node.serial:
            made.where = node.where  # errors and names are those of the user's line
        return made

    def _shifted(self, node: g.Node) -> g.Node:
        found, rows = self.made[node.args[self._chosen(node)]], self.made[node.args[0]]
        depth = len(node.path)
        return found if len(found.path) >= depth else build.broadcast(found, rows, depth)


def _constant(node: g.Call, args: Sequence[Any]) -> g.Node:
    """What a function makes of constants, which are of no dataset and so never run: a product of two normalisations."""
    values = [functions.constant(arg) for arg in args]
    made = functions.resolve(node.function)(*values, **dict(node.options))
    weak = not any(isinstance(value, np.generic) for value in values)  # Python's numbers do not widen those of a column
    return build.literal(made.item() if weak and isinstance(made, np.generic) else made)
