"""The value of a name: a column of the user's, an alias, or a stored column, in this order."""

from __future__ import annotations

from hep_tables_coffea.graph import build
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.record.aliases import expand_alias
from hep_tables_coffea.record.columns import find_column

__all__ = ["named_value"]


def named_value(node: Node, name: str) -> Node | None:
    """What a name means on a record, or None where it means nothing."""
    column = find_column(node, name)
    if column is not None:
        return column
    alias = expand_alias(node, name)
    if alias is not None:
        return alias
    return build.field(node, name) if build.has_field(node, name) else None
