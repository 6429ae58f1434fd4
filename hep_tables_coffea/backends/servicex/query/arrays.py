"""The text of nodes where operators take whole lists: what func_adl_uproot runs as awkward arrays.

A column on `event * Jet` is one expression of the event, whatever is computed of it. A lambda over the rows of a list
is written only where a method must see the inner lists, and to bring two collections together.
"""

from __future__ import annotations

import functools
import keyword
from collections.abc import Callable, Sequence

from hep_tables_coffea.backends.servicex.query import text
from hep_tables_coffea.backends.servicex.query.dialect import UPROOT
from hep_tables_coffea.backends.servicex.query.lowering import column_of, needs, sorting_key
from hep_tables_coffea.codegen.source import Names
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis
from hep_tables_coffea.plan.lower import last_step

__all__ = ["OWN_NAMES", "Arrays", "is_attribute", "must_be_bound"]

EVENT = "e"
Value = Callable[[g.Node], str]


def must_be_bound(node: g.Node, holds_item: Callable[[g.Node], bool]) -> Sequence[g.Node]:
    """What a node needs as a column of an earlier step, and not as an expression.

    The generator repeats source and index of `source[index]` four times, so that one in another grows; it brings the
    event's columns together with a row only by their names; and it counts the depth of a list from the first argument
    of a function, where there may be a constant.
    """
    asked = needs(node, UPROOT)
    if isinstance(node, g.Restrict) and last_step(node)[1] > 0:
        return [need for need in asked if holds_item(need)]
    if isinstance(node, g.Nest):
        return [asked[0]]
    if isinstance(node, g.Side) and node.axis.kind == "cross":
        return [asked[1]]
    if isinstance(node, (g.Reduce, g.Side, g.Join, g.Flatten)):
        return [need for need in asked if _begins_with_constant(need)]
    return []


def _begins_with_constant(node: g.Node) -> bool:
    return isinstance(node, g.Call) and isinstance(node.args[0], g.Literal)


def is_attribute(name: str) -> bool:
    """Whether a column can be read as an attribute of the events."""
    return name.isidentifier() and not keyword.iskeyword(name) and name not in OWN_NAMES


class Arrays:
    """Writes nodes of the columnar dialect. `value` gives the text of what a node needs."""

    def __init__(self, value: Value) -> None:
        self.value = value

    def write(self, node: g.Node) -> str:
        """The text of a node, of the texts of what it needs."""
        return getattr(self, f"visit_{type(node).__name__}")(node)  # type: ignore[no-any-return]

    def column(self, name: str) -> str:
        """A column of the event."""
        return text.attribute(EVENT, name) if is_attribute(name) else text.item(EVENT, text.string(name))

    # -- kinds --

    def visit_Restrict(self, node: g.Restrict) -> str:
        _, k, step = last_step(node)
        inner, *chosen = needs(node, UPROOT)
        if k == 0:
            return self.value(inner)  # of which events, the query says once for all columns
        if step.kind == "subset":
            return text.item(self.value(inner), self.value(chosen[0]))
        assert sorting_key(step) is not None
        name = "OrderBy" if _ascending(step) else "OrderByDescending"
        key = text.function(names_of([step]), self.value(chosen[0]))
        return text.method(self.value(inner), name, key)

    def visit_Field(self, node: g.Field) -> str:
        return self.column(column_of(node))

    def visit_Nest(self, node: g.Nest) -> str:
        value, outer = needs(node, UPROOT)
        row, other = names_of([outer.path[-1], value.path[1]])
        each = text.method(self.value(value), "Select", text.function([other], other))
        return text.method(self.value(outer), "Select", text.function([row], each))

    def visit_Side(self, node: g.Side) -> str:
        if node.axis.kind == "pairs":
            chosen = text.method(self.value(needs(node, UPROOT)[0]), "Choose", str(node.axis.params[0]))
            one = text.method("pair", "ElementAt", str(node.slot))
            return text.method(chosen, "Select", text.function(["pair"], one))
        first, second = needs(node, UPROOT)
        names = names_of([first.path[-1], second.path[-1]])
        each = text.method(self.value(second), "Select", text.function([names[1]], names[node.slot]))
        return text.method(self.value(first), "SelectMany", text.function([names[0]], each))

    def visit_Join(self, node: g.Join) -> str:
        first, *others = map(self.value, needs(node, UPROOT))
        return functools.reduce(lambda one, other: text.method(one, "Concat", other), others, first)

    def visit_Flatten(self, node: g.Flatten) -> str:
        array = needs(node, UPROOT)[0]
        (row,) = names_of(array.path[1:2])
        return text.method(self.value(array), "SelectMany", text.function([row], row))

    def visit_Call(self, node: g.Call) -> str:
        if node.function == "ht.broadcast":
            return self._repeated(node)
        parts = [self._argument(arg) for arg in node.args]
        if node.function == "ht.where":
            return text.choice(*parts)
        sign = UPROOT.operators.get(node.function)
        if sign is not None:
            return text.operation(sign, *parts)
        module, _, name = UPROOT.functions[node.function].rpartition(".")
        return text.call(text.attribute(module, name) if module else name, *parts)

    def _argument(self, node: g.Node) -> str:
        return text.number(node.value) if isinstance(node, g.Literal) else self.value(node)

    def _repeated(self, node: g.Call) -> str:
        """A value for each row: chosen in either case of a condition that has these rows."""
        value, rows = self._argument(node.args[0]), self.value(needs(node, UPROOT)[-1])
        return text.choice(text.operation("==", rows, rows), value, value)

    def visit_Reduce(self, node: g.Reduce) -> str:
        array = needs(node, UPROOT)[0]
        name = UPROOT.reducers[node.function]
        *rows, one = names_of(array.path[1:])
        sources = [self.value(array), *rows]
        made = text.method(sources.pop(), name, *([text.function([one], one)] if name in ("Any", "All") else []))
        for row in reversed(rows):
            made = text.method(sources.pop(), "Select", text.function([row], made))
        return made


def _ascending(step: Axis) -> bool:
    order = step.node
    while isinstance(order, g.Restrict):
        order = order.args[0]
    assert isinstance(order, g.Arrange)
    return bool(dict(order.options).get("ascending", True))


def names_of(axes: Sequence[Axis]) -> list[str]:
    """Parameters of lambdas over the rows of several axes."""
    names = Names((EVENT, "np", "abs"))
    return [names.new(axis.base.name.strip(".").lower()) for axis in axes]


#: What an array of events has for itself, so that a column of the name must be asked for otherwise.
OWN_NAMES = frozenset(
    "attrs behavior clear_divisions compute dask defined_divisions divisions eager_compute_divisions fields form head keys "
    "keys_array known_divisions layout map_partitions mask name ndim npartitions partitions persist repartition reset_meta "
    "to_dask_array to_dask_bag to_delayed to_parquet type visualize".split()
)
