"""Lambda parameters: one current element, and what any other mention of a collection means beside it.

While a lambda is traced its parameter stands on an axis of its own, `current`, in place of the collection's. So a
parameter and the whole collection are two things; where they meet, the whole list is taken for every current element.
When the lambda has returned, `release` puts the collection's axis back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis, derives
from hep_tables_coffea.graph.copy import Copy
from hep_tables_coffea.graph.traverse import shared, walk

__all__ = ["current", "is_current", "nest_together", "per_row", "release"]

_numbers = count(1)


def current(node: g.Node) -> tuple[g.Node, Axis | None]:
    """The parameter of a lambda over the rows of a value, and its axis. One event at a time needs no axis of its own."""
    if len(node.path) < 2:
        return node, None
    marker = Axis("current", node.path[-1].name, params=(next(_numbers),), inputs=(node.path[-1],))
    return build.relabel(node, marker, len(node.path) - 1), marker


def is_current(axis: Axis) -> bool:
    """Whether an axis is that of a lambda parameter: one element at a time."""
    return axis.kind == "current"


def _markers(node: g.Node) -> list[Axis]:
    return [axis for axis in node.path if axis.kind == "current"]


def nest_together(nodes: Sequence[g.Node]) -> list[g.Node]:
    """Values in a lambda: whole lists are taken for every current element of the lambdas around."""
    markers = sorted({m for node in nodes for m in _markers(node)}, key=lambda axis: axis.params[0])
    if not markers:
        return list(nodes)
    nodes = _same_events(nodes)
    outer: g.Node | None = None
    for marker in markers:
        owner = next(node for node in nodes if marker in node.path)
        here = build.shrunk(owner, owner.path.index(marker) + 1)
        outer = here if outer is None else _under(here, outer)
    assert outer is not None
    return [_under(node, outer) for node in nodes]


def _same_events(nodes: Sequence[g.Node]) -> list[g.Node]:
    """All values on the same selection of events."""
    events = [node.path[0] for node in nodes if node.path]
    narrowest = max(events, key=lambda axis: sum(1 for _ in axis.lineage()))
    return [
        build.restrict(node, (narrowest, *node.path[1:])) if node.path and derives(narrowest, node.path[0]) else node
        for node in nodes
    ]


def _under(node: g.Node, outer: g.Node) -> g.Node:
    """The value with a list for every row of the outer path, where it does not follow that path already."""
    while True:
        common = shared(node.path, outer.path)
        if common in (0, len(node.path), len(outer.path)):
            return node  # it follows the path, or belongs to another dataset
        rest = [k for k in range(common + 1, len(outer.path)) if outer.path[k] is node.path[common]]
        anchor = build.shrunk(outer, rest[0]) if rest else outer
        node = build.nest(node, anchor, common)


def per_row(rows: g.Node, value: g.Node) -> g.Node:
    """The value with one entry, or one list, for each of the rows."""
    rows, value = nest_together([build.anchor(rows), value])
    path, (rows, value) = build.align([rows, value])
    if len(value.path) < len(rows.path):
        return build.broadcast(value, rows, len(rows.path))
    del path
    return value


# -- leaving a lambda ------------------------------------------------------------------------------------------------


def release(node: g.Node, marker: Axis | None) -> g.Node:
    """The value with the collection's axis in place of the parameter's."""
    if marker is None:
        return node
    copy = Copy({marker: marker.inputs[0]})
    made = copy.made
    for one in walk([node]):
        changed = any(made[need] is not need for need in one.needs)
        if isinstance(one, g.Current) and one.axis is marker:
            made[one] = made[one.args[0]]
        elif changed or any(copy.axis(axis) is not axis for axis in one.path):
            made[one] = copy.again(one, [made[arg] for arg in one.args])
        else:
            made[one] = one
    return made[node]
