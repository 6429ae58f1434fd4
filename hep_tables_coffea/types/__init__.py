"""Element types, schemas, and inference."""

from __future__ import annotations

from hep_tables_coffea.types.elements import Element, Number, Record, Text, number, optional, required
from hep_tables_coffea.types.schema import Group, Leaf, Reference, Schema

__all__ = [
    "Element",
    "Group",
    "Leaf",
    "Number",
    "Record",
    "Reference",
    "Schema",
    "Text",
    "number",
    "optional",
    "required",
]
