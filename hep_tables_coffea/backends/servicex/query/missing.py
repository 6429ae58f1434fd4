"""Values that may be missing, in terms of values that never are: whether there is one, and the value where there is.

A selection by a condition that may be missing takes the rows where it is there and true; a filled value is a choice.
What is left as a value of its own is `ht.required` of a row or of an extreme: written only where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from hep_tables_coffea.backends.servicex.query.extremes import (
    COMPARED,
    compared_filled,
    extreme,
    is_filled,
    is_not,
    is_some,
    no,
    some,
    together,
)
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import derives, steps
from hep_tables_coffea.record.index import subset

__all__ = ["NoForm", "chosen", "is_required", "without_missing"]

#: Functions that know of missing values; of others nothing is missing where no argument is.
_SPECIAL = ("ak.fill_none", "ak.is_none", "ht.required")
#: Reducers that take the values that are there, and always have a value.
_SKIPPING = ("any", "all", "sum", "count", "count_nonzero")
_AND = ("np.bitwise_and", "np.logical_and")

_chosen: WeakKeyDictionary[g.Node, g.Node] = WeakKeyDictionary()


class NoForm(Exception):
    """A value that may be missing has no form in values that never are."""


def chosen(mask: g.Node) -> g.Node:
    """The condition, false where it is missing: a missing condition does not select."""
    if not mask.type.option:
        return mask
    if mask not in _chosen:
        made = _Present().chosen(mask)
        if isinstance(mask, (g.Pick, g.Reduce)):
            return made  # it is in its own form
        _chosen[mask] = made
    return _chosen[mask]


def without_missing(node: g.Node) -> g.Node:
    """The same for a value that is never missing itself, and is made of some that may be; or the node itself."""
    try:
        return _lower(node)
    except NoForm:
        return node


def is_required(node: g.Node) -> bool:
    """Whether a node is a row or an extreme of a list, where there is one."""
    return isinstance(node, g.Call) and node.function == "ht.required"


def _lower(node: g.Node) -> g.Node:
    if node.type.option or not any(arg.type.option or is_filled(arg) or _is_none(arg) for arg in node.args):
        return node
    present = _Present()
    if isinstance(node, g.Reduce) and node.function in _SKIPPING:
        array = present.rows(node.args[0])
        return functions.reduce("num" if node.function == "count" else node.function, array, dict(node.options))
    if not isinstance(node, g.Call):
        return node
    value = node.args[0]
    if is_not(node) and _is_none(value):
        return present.there(value.args[0])
    if _is_none(node):
        return no(present.there(value))
    if node.function == "ak.fill_none":
        return functions.call("ht.where", [present.there(value), present.value(value), node.args[1]])
    if node.function == "ht.required":
        return node if _is_leaf(value) else present.value(value)
    return compared_filled(node) if node.function in COMPARED else node


class _Present:
    """The two parts of values: whether they are known, and what they are if so. Each value is taken apart once."""

    def __init__(self) -> None:
        self._known: dict[g.Node, g.Node | None] = {}
        self._value: dict[g.Node, g.Node] = {}

    def known(self, node: g.Node) -> g.Node | None:
        """Whether there is a value; None where there always is."""
        if not node.type.option:
            return None
        if node not in self._known:
            self._known[node] = self._find_known(node)
        return self._known[node]

    def there(self, node: g.Node) -> g.Node:
        """The same of a value that may be missing, as a condition."""
        known = self.known(node)
        if known is None:
            raise NoForm
        return known

    def value(self, node: g.Node) -> g.Node:
        """The value, where there is one."""
        if not node.type.option:
            return node
        if node not in self._value:
            self._value[node] = self._find_value(node)
        return self._value[node]

    def rows(self, array: g.Node) -> g.Node:
        """The rows of a list that are there."""
        known = self.known(array)
        return array if known is None else subset(self.value(array), known)

    def chosen(self, mask: g.Node) -> g.Node:
        """Where a condition is known and true."""
        known = self.known(mask)
        if known is None:
            return mask
        if isinstance(mask, g.Call) and mask.function in _AND:
            return together([self.chosen(arg) for arg in mask.args])
        compared = extreme(mask)
        if compared is not None and is_some(compared):
            return compared  # there is a row, and so there is an extreme
        return together([known, self.value(mask)])

    def _find_known(self, node: g.Node) -> g.Node | None:
        if isinstance(node, g.Restrict):
            known = self.known(node.args[0])
            return None if known is None else _moved(node, known)
        if isinstance(node, g.Nest):
            known = self.known(node.args[0])
            return None if known is None else build.nest(known, node.args[1], node.prefix)
        if isinstance(node, g.Reduce) and node.function in ("min", "max", "argmin", "argmax"):
            return some(functions.reduce("num", self.rows(node.args[0])))
        if isinstance(node, g.Pick):
            return self._known_row(node)
        if isinstance(node, g.Call):
            return self._known_call(node)
        if isinstance(node, g.UserCall):
            return self._all_known(node.args)
        raise NoForm

    def _known_row(self, node: g.Pick) -> g.Node | None:
        if node.position != len(node.args[0].path) - 1:
            raise NoForm
        if node.constant is None:
            there = self.known(node.args[1])
        elif node.constant in (0, -1):
            there = some(functions.reduce("num", node.args[0]))
        else:
            raise NoForm
        known = self.known(node.args[0])
        parts = [there, None if known is None else self._row(node, known)]
        found = [part for part in parts if part is not None]
        return together(found) if found else None

    def _known_call(self, node: g.Call) -> g.Node | None:
        if node.function == "ht.broadcast":
            known = self.known(node.args[0])
            return known if known is None else build.broadcast(known, node.args[1], len(node.path))
        if node.function == "ht.where":
            return self._known_choice(*node.args)
        if node.function == "ak.mask":
            value, mask = node.args
            found = [part for part in (self.known(value), self.known(mask), self.value(mask)) if part is not None]
            return together(found)
        if node.function in _SPECIAL or node.options:
            raise NoForm
        return self._all_known(node.args)

    def _known_choice(self, condition: g.Node, one: g.Node, other: g.Node) -> g.Node | None:
        decided, sides = self.known(condition), (self.known(one), self.known(other))
        found = [decided] if decided is not None else []
        if sides != (None, None):
            truth = self.value(condition)
            first = truth if sides[0] is None else together([truth, sides[0]])
            second = no(truth) if sides[1] is None else together([no(truth), sides[1]])
            found.append(functions.call("np.bitwise_or", [first, second]))
        return together(found) if found else None

    def _all_known(self, args: Sequence[g.Node]) -> g.Node | None:
        found = list(dict.fromkeys(known for known in map(self.known, args) if known is not None))
        return together(found) if found else None

    def _find_value(self, node: g.Node) -> g.Node:
        if isinstance(node, g.Restrict):
            return _checked(_moved(node, self.value(node.args[0])))
        if isinstance(node, g.Nest):
            return build.nest(self.value(node.args[0]), node.args[1], node.prefix)
        if isinstance(node, g.Reduce) and node.function in ("min", "max", "argmin", "argmax"):
            return functions.present(functions.reduce(node.function, self.rows(node.args[0]), dict(node.options)))
        if isinstance(node, g.Pick):
            return self._row(node, self.value(node.args[0]))
        if isinstance(node, g.UserCall):
            return _checked(functions.user_call(node.declared, [self.value(arg) for arg in node.args]))
        if isinstance(node, g.Call):
            return self._value_of_call(node)
        raise NoForm

    def _row(self, node: g.Pick, array: g.Node) -> g.Node:
        if node.constant is not None:
            return functions.present(build.pick(array, node.constant, node.position))
        index = _extremum(self.value(node.args[1]))
        rows = index.args[0].path[-1]
        if not derives(rows, array.path[-1]):
            raise NoForm
        array = build.restrict(array, (*array.path[:-1], rows))
        return functions.present(build.pick(array, index, node.position))

    def _value_of_call(self, node: g.Call) -> g.Node:
        compared = extreme(node)
        if compared is not None:
            return compared
        if node.function == "ak.mask":
            return self.value(node.args[0])
        return _checked(functions.call_again(node, [self.value(arg) for arg in node.args]))


def _moved(node: g.Restrict, value: g.Node) -> g.Node:
    """A value of all rows for those that a selection leaves."""
    taken = [step for old, new in zip(node.args[0].path, node.path) if old is not new for step in steps(old, new)]
    if any(step.kind != "subset" for step in taken):
        raise NoForm
    return build.restrict(value, node.path[: len(value.path)])  # of events it may be the same for all rows


def _checked(node: g.Node) -> g.Node:
    if node.type.option:
        raise NoForm
    return node


def _is_none(node: g.Node) -> bool:
    return isinstance(node, g.Call) and node.function == "ak.is_none"


def _is_leaf(node: g.Node) -> bool:
    """Whether a value that may be missing is a row or an extreme of a list in which nothing is missing."""
    if isinstance(node, g.Pick):
        return not node.args[0].type.option and all(
            isinstance(index, g.Reduce) and not index.args[0].type.option for index in node.args[1:]
        )
    return isinstance(node, g.Reduce) and not node.args[0].type.option


def _extremum(index: g.Node) -> g.Node:
    """The position of the least or greatest of a list, on the rows where it is asked for."""
    if is_required(index):
        index = index.args[0]
    elif isinstance(index, g.Restrict) and is_required(index.args[0]):
        made = index.args[0].args[0]
        assert isinstance(made, g.Reduce)
        key = build.restrict(made.args[0], (*index.path, made.args[0].path[-1]))
        index = functions.reduce(made.function, key, dict(made.options))
    if not isinstance(index, g.Reduce):
        raise NoForm
    return index
