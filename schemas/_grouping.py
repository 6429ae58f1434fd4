"""What the packs share: names that are taken, records in records, and rules that a pack does not have."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.types.schema import Group, Leaf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Fields", "nearest", "nested", "place", "refuse_rules", "set_aside"]

Fields = dict[str, Leaf | Group]


def place(fields: Fields, name: str, member: Leaf | Group) -> None:
    """Add a member under its name, or where that is taken, the name with underscores: no column hides another."""
    while name in fields:
        name += "_"
    fields[name] = member


def nested(variables: Mapping[str, Leaf], depth: int) -> Fields:
    """Variables, where those with a dot are records: `TruthLink.m_persKey`, a list of them if they are deeper."""
    fields: Fields = {}
    inner: dict[str, dict[str, Leaf]] = {}
    for variable, leaf in variables.items():
        record, dot, member = variable.partition(".")
        if dot and record and member:
            inner.setdefault(record, {})[member] = leaf
        else:
            fields[variable] = leaf
    for record, members in inner.items():
        lists = min(leaf.depth for leaf in members.values()) > depth and not _arrays_only(members)
        place(fields, record, Group(record, nested(members, depth + lists), bool(lists)))
    return fields


def _arrays_only(members: Mapping[str, Leaf]) -> bool:
    """Whether the record is one for each row, and its members are arrays: `covMatrix.values[6]`."""
    return all("[" in member for member in members)


def set_aside(fields: Fields, name: str) -> None:
    """Move a field to the record `stored`: behaviors do not see it there, and whoever wants it reads `stored.e`."""
    place(fields, "stored", Group("stored", {name: fields.pop(name)}))


def refuse_rules(pack: str, rules: Mapping[str, Any]) -> None:
    """Raise `ValueError` for rules that a pack without rules is given."""
    if rules:
        msg = f"the schema {pack!r} takes no {', '.join(map(repr, rules))}: only 'flat' is told how to group columns"
        raise ValueError(msg)


def nearest(pattern: str, names: Iterable[str]) -> str:
    """The names most like a pattern, as the end of a message."""
    names = list(names)
    found = difflib.get_close_matches(pattern.strip("*"), names, n=3, cutoff=0.3) or names[:3]
    return f"the columns most like it: {', '.join(found)}" if found else "there are no columns"
