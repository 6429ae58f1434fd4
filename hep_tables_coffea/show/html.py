"""HTML of types, for notebooks."""

from __future__ import annotations

from html import escape

from hep_tables_coffea.graph import build
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.types.elements import Record
from hep_tables_coffea.types.schema import Leaf

__all__ = ["array_html"]


def array_html(node: Node) -> str:
    """The type of a recorded value, and a table of its columns with the doc line of each branch."""
    head = f"<code>{escape(node.text)}</code>"
    if not isinstance(node.type, Record):
        return head
    rows = "".join(_row(node, name) for name in node.type.fields)
    table = f"<table><tr><th>column</th><th>type</th><th>about</th></tr>{rows}</table>"
    return f"<details><summary>{head}, {len(node.type.fields)} columns</summary>{table}</details>"


def _row(node: Node, name: str) -> str:
    member = build.field(node, name)
    group = node.type.group if isinstance(node.type, Record) else None
    stored = group.fields.get(name) if group is not None else None
    doc = stored.doc or (stored.problem if isinstance(stored, Leaf) else "") if stored is not None else ""
    cells = "".join(f"<td>{escape(text)}</td>" for text in (name, member.text, doc))
    return f"<tr>{cells}</tr>"
