"""Order and picks by a key: OrderBy, MinBy, sort."""

from __future__ import annotations

from hep_tables_coffea.errors import AxisError, FilterError
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.graph.scope import is_current, nest_together
from hep_tables_coffea.record.index import at_index
from hep_tables_coffea.types.elements import Number

__all__ = ["argsort", "order_by", "pick_by", "sort"]


def argsort(key: Node, ascending: bool = True, stable: bool = True) -> Node:
    """The positions of the rows in the order of the key."""
    if not isinstance(key.type, Number):
        msg = f"a key of type {key.type} has no order"
        raise FilterError(msg, values=[("key", key.text)], hint="use a number: x.MinBy(x.pt)")
    if len(key.path) < 2:
        msg = "a sort of all events depends on how they are cut into chunks"
        raise AxisError(msg, values=[("key", key.text)], hint="sort objects in an event, or sort after ht.make_local")
    if is_current(key.path[-1]):
        raise build.one_element(key, "an order")
    return functions.arrange("argsort", key, {"ascending": bool(ascending), "stable": bool(stable)})


def order_by(node: Node, key: Node, ascending: bool) -> Node:
    """The rows in the order of the key; rows of equal keys keep theirs."""
    node, key = _on_rows(node, key)
    return at_index(node, argsort(key, ascending))


def sort(node: Node, ascending: bool = True) -> Node:
    """Values in ascending or descending order."""
    return order_by(node, node, ascending)


def pick_by(node: Node, key: Node, function: str) -> Node:
    """The row with the least or the greatest key; the first of equals; missing where there is no row."""
    node, key = _on_rows(node, key)
    return build.pick(node, functions.reduce(function, key), len(key.path) - 1)


def _on_rows(node: Node, key: Node) -> tuple[Node, Node]:
    """The rows and their key on one path."""
    node, key = nest_together([node, key])
    if not isinstance(key.type, Number):
        msg = f"a key of type {key.type} has no order"
        raise FilterError(msg, values=[("key", key.text)], hint="use a number: x.MinBy(x.pt)")
    path, (aligned, _) = build.align([key, node], "order")
    if len(key.path) != len(node.path) or path != node.path:
        msg = f"the key must have one value for each of the {node.path[-1].name}"
        raise AxisError(msg, values=[("value", node.text), ("key", key.text)], hint="use a column of the same rows")
    return node, aligned
