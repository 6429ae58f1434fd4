"""Fields of records as they are stored, or as a method gives them: on which axes they are, and of which type."""

from __future__ import annotations

from hep_tables_coffea.graph.axes import Axis
from hep_tables_coffea.graph.nodes import Field, Node
from hep_tables_coffea.types.elements import Element, Number, Record, Text, number
from hep_tables_coffea.types.schema import Leaf

__all__ = ["stored"]


def stored(node: Node, name: str) -> Node:
    """A column, or a collection or group in the record; of the record of a method one of its numbers."""
    element = node.type
    assert isinstance(element, Record)
    if element.group is None:
        return Field.make((node,), (name,), node.path, _form_field(node, name), None)
    member = element.group.fields[name]
    own = node.path[-1]
    if isinstance(member, Leaf):
        path = node.path + tuple(
            Axis("rows", name + "." * k, params=(own.params[0], _axis_name(node, name) + "." * k))
            for k in range(member.depth - len(node.path) + 1)
        )
        type_: Element = Text(member.optional) if member.dtype == "str" else _leaf_number(member)
        return Field.make((node,), (name,), path, type_, None)
    path, rows = node.path, element.rows
    if member.is_list:
        rows = Axis("rows", member.name, params=(own.base.params[0], _axis_name(node, name)))
        path = (*path, rows)
    return Field.make((node,), (name,), path, Record(member.names, member.behavior, rows, member), None)


def _leaf_number(leaf: Leaf) -> Number:
    return number(leaf.dtype or "float64", leaf.optional)


def _axis_name(node: Node, name: str) -> str:
    names = [name]
    while isinstance(node, Field):
        names.append(node.name)
        node = node.args[0]
    return ".".join(reversed(names))


def _form_field(node: Node, name: str) -> Element:
    from hep_tables_coffea.types.infer import field_of_form

    return field_of_form(node.form, name)
