"""Combining collections: pairs, cross products, the nearest, one after the other, the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hep_tables_coffea.errors import AxisError, UsageError
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph.axes import Axis, Path
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.graph.scope import is_current, nest_together
from hep_tables_coffea.record.columns import as_record
from hep_tables_coffea.record.index import subset
from hep_tables_coffea.types.elements import Record

__all__ = ["combinations", "concat", "cross", "delta_r", "metric_table", "nearest", "without", "zip_rows"]


def _needs_list(node: Node, doing: str) -> None:
    if len(node.path) < 2:
        msg = f"{doing} need a collection in each event"
        raise AxisError(msg, values=[("value", node.text)], hint="use a collection: events.Jet")


def _needs_whole_list(node: Node, doing: str) -> None:
    _needs_list(node, doing)
    if is_current(node.path[-1]):
        raise build.one_element(node, doing)


def combinations(node: Node, n: int, names: Sequence[str], replacement: bool = False) -> Node:
    """Every n rows of a list, each set of rows once."""
    _needs_whole_list(node, "combinations")
    if n < 2 or len(names) != n or len(set(names)) != n:
        msg = f"combinations of {n} need {n} names, each once, and not {list(names)}"
        raise UsageError(msg, hint='ht.combinations(x, 2, fields=["a", "b"])')
    position = len(node.path) - 1
    inner = node.path[position]
    axis = Axis("pairs", f"{inner.name}_{n}", params=(n, replacement), inputs=(inner,))
    sides = {name: build.side([node] * n, axis, k, position) for k, name in enumerate(names)}
    return build.zip_fields(sides, depth=len(node.path))


def cross(members: Mapping[str, Node], nested: bool = False) -> Node:
    """Every row of one list with every row of the others; `nested` keeps a list for each row of the first."""
    nodes = nest_together(list(members.values()))
    for node in nodes:
        _needs_whole_list(node, "cross products")
    outer, nodes = _common_outer(nodes)
    if nested:
        return _cross_nested(dict(zip(members, nodes)))
    inputs = tuple(node.path[-1] for node in nodes)
    axis = Axis("cross", "_".join(a.name for a in inputs), inputs=inputs)
    position = len(outer)
    sides = {name: build.side(nodes, axis, k, position) for k, name in enumerate(members)}
    return build.zip_fields(sides, depth=position + 1)


def _common_outer(nodes: Sequence[Node]) -> tuple[Path, list[Node]]:
    """The path around the lists, and the lists on it."""
    anchors = [build.source_of(node) for node in nodes]
    if any(anchor is not anchors[0] for anchor in anchors):
        build.align([*anchors])  # raises: two datasets
    events = [build.restrict(build.row(anchors[0]), node.path[:1]) for node in nodes]
    path, _ = build.align(events, "combine")
    if any(len(node.path) != 2 for node in nodes):
        outer = max((node.path[:-1] for node in nodes), key=len)
        if any(node.path[:-1] != outer for node in nodes):
            msg = "cross products need lists at the same level"
            raise AxisError(msg, values=[(f"value {k + 1}", node.text) for k, node in enumerate(nodes)], hint="use map")
        path = outer
    return path, [build.restrict(node, path + node.path[len(path) :]) for node in nodes]


def _cross_nested(members: Mapping[str, Node]) -> Node:
    (first, outer), *others = members.items()
    made = {first: outer}
    prefix = len(outer.path) - 1
    anchor = build.anchor(outer)
    for name, node in others:
        nested = build.nest(node, anchor, prefix)
        anchor = build.anchor(nested)
        made[name] = nested
    depth = len(anchor.path)
    return build.zip_fields(
        {
            name: node if len(node.path) >= depth else build.broadcast(node, anchor, depth)
            for name, node in made.items()
        },
        depth=depth,
    )


def every(node: Node, outer: Node) -> Node:
    """The whole list of `node` for every row of `outer`'s path."""
    prefix = len(node.path) - 1
    events, _ = build.align([build.restrict(build.row(build.source_of(n)), n.path[:1]) for n in (node, outer)])
    node = build.restrict(node, events + node.path[1:])
    outer = build.restrict(outer, events + outer.path[1:])
    return build.nest(node, build.anchor(outer), prefix)


def delta_r(one: Node, other: Node) -> Node:
    """The distance in eta and phi, with phi wrapped around."""
    parts = [build.field(node, name) for node in (one, other) for name in ("eta", "phi")]
    return functions.call("ht.delta_r", parts)


def has_direction(node: Node) -> bool:
    return all(build.has_field(node, name) for name in ("eta", "phi"))


def distance(one: Node, other: Node) -> Node:
    one, other = as_record(one), as_record(other)
    if has_direction(one) and has_direction(other):
        return delta_r(one, other)
    return functions.behave(one, "delta_r", "method", [other])


def metric_table(node: Node, other: Node) -> Node:
    """The distance of every row to every row of the other collection."""
    for value in (node, other):
        _needs_list(value, "distances")
    node, other = nest_together([node, other])
    return distance(node, every(other, node))


