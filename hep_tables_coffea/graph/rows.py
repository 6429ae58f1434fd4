"""Where the rows of a record come from: what was filtered, picked, paired or joined to give them.

Moves of stored collections are nodes around the record. Moves of records that were put together have been pushed down to
their members, where all of them show the same move.
"""

from __future__ import annotations

from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.types.elements import Record

__all__ = ["beneath", "joined_parts", "moved_by", "same_rows"]

_MOVES = (g.Restrict, g.Pick, g.Nest, g.Side, g.Flatten, g.Current)


def beneath(node: g.Node) -> g.Node | None:
    """The record before its last move; None where it has not been moved."""
    if isinstance(node, g.Zip):
        return _zip_beneath(node)
    return _inner(node) if isinstance(node, _MOVES) else None


def moved_by(node: g.Node) -> g.Node:
    """A node with the last move of a record, for `build.moved`."""
    return node.args[0] if isinstance(node, g.Zip) else node


def _inner(node: g.Node) -> g.Node:
    return node.args[node.slot if isinstance(node, g.Side) else 0]


def _zip_beneath(node: g.Zip) -> g.Node | None:
    """The record of the members before a move that all of them made."""
    if not node.args or len({_move(arg) for arg in node.args}) != 1 or _move(node.args[0]) is None:
        return None
    members = {name: _inner(arg) for name, arg in zip(node.names, node.args)}
    depth = len(node.path) + (1 if isinstance(node.args[0], g.Pick) else 0)
    inner = build.zip_fields(members, node.behavior, depth=depth)
    return inner if inner is not node else None


def _move(node: g.Node) -> tuple[object, ...] | None:
    """What a move is, apart from what it moves."""
    if isinstance(node, g.Restrict):
        return (g.Restrict,)
    if isinstance(node, g.Pick):
        return (g.Pick, node.position, node.constant, *node.args[1:])
    if isinstance(node, g.Side):
        return (g.Side, node.axis, node.slot, node.position)
    return None


def same_rows(one: g.Node, other: g.Node) -> bool:
    """Whether two records are selections of the same rows: a row in the place of another one is not that row."""
    return _origin(one) == _origin(other)


def _origin(node: g.Node) -> tuple[object, ...]:
    """The record that rows are taken from, and what has been done to it apart from selections."""
    moves: list[object] = []
    while (child := beneath(node)) is not None:
        move = moved_by(node)
        if isinstance(move, g.Pick):
            moves.append((g.Pick, child.path[move.position], move.constant, *move.args[1:]))
        elif isinstance(move, g.Flatten):
            moves.append((g.Flatten, *child.path[move.position - 1 : move.position + 1]))
        elif not isinstance(move, g.Restrict):
            moves.append((type(move), *move.params))
        node = child
    return node, *moves


def joined_parts(node: g.Node) -> tuple[g.Join, list[g.Node]] | None:
    """The collections that were joined to give the rows of a record, and one of the columns that were joined."""
    if isinstance(node, g.Join):
        return node, list(node.args)
    if not isinstance(node, g.Zip) or not node.path or node.path[-1].kind != "joined":
        return None
    joins = [arg for arg in node.args if isinstance(arg, g.Join) and len(arg.path) == len(node.path)]
    found = [[_record_of(join.args[k]) for join in joins] for k in range(len(joins[0].args))] if joins else []
    parts = [next((record for record in records if record is not None), None) for records in found]
    return (joins[0], [part for part in parts if part is not None]) if parts and None not in parts else None


def _record_of(column: g.Node) -> g.Node | None:
    """The record that a stored column was read from, moved as the column was."""
    if isinstance(column, g.Field):
        record = column.args[0]
        return record if isinstance(record.type, Record) and len(record.path) == len(column.path) else None
    if not isinstance(column, _MOVES):
        return None
    inner = _record_of(_inner(column))
    return None if inner is None else build.moved(column, inner)
