"""The user's own names: what a value was assigned to on the line that recorded it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from hep_tables_coffea.errors import Where
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.types.elements import Record

__all__ = ["assigned", "name_hints"]

_ONE = re.compile(r"^([A-Za-z_]\w*)\s*(?::[^=]+)?=(?!=)")
_SEVERAL = re.compile(r"^\(?([A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)+)\)?\s*=(?!=)")


@functools.lru_cache(maxsize=10_000)
def assigned(where: Where) -> str | None:
    """The variable that the line assigns to."""
    found = _ONE.match(where.source)
    return found.group(1) if found else None


@functools.lru_cache(maxsize=10_000)
def _several(where: Where) -> tuple[str, ...]:
    found = _SEVERAL.match(where.source)
    return tuple(part.strip() for part in found.group(1).split(",")) if found else ()


def name_hints(nodes: Iterable[g.Node]) -> dict[g.Node, str]:
    """For each line that assigns, the last value that it recorded has the name of the variable."""
    last: dict[Where, g.Node] = {}
    hints: dict[g.Node, str] = {}
    for node in nodes:
        if isinstance(node, (g.Field, g.Literal, g.Source, g.Metadata)):
            continue
        names = _several(node.where)
        if isinstance(node, g.Side) and isinstance(node.type, Record) and node.slot < len(names):
            hints[node] = names[node.slot]
        elif assigned(node.where) and (node.where not in last or node.serial > last[node.where].serial):
            last[node.where] = node
    hints.update({node: str(assigned(where)) for where, node in last.items()})
    return hints
