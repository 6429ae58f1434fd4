"""References between collections: `matched_gen`, `parent`, `children`, by the index columns that files hold."""

from __future__ import annotations

from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph.axes import Axis
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.types.schema import Reference

__all__ = ["follow"]


def follow(node: Node, reference: Reference) -> Node:
    """The rows of the other collection: one or none, or a list of them."""
    target = build.source_of(node)
    for name in reference.target.split("."):
        target = build.field(target, name)
    if reference.inverse:
        return _pointing_back(node, target, reference)
    indices = [_column(node, name) for name in reference.indices]
    if not reference.many:
        return _rows_at(target, indices[0])
    if len(indices) > 1:
        axis = Axis("listed", target.path[-1].name, params=("reference", len(indices)))
        return _rows_at(target, build.listed(indices, axis))
    return _rows_at(target, indices[0])


def ancestors(node: Node, reference: Reference, bound: int) -> Node:
    """The rows that a reference to the same collection leads to, one after the other: parent, grandparent, ..."""
    target = build.source_of(node)
    for name in reference.target.split("."):
        target = build.field(target, name)
    pointer = _column(target, reference.indices[0])
    chains = functions.chain(pointer, "ancestors", bound)
    return _rows_at(target, build.moved_all(node, chains))


def _column(node: Node, name: str) -> Node:
    """A column by its name, with dots where records stand in records."""
    for part in [name] if build.has_field(node, name) else name.split("."):
        node = build.field(node, part)
    return node


def _on_events(node: Node, events: Node) -> Node:
    return build.restrict(node, events.path[:1] + node.path[1:])


def _rows_at(target: Node, index: Node) -> Node:
    """The row at the index, missing where the index is negative."""
    there = functions.call("np.greater_equal", [index, build.literal(0)])
    index = functions.call("ak.mask", [index, there])
    nested = build.nest(_on_events(target, index), index, 1)
    return build.pick(nested, index, len(index.path))


def _pointing_back(node: Node, target: Node, reference: Reference) -> Node:
    """The rows of `target` whose index is the row of the node: children of a parent."""
    pointer = _column(target, reference.indices[0])
    anchor = build.row(node)
    nested = build.nest(_on_events(target, anchor), anchor, 1)
    back = build.nest(_on_events(pointer, anchor), anchor, 1)
    same = functions.call("np.equal", [back, anchor])
    if same.type.option:
        same = functions.call("ak.fill_none", [same, build.literal(False)])
    axis = Axis("subset", nested.path[-1].name + "'", parent=nested.path[-1], node=same)
    return build.restrict(nested, (*nested.path[:-1], axis))
