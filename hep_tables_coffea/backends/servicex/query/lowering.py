"""Nodes in terms of others that queries can say, and what the text of a node needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from hep_tables_coffea.backends.servicex.query.dialect import UPROOT, Dialect
from hep_tables_coffea.backends.servicex.query.equivalents import simpler
from hep_tables_coffea.backends.servicex.query.missing import NoForm, chosen, is_required, without_missing
from hep_tables_coffea.codegen.fused.ir import Unfusable
from hep_tables_coffea.codegen.fused.vectors import Vectors
from hep_tables_coffea.graph import build, functions, helpers
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis
from hep_tables_coffea.graph.copy import Copy
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.lower import last_step, lower_counts
from hep_tables_coffea.plan.needs import any_column
from hep_tables_coffea.plugins.functions import provided
from hep_tables_coffea.types.elements import Number, Record

__all__ = ["column_of", "lowered", "needs", "on_all_events", "parts", "resolved", "selecting", "sorting_key", "standin"]


#: Formulas of vectors take long to find. A node is not in its own formula, so that it goes when nobody needs it.
_lowered: tuple[WeakKeyDictionary[g.Node, g.Node], ...] = (WeakKeyDictionary(), WeakKeyDictionary())
_standins: WeakKeyDictionary[g.Node, g.Node] = WeakKeyDictionary()


def lowered(node: g.Node, dialect: Dialect) -> g.Node:
    """The same values as another node, where that is simpler to say; else the node itself."""
    known = _lowered[dialect.columnar]
    made = known.get(node)
    if made is None:
        made = _lower(node, dialect)
        if made.type != node.type or made.path != node.path:
            made = node
        if made is not node:
            known[node] = made
    return made


def _lower(node: g.Node, dialect: Dialect) -> g.Node:
    if isinstance(node, g.Reduce) and (node.function == "num" or dialect.columnar or not node.args[0].type.option):
        made = _counted(node, dialect)
        return made if made is not node else simpler(node, dialect)
    if _is_delta_r(node):
        return _distance(node, dialect)
    made = without_missing(node)
    if made is node:
        made = simpler(node, dialect)
    if made is not node or not dialect.columnar:
        return made
    if isinstance(node, g.Field) and isinstance(node.args[0], g.Behave):
        return _component(node)
    if isinstance(node, g.Behave) and not isinstance(node.type, Record):
        return _formula(node)
    return _choice(node) if _calls(node, "ht.where") else node


def _calls(node: g.Node, name: str) -> bool:
    return isinstance(node, g.Call) and node.function == name


def _is_delta_r(node: g.Node) -> bool:
    if isinstance(node, g.UserCall):
        known = provided(node.declared.name) if node.declared.function is None else None
        return known is not None and known.numpy is helpers.delta_r
    return _calls(node, "ht.delta_r") or (isinstance(node, g.Behave) and node.method == "delta_r" and not node.options)


def _distance(node: g.Node, dialect: Dialect) -> g.Node:
    """The distance in eta and phi, of four numbers: as its formula, or as the function that C++ has."""
    from hep_tables_coffea.record.array import wrap

    if isinstance(node, g.Behave):
        if dialect.columnar:
            return _formula(node)
        records = [arg for arg in node.args if build.has_field(arg, "eta") and build.has_field(arg, "phi")]
        if len(records) != 2 or any(isinstance(record, g.Behave) for record in records):
            return node
        return functions.call("ht.delta_r", [build.field(one, name) for one in records for name in ("eta", "phi")])
    if dialect.columnar:
        made: g.Node = helpers.delta_r(*(wrap(arg) for arg in node.args))._node
        return made
    return functions.call("ht.delta_r", node.args)


def _counted(node: g.Reduce, dialect: Dialect) -> g.Node:
    """Counts as sums of conditions, and of rows as counts of a column."""
    array = node.args[0]
    if node.function == "num":
        made = lower_counts(node) if dialect.columnar else node
        return made if made is not node else functions.reduce("num", standin(array))
    if node.function == "count" and not array.type.option and not node.options:
        return functions.reduce("num", array)
    if node.function == "count_nonzero" and isinstance(array.type, Number) and not node.options:
        truth = array.type.dtype.kind == "b"
        return functions.reduce("sum", array if truth else functions.call("np.not_equal", [array, build.literal(0)]))
    return node


def _choice(node: g.Node) -> g.Node:
    """A choice with a condition for each row: awkward's takes whole lists where the condition is one of the event."""
    condition, *others = node.args
    rows = next((other for other in others if other.path == node.path), None)
    if rows is None or isinstance(rows.type, Record) or condition.path == node.path:
        return node
    each = build.broadcast(condition, rows, len(node.path))
    return g.Call.make((each, *others), node.params, node.path, node.type, node.where)


def _formula(node: g.Behave) -> g.Node:
    try:
        return Vectors().number(node)
    except Unfusable:
        return node


def _component(node: g.Field) -> g.Node:
    record = node.args[0]
    assert isinstance(record, g.Behave)
    try:
        return Vectors().component(record, node.name)
    except (Unfusable, KeyError):
        return node


def standin(node: g.Node) -> g.Node:
    """A stored column in place of a value of which only the number of rows counts: of the same rows, moved as it is."""
    if node not in _standins:
        made = _plain_column(node)
        if made is node:
            return node
        _standins[node] = made
    return _standins[node]


