"""The value of a name: a column of the user's, an alias, or a stored column, in this order."""

from __future__ import annotations

from hep_tables_coffea.errors import DataError
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.record.aliases import expand_alias
from hep_tables_coffea.record.columns import find_column
from hep_tables_coffea.types.elements import Record
from hep_tables_coffea.types.schema import Leaf

__all__ = ["named_value"]


def named_value(node: Node, name: str) -> Node | None:
    """What a name means on a record, or None where it means nothing."""
    column = find_column(node, name)
    if column is not None:
        return column
    alias = expand_alias(node, name)
    if alias is not None:
        return alias
    if not build.has_field(node, name):
        return None
    stored = node.type.group.fields.get(name) if isinstance(node.type, Record) and node.type.group else None
    if isinstance(stored, Leaf) and stored.problem:
        msg = f"the column {name!r} cannot be read: {stored.problem}"
        raise DataError(msg, values=[("record", node.text)])
    return build.field(node, name)
