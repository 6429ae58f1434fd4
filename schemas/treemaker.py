"""CMS TreeMaker ntuples: split vectors such as `Jets.fCoordinates.fPt`, and columns beside them such as `Jets_ptD`.

Names are those of `coffea.nanoevents.TreeMakerSchema`: `Jets.pt`, `Jets.ptD`, `PrimaryVertices.x`. What coffea nests by
a column of counts (`JetsAK8_subjets` by `JetsAK8_subjetsCounts`) is a collection of its own here, all jets' subjets in
one list: how many belong to which jet is data, and no type says it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.schemas._grouping import Fields, place, refuse_rules
from hep_tables_coffea.schemas._vectors import BEHAVIORS, coordinates, dimensions, lorentz
from hep_tables_coffea.types.schema import Group, Leaf, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TreeMaker", "pack"]

_COORDINATES = {"fPt": "pt", "fEta": "eta", "fPhi": "phi", "fE": "energy", "fX": "x", "fY": "y", "fZ": "z"}
_SPLIT = ".fCoordinates."
_COUNTS = "Counts"

_Members = dict[str, dict[str, Leaf]]


@dataclass(frozen=True, slots=True)
class TreeMaker:
    """The schema pack for TreeMaker."""

    name: str = "treemaker"
    description: str = "CMS TreeMaker ntuples: Jets.fCoordinates.fPt is Jets.pt, Jets_ptD is Jets.ptD"
    trees: tuple[str, ...] = ("PreSelection", "tree")
    generator: tuple[str, ...] = ("Gen",)

    def matches(self, columns: Mapping[str, Leaf]) -> int:
        """By vectors of ROOT's GenVector that are split."""
        return 90 if any(_SPLIT in name for name in columns) else 0

    def build(self, columns: Mapping[str, Leaf], **rules: Any) -> Schema:
        refuse_rules(self.name, rules)
        members = _vectors(columns)
        singles: dict[str, Leaf] = {}
        inner = _records_of_rows(members, columns)
        for name, leaf in columns.items():
            if _SPLIT in name:
                continue
            owner = _owner(name, columns, members)
            if owner:
                members[owner][name[len(owner) + 1 :]] = leaf
            else:
                singles[name] = leaf
        root: Fields = {}
        for name, fields in members.items():
            if name not in inner:
                records = {part[len(name) + 1 :]: members[part] for part, owner in inner.items() if owner == name}
                root[name] = _group(name, fields, records)
        for name, leaf in singles.items():
            place(root, name, leaf)
        return Schema(self.name, Group("events", root), BEHAVIORS)


pack = TreeMaker()


def _vectors(columns: Mapping[str, Leaf]) -> _Members:
    """The split vectors by the name of their object, and objects that only have other columns (`JetsJERup`)."""
    found: _Members = defaultdict(dict)
    for name, leaf in columns.items():
        owner, split, coordinate = name.partition(_SPLIT)
        if split:
            found[owner][_COORDINATES.get(coordinate, coordinate)] = leaf
    for name, leaf in columns.items():
        owner, _, field = name.rpartition("_")
        # an event's quantity for other jets, `MT_AK8`, and what is part of a known object are no objects
        apart = field == "AK8" or f"{name}{_COUNTS}" in columns or _SPLIT in name
        if owner and leaf.depth > 0 and not apart and not _owner(name, columns, found):
            found[owner] = {}
    return found


def _owner(name: str, columns: Mapping[str, Leaf], members: _Members) -> str:
    """The object that a column belongs to: the longest name that it begins with."""
    leaf, parts = columns[name], name.split("_")
    if leaf.depth == 0 or leaf.problem or f"{name}{_COUNTS}" in columns:
        return ""
    owners = ("_".join(parts[:k]) for k in range(len(parts) - 1, 0, -1))
    return next((owner for owner in owners if owner in members), "")


def _records_of_rows(members: _Members, columns: Mapping[str, Leaf]) -> dict[str, str]:
    """Vectors that are a part of each row of another object, `Tracks_referencePoint`: part -> owner."""
    found = {}
    for name in members:
        owner = name.rpartition("_")[0]
        if owner in members and f"{name}{_COUNTS}" not in columns and members[name]:
            found[name] = owner
    return found


def _group(name: str, fields: dict[str, Leaf], records: Mapping[str, dict[str, Leaf]]) -> Group:
    members: Fields = dict(fields)
    for record, inner in records.items():
        place(members, record, Group(record, dict(inner), behavior=_behavior(inner)))
    return Group(name, members, True, _behavior(members))


def _behavior(fields: Mapping[str, Leaf | Group]) -> str:
    seen = coordinates(fields, 1)
    return "ThreeVector" if dimensions(seen) == 3 and {"x", "y", "z"} <= seen else lorentz(seen)