def _plain_column(node: g.Node) -> g.Node:
    """Equal paths are equal rows, so that any column in it will do."""
    columns = [one for one in walk([node]) if one.path == node.path and _is_moved_column(one)]
    if columns:
        return min(columns, key=lambda one: (not isinstance(one, g.Field), one.serial))
    if isinstance(node, g.Field) and node.name == build.ROW:
        return any_column(node.args[0])
    if isinstance(node, (g.Restrict, g.Nest, g.Side, g.Flatten)):
        inner = _inner(node)
        made = standin(inner)
        return node if made is inner else build.moved(node, made)
    return node


def _inner(node: g.Node) -> g.Node:
    return node.args[node.slot if isinstance(node, g.Side) else 0]


def _is_moved_column(node: g.Node) -> bool:
    while isinstance(node, (g.Restrict, g.Side, g.Nest, g.Flatten)):
        node = _inner(node)
    is_number = isinstance(node, g.Field) and isinstance(node.type, Number) and node.name != build.ROW
    return is_number and not isinstance(node.args[0], g.Behave) and not node.type.option


def needs(node: g.Node, dialect: Dialect = UPROOT) -> tuple[g.Node, ...]:
    """The columns that the text of a node is made of.

    They decide, together with the node, whether it can be part of a query; the text is made of just these.

    Args:
        node: a column of a program.
        dialect: `UPROOT` or `XAOD`.

    Example:
        >>> import hep_tables_coffea as ht
        >>> from hep_tables_coffea.backends.servicex.query import needs
        >>> jets = ht.flat(ht.samples.nanoaod("events.root", 100)).Jet  # doctest: +SKIP
        >>> [need.name for need in needs((jets.pt * jets.eta)._node)]  # doctest: +SKIP
        ['pt', 'eta']
    """
    made = lowered(node, dialect)
    if made is not node:
        return (made,)
    if isinstance(node, g.Restrict):
        return _of_restriction(node)
    if isinstance(node, g.Nest):
        return node.args[0], standin(node.args[1])
    if isinstance(node, g.Side) and node.axis.kind == "pairs":
        return (node.args[node.slot],)
    if isinstance(node, g.Side):
        return tuple(arg if k == node.slot else standin(arg) for k, arg in enumerate(node.args))
    if is_required(node):
        return _of_required(node.args[0])
    if _calls(node, "ht.broadcast"):
        return tuple(arg for arg in (node.args[0], standin(node.args[1])) if arg.path)
    if isinstance(node, (g.Call, g.UserCall, g.Reduce, g.Join, g.Flatten)):
        return tuple(arg for arg in node.args if arg.path)
    return ()


def resolved(node: g.Node, dialect: Dialect) -> g.Node:
    """The node that a query says in place of a node."""
    while lowered(node, dialect) is not node:
        node = lowered(node, dialect)
    return node


def parts(node: g.Node, dialect: Dialect) -> list[g.Node]:
    """What the text of a node is made of."""
    return [resolved(need, dialect) for need in needs(node, dialect)]


def _of_restriction(node: g.Restrict) -> tuple[g.Node, ...]:
    """The value before the last step, and the mask or the key of the step on the same rows."""
    inner, k, step = last_step(node)
    if step.node is None:
        return (inner,)
    found = sorting_key(step) if step.kind == "ordered" else step.node
    if found is None:
        return (inner,)
    try:
        found = build.restrict(found, inner.path[:k] + found.path[k:])
    except ValueError:  # a condition on rows that the value has not
        return inner, found
    return inner, found if step.kind == "ordered" else selecting(found)


def selecting(mask: g.Node) -> g.Node:
    """A condition that is never missing, and true for the rows that another one selects; itself where there is none."""
    try:
        return chosen(mask)
    except NoForm:
        return mask


def _of_required(node: g.Node) -> tuple[g.Node, ...]:
    """What a row or an extreme of a list is found with: the list, and the key that says which row."""
    if isinstance(node, g.Pick):
        return (node.args[0], *(need for index in node.args[1:] for need in index.args))
    return node.args if isinstance(node, g.Reduce) else (node,)


def sorting_key(axis: Axis) -> g.Node | None:
    """What the rows of an axis are sorted by; None where they are taken by an index."""
    order = axis.node
    while isinstance(order, g.Restrict):
        order = order.args[0]
    if isinstance(order, g.Arrange) and order.function == "argsort" and order.path[-1] is axis.parent:
        return order.args[0]
    return None


def column_of(node: g.Field) -> str:
    """The name of a stored column."""
    record: Any = node.args[0].type
    return str(record.group.fields[node.name].column)


def on_all_events(nodes: Sequence[g.Node]) -> dict[g.Node, g.Node]:
    """The same columns, and all in them, on the events before any filter: no event depends on others."""
    copy = Copy({axis: axis.base for node in nodes for axis in node.path[0].lineage()})
    for one in walk(nodes):
        changed = any(copy.made[need] is not need for need in one.needs)
        moved = changed or any(copy.axis(axis) is not axis for axis in one.path)
        copy.made[one] = copy.again(one, [copy.made[arg] for arg in one.args]) if moved and one.args else one
    return copy.made
