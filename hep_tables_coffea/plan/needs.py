"""What single nodes need: the parts of a record, the rows of a collection, what a chunk has to compute."""

from __future__ import annotations

from collections.abc import Mapping

from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Path
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.types.elements import Record
from hep_tables_coffea.types.schema import Leaf

__all__ = [
    "anchor_paths",
    "any_column",
    "captured",
    "chunk_nodes",
    "gathers",
    "is_moved",
    "is_record",
    "readable",
    "scalar_walk",
]

_MOVED = (g.Restrict, g.Pick, g.Side, g.Nest)


def is_record(node: g.Node) -> bool:
    """Whether a value is a record that is put together from its fields, and not the vector that a method gives."""
    return isinstance(node.type, Record) and not isinstance(node, g.Behave)


def is_moved(node: g.Node) -> bool:
    """Whether a record is moved as a whole, and not put together from its columns."""
    return isinstance(node, _MOVED) or (isinstance(node, g.Call) and node.function == "ak.mask")


def chunk_nodes(outputs: Mapping[str, g.Node]) -> list[g.Node]:
    """What `process` computes: the columns, and what aggregates and histograms take."""
    needed: list[g.Node] = []
    for node in outputs.values():
        if isinstance(node, g.Fill):
            needed += node.args
        elif node.path:
            needed.append(node)
        else:
            for scalar in scalar_walk(node):
                if isinstance(scalar, (g.Aggregate, g.Fill)):
                    needed += scalar.args
    return needed


def scalar_walk(node: g.Node) -> list[g.Node]:
    """The nodes of an expression of dataset-wide values, down to the aggregates."""
    stop = (g.Aggregate, g.Fill)
    return list(walk([node], lambda n: () if isinstance(n, stop) else n.needs))


def readable(node: g.Node) -> list[str]:
    """The fields of a record that can be an output: all but stored columns that cannot be interpreted."""
    assert isinstance(node.type, Record)
    group = node.type.group
    if group is None:
        return list(node.type.fields)
    members = group.fields
    return [n for n in node.type.fields if not (isinstance(members[n], Leaf) and members[n].problem)]  # type: ignore[union-attr]


def any_column(record: g.Node) -> g.Node:
    """Some stored column of a collection."""
    assert isinstance(record.type, Record)
    assert record.type.group is not None
    for name, leaf in record.type.group.fields.items():
        if isinstance(leaf, Leaf) and not leaf.problem and leaf.constant is None:
            column = build.field(record, name)
            if len(column.path) == len(record.path):
                return column
    msg = f"no column of {record.type.group.name} can be read"
    raise ValueError(msg)


def anchor_paths(node: g.Node) -> list[Path]:
    """The paths of which the code of a node needs the counts."""
    if isinstance(node, g.Nest) or (isinstance(node, g.Call) and node.function == "ht.broadcast"):
        return [node.args[1].path]
    if isinstance(node, g.Side):
        inputs = node.axis.inputs if node.axis.kind == "cross" else node.axis.inputs[:1]
        return [(*node.path[: node.position], axis) for axis in inputs]
    return []


def captured(node: g.Iterate) -> list[g.Node]:
    """The values that the steps of a loop use and that do not change in it."""
    inside = [*node.args[2 * node.size :]]
    moving: set[g.Node] = {one for one in walk(inside) if isinstance(one, g.Parameter)}
    found: dict[g.Node, None] = {}
    for one in walk(inside):
        if any(need in moving for need in one.needs):
            moving.add(one)
    for one in walk(inside):
        if one in moving:
            found.update(dict.fromkeys(need for need in one.needs if need not in moving and need.path))
        elif one in inside:
            found[one] = None
    return [one for one in found if not is_record(one)]


def gathers(node: g.Pick) -> bool:
    """Whether a pick is a gather: rows of an event's list by indices, without a list for each index."""
    nest = node.args[0]
    return isinstance(nest, g.Nest) and nest.prefix == 1 and node.position == len(nest.args[1].path)
