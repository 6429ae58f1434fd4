"""From nested lists to awkward arrays of the declared types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from hep_tables_coffea.backends.reference.questions import fields_of
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.types import infer
from hep_tables_coffea.types.elements import Number, Record, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Kind", "RecordKind", "kind_of", "layout_of"]


@dataclass(frozen=True, slots=True)
class RecordKind:
    """The type of a record: of each field how many lists deep it is and what is in them."""

    fields: Mapping[str, tuple[int, Kind]]
    name: str = ""
    option: bool = False


Kind = Number | Text | RecordKind


def kind_of(node: g.Node, fields: Iterable[str] | None = None) -> Kind:
    """The type of one element, with the types of fields."""
    element = node.type
    if not isinstance(element, Record):
        return element
    members: dict[str, tuple[int, Kind]] = {}
    if isinstance(node, g.Behave):
        for name in element.fields:
            members[name] = 0, infer.field_of_form(node.form, name)  # type: ignore[assignment]
        return RecordKind(members, element.behavior, element.option)
    for name in fields_of(node) if fields is None else fields:
        member = build.field(node, name)
        members[name] = len(member.path) - len(node.path), kind_of(member)
    return RecordKind(members, element.behavior, element.option)


def layout_of(values: Sequence[Any], depth: int, kind: Kind, names: bool = False) -> ak.contents.Content:
    """Values that are `depth` lists deep as a layout; `names` keeps the names of records, for behaviors."""
    if depth:
        offsets = np.cumsum([0, *map(len, values)])
        inner = layout_of([row for rows in values for row in rows], depth - 1, kind, names)
        return ak.contents.ListOffsetArray(ak.index.Index64(offsets), inner)
    if kind.option:
        there = [value is not None for value in values]
        index = np.where(there, np.cumsum(there, dtype=np.int64) - 1, -1).astype(np.int64)
        inner = _required([value for value in values if value is not None], kind, names)
        return ak.contents.IndexedOptionArray(ak.index.Index64(index), inner)
    return _required(values, kind, names)


def _required(values: Sequence[Any], kind: Kind, names: bool) -> ak.contents.Content:
    if any(value is None for value in values):
        msg = f"a value is missing where the type {kind} says that none is"
        raise ValueError(msg)
    if isinstance(kind, RecordKind):
        contents = [
            layout_of([value[name] for value in values], depth, inner, names)
            for name, (depth, inner) in kind.fields.items()
        ]
        parameters = {"__record__": kind.name} if names and kind.name else None
        return ak.contents.RecordArray(contents, _names(kind.fields), length=len(values), parameters=parameters)
    if isinstance(kind, Text):
        return ak.Array([*values, ""]).layout[: len(values)]
    return ak.contents.NumpyArray(np.array(values, dtype=kind.dtype))


def _names(fields: Iterable[str]) -> list[str] | None:
    """The names of fields; None for members of a tuple, which are numbered."""
    names = list(fields)
    return None if names == [str(number) for number in range(len(names))] else names
