"""Rewrites for code that computes with whole arrays: the same values with less work."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.plan.lower import lower_counts
from hep_tables_coffea.types.elements import Element, Number, Record, Text, number, optional

__all__ = ["cheaper", "is_place"]


def cheaper(node: g.Node, known: Container[g.Node]) -> g.Node:
    """The node as whole arrays compute it with the least work; `known` are computed anyhow."""
    made = _events_last(_pick_sum(node, known), known)
    for rewrite in (lower_counts, _index_alone, _pick_place, _sum_components, _compare_numbers):
        if made is not node:
            return cheaper(made, known)
        made = rewrite(node)
    return made if made is node else cheaper(made, known)


def is_place(node: g.Node) -> bool:
    """Whether a value is the position of each row in its list."""
    return isinstance(node, g.Arrange) and node.function == "local_index"


def _again(node: g.Node, args: Sequence[g.Node], element: Element) -> g.Node:
    """The same done to other values on the same rows."""
    return type(node).make(tuple(args), node.params, node.path, element, node.where)


def _on_side(side: g.Node, value: g.Node) -> g.Node:
    """Another value of the members of the same pairs."""
    return _again(side, [value if k == side.slot else arg for k, arg in enumerate(side.args)], value.type)


def _events_last(node: g.Node, known: Container[g.Node]) -> g.Node:
    """Lists of which rows were selected are not selected again in some of the events."""
    if not isinstance(node, g.Restrict) or isinstance(node.type, Record) or node.args[0].path[0] is node.path[0]:
        return node
    of_all = build.restrict(node.args[0], (node.args[0].path[0], *node.path[1:]))
    if of_all is node.args[0] or of_all is node or of_all not in known:
        return node
    return _again(node, [of_all], node.type)


# -- one of many pairs -----------------------------------------------------------------------------------------------


def _index_alone(node: g.Node) -> g.Node:
    """An index that only picks says with -1 that there is no row."""
    if not isinstance(node, g.Pick) or isinstance(node.type, Record) or node.constant is not None:
        return node
    index = _bare(node.args[1])
    return node if index is node.args[1] else _again(node, [node.args[0], index], node.type)


def _bare(index: g.Node) -> g.Node:
    if not isinstance(index, g.Reduce) or index.function not in ("argmin", "argmax") or not index.type.option:
        return index
    params = (index.function, (*index.options, ("mask_identity", False)))
    return g.Reduce.make(index.args, params, index.path, number("int64"), index.where)


def _pick_place(node: g.Node) -> g.Node:
    """A member of one of many pairs is found by its place: no column of all pairs is made for it."""
    return _by_place(node) if isinstance(node, g.Pick) and not isinstance(node.type, Record) else node


def _by_place(node: g.Node) -> g.Node:
    pairs = node.args[0]
    side = pairs.args[0] if isinstance(pairs, g.Restrict) else pairs
    position = node.position
    if node.constant is not None or not isinstance(side, g.Side) or side.position != position:
        return node
    value = side.args[side.slot]
    if is_place(value) or len(value.path) != position + 1:
        return node
    places = g.Arrange.make((_rows(value),), ("local_index", ()), value.path, number("int64"), node.where)
    place = _again(node, [build.restrict(_on_side(side, places), pairs.path), node.args[1]], number("int64", True))
    rows = build.restrict(value, (*pairs.path[:position], value.path[position]))
    return _again(node, [rows, place], node.type)


def _rows(node: g.Node) -> g.Node:
    """The rows that a value is on: the same for all values of one collection."""
    if isinstance(node, g.Restrict):
        return build.restrict(_rows(node.args[0]), node.path)
    if isinstance(node, g.Side):
        return _on_side(node, _rows(node.args[node.slot]))
    if isinstance(node, (g.Call, g.Behave, g.Zip)):
        same = [arg for arg in node.args if arg.path == node.path]
        return _rows(same[0]) if same else build.anchor(node)
    if isinstance(node, g.Field) and node.args[0].path == node.path:
        return _rows(node.args[0])
    return build.anchor(node)


# -- sums of vectors -------------------------------------------------------------------------------------------------

_COMPONENTS = ("x", "y", "z", "t")


def _sum_components(node: g.Node) -> g.Node:
    """Vectors that stand in many pairs are taken apart into x, y, z and t once, and not for each pair."""
    if not isinstance(node, g.Behave) or node.method != "add" or not isinstance(node.type, Record):
        return node
    if node.type.fields not in (_COMPONENTS, (*_COMPONENTS, "charge")):
        return node
    args = [_apart(arg, node.type) for arg in node.args]
    if all(made is arg for made, arg in zip(args, node.args)):
        return node
    again = functions.behave(args[0], "add", "operator", args[1:])
    return _again(again, again.args, again.type) if (again.path, again.form) == (node.path, node.form) else node


def _apart(node: g.Node, total: Record) -> g.Node:
    """The vectors by their components, where they are members of pairs and stored in another way."""
    if isinstance(node, g.Pick):
        inner = _apart(node.args[0], total)
        made = _again(node, [inner, *node.args[1:]], optional(inner.type))
        return node if inner is node.args[0] else _by_place(made)
    if isinstance(node, g.Restrict):
        inner = _apart(node.args[0], total)
        return node if inner is node.args[0] else _again(node, [inner], inner.type)
    node = _as_side(node)
    if not isinstance(node, g.Side):
        return node
    vectors = node.args[node.slot]
    if isinstance(vectors, g.Behave) or vectors.type.option or set(_COMPONENTS) & set(vectors.type.fields):
        return node
    members = {name: functions.behave(vectors, name, "property") for name in _COMPONENTS}
    members |= {name: build.field(vectors, name) for name in total.fields[4:]}
    return _on_side(node, build.zip_fields(members, total.behavior))


def _as_side(node: g.Node) -> g.Node:
    """Members of pairs that are put together from columns, as rows of one record."""
    if not isinstance(node, g.Zip) or not all(isinstance(arg, g.Side) for arg in node.args):
        return node
    first = node.args[0]
    if any(arg.params != first.params for arg in node.args):
        return node
    inner = build.zip_fields({n: arg.args[arg.slot] for n, arg in zip(node.names, node.args)}, node.behavior)
    return _on_side(first, inner)


def _pick_sum(node: g.Node, known: Container[g.Node]) -> g.Node:
    """The sum of picked vectors, where the sums of all are known, is picked from these."""
    if not isinstance(node, g.Behave) or node.method != "add":
        return node
    found = _unpicked(node)
    if found is None or found[0] not in known:
        return node
    total, index, params = found
    return g.Pick.make((total, _bare(index)), params, node.path, optional(total.type), node.where)


def _unpicked(node: g.Node) -> tuple[g.Node, g.Node, tuple[Any, ...]] | None:
    """A sum before one of them is picked: the sum of all, the index, and how it is picked."""
    if isinstance(node, g.Pick):
        return (node.args[0], node.args[1], node.params) if node.constant is None else None
    if not isinstance(node, g.Behave) or node.method != "add":
        return None
    found = [_unpicked(arg) for arg in node.args]
    first = found[0]
    if first is None or any(one is None or one[1:] != first[1:] for one in found):
        return None
    _, index, params = first
    return functions.behave(first[0], "add", "operator", [one[0] for one in found[1:] if one]), index, params


# -- names -----------------------------------------------------------------------------------------------------------


def _compare_numbers(node: g.Node) -> g.Node:
    """Names that are the program's own, and only compared, are compared as numbers."""
    if not isinstance(node, g.Call) or node.function not in ("np.equal", "np.not_equal"):
        return node
    if not all(isinstance(arg.type, Text) and _is_named(arg) for arg in node.args) or not node.path:
        return node
    codes: dict[str, int] = {}
    args = sorted(range(len(node.args)), key=lambda k: isinstance(node.args[k], g.Literal))
    made = {k: _coded(node.args[k], codes) for k in args}
    return _again(node, [made[k] for k in range(len(node.args))], node.type)


_MOVED = (g.Restrict, g.Side, g.Nest, g.Pick, g.Flatten)


def _is_named(node: g.Node) -> bool:
    """Whether a value is one of some constants, by the collection that its row is from."""
    if isinstance(node, g.Literal):
        return True
    if isinstance(node, g.Join):
        return all(map(_is_named, node.args))
    if isinstance(node, _MOVED):
        return _is_named(node.args[node.slot if isinstance(node, g.Side) else 0])
    return isinstance(node, g.Call) and node.function == "ht.broadcast" and _is_named(node.args[0])


def _coded(node: g.Node, codes: dict[str, int]) -> g.Node:
    """The number of each name in place of the name."""
    if isinstance(node, g.Literal):
        return build.literal(codes.setdefault(node.value, len(codes)))
    element = Number(number("int64").dtype, node.type.option)
    if isinstance(node, g.Join):
        return _again(node, [_coded(arg, codes) for arg in node.args], element)
    slot = node.slot if isinstance(node, g.Side) else 0
    return _again(node, [_coded(arg, codes) if k == slot else arg for k, arg in enumerate(node.args)], element)