def nearest(node: Node, other: Node, max_dr: float | None = None) -> tuple[Node, Node]:
    """The row of `other` closest to each row of `node`, and the distance; missing beyond `max_dr`."""
    node, other = nest_together([node, other])
    _needs_whole_list(other, "the nearest")
    everywhere = every(other, node)
    apart = distance(node, everywhere)
    index = functions.reduce("argmin", apart)
    least = functions.reduce("min", apart)
    if max_dr is not None:
        close = functions.call("np.less_equal", [least, build.literal(max_dr)])
        index = functions.call("ak.mask", [index, close])
        least = functions.call("ak.mask", [least, close])
    return build.pick(everywhere, index, len(index.path)), least


def concat(parts: Mapping[str, Node]) -> Node:
    """The rows of several collections as one, with the fields that all have and `origin`."""
    nodes = nest_together(list(parts.values()))
    for node in nodes:
        _needs_whole_list(node, "concatenations")
    outer, nodes = _common_outer(nodes)
    nodes = [as_record(node) for node in nodes]
    position = len(outer)
    inputs = tuple(node.path[position] for node in nodes)
    axis = Axis("joined", "_".join(parts), params=tuple(parts), inputs=inputs)
    if len({type(node.type) for node in nodes}) > 1:
        msg = "the rows of one list are of one kind"
        raise UsageError(
            msg, values=[(name, node.text) for name, node in zip(parts, nodes)], hint="concatenate columns"
        )
    if not all(isinstance(node.type, Record) for node in nodes):
        return build.join(nodes, axis, position)
    shared = [name for name in nodes[0].type.fields if all(build.has_field(n, name) for n in nodes)]  # type: ignore[union-attr]
    members = {name: _joined(nodes, name, axis, position) for name in shared}
    fields = {name: member for name, member in members.items() if member is not None}
    origins = [build.broadcast(build.literal(name), build.anchor(n), position + 1) for name, n in zip(parts, nodes)]
    fields["origin"] = build.join(origins, axis, position)
    return build.zip_fields(fields, behavior=_shared_behavior(nodes, fields), depth=position + 1)


def _joined(nodes: Sequence[Node], name: str, axis: Axis, position: int) -> Node | None:
    members = [build.field(node, name) for node in nodes]
    kinds = {type(member.type) for member in members} | {len(member.path) for member in members}
    if len(kinds) != 2 or isinstance(members[0].type, Record):
        return None
    return build.join(members, axis, position)


def _shared_behavior(nodes: Sequence[Node], fields: Mapping[str, Node]) -> str:
    names = {node.type.behavior for node in nodes if isinstance(node.type, Record)}
    if len(names) == 1:
        return names.pop()
    if {"pt", "eta", "phi", "mass"} <= set(fields):
        return "PtEtaPhiMCandidate" if "charge" in fields else "PtEtaPhiMLorentzVector"
    return ""


def without(node: Node, others: Sequence[Node]) -> Node:
    """The rows that are not among the rows of the others."""
    node, *others = nest_together([node, *others])
    mask: Node | None = None
    for other in others:
        _check_same_rows(node, other)
        keep = _not_among(build.row(node), build.row(other), node)
        mask = keep if mask is None else functions.call("np.logical_and", [mask, keep])
    return node if mask is None else subset(node, mask)


def _check_same_rows(node: Node, other: Node) -> None:
    rows = [n.type.rows if isinstance(n.type, Record) else None for n in (node, other)]
    if rows[0] is None or rows[0] is not rows[1]:
        names = [r.name if r is not None else n.text for r, n in zip(rows, (node, other))]
        msg = f"rows of {names[1]} cannot be taken away from {names[0]}: they are other things"
        values = [("rows", node.text), ("to take away", other.text)]
        raise AxisError(
            msg, values=values, hint=f"give rows of {names[0]}: a filter of it, x[0], or a member of a pair"
        )


def _not_among(mine: Node, theirs: Node, node: Node) -> Node:
    if len(theirs.path) >= len(node.path):
        nested = every(theirs, mine)
        mine = build.restrict(mine, nested.path[:1] + mine.path[1:])
        same = functions.call("np.equal", [mine, nested])
        return functions.call("np.logical_not", [functions.reduce("any", same)])
    same = functions.call("np.equal", [mine, theirs])
    if same.type.option:
        same = functions.call("ak.fill_none", [same, build.literal(False)])
    return functions.call("np.logical_not", [same])


def zip_rows(members: Mapping[str, Node]) -> Node:
    """Records of rows that the user knows to be aligned: the first member's rows carry the identity."""
    nodes = list(members.values())
    first = nodes[0]
    for node in nodes[1:]:
        if len(node.path) != len(first.path):
            msg = "rows at different levels cannot be aligned"
            raise AxisError(msg, values=[(name, n.text) for name, n in members.items()], hint="give collections")
    anchors = build.anchor(first)
    made = {name: _renamed(node, anchors) if node is not first else node for name, node in members.items()}
    return build.zip_fields(made, depth=len(first.path))


def _renamed(node: Node, first: Node) -> Node:
    if isinstance(node.type, Record):
        fields = {name: build.field(node, name) for name in node.type.fields}
        flat = {n: _renamed(f, first) for n, f in fields.items() if len(f.path) == len(node.path)}
        return build.zip_fields(flat, node.type.behavior, depth=len(first.path))
    return build.same_rows(node, first)
