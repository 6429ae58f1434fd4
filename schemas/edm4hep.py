"""EDM4hep, and FCC files before it: `MCParticles.momentum.x` is `MCParticles.px`.

Names are those of `coffea.nanoevents.EDM4HEPSchema`. Relations stay what is stored: one to one (`_X_particle.index`)
they are a record of each row, `X.particle_idx`; one to many and vector members are lists of their own, `X_daughters`,
of which each row of `X` has those from `daughters_begin` to `daughters_end`. Which collection a relation points to is
in the metadata of the file and not in its columns.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.schemas._grouping import Fields, nested, place, refuse_rules, set_aside
from hep_tables_coffea.schemas._vectors import BEHAVIORS, coordinates, dimensions, lorentz
from hep_tables_coffea.types.schema import Group, Leaf, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EDM4hep", "pack"]

_RENAMED = {"momentum.x": "px", "momentum.y": "py", "momentum.z": "pz", "energy": "E"}
_PLANE = {"a": "x", "b": "y"}
_POINTS = {frozenset("xyz"): "ThreeVector", frozenset("xy"): "TwoVector"}

_Members = dict[str, dict[str, Leaf]]


@dataclass(frozen=True, slots=True)
class EDM4hep:
    """The schema pack for EDM4hep."""

    name: str = "edm4hep"
    description: str = "EDM4hep (Key4hep, FCC): MCParticles.momentum.x is MCParticles.px"
    trees: tuple[str, ...] = ("events",)
    generator: tuple[str, ...] = ("MCParticle",)

    def matches(self, columns: Mapping[str, Leaf]) -> int:
        """By momenta of podio, and by its object identifiers."""
        return 92 if any(name.endswith((".collectionID", ".momentum.x")) for name in columns) else 0

    def build(self, columns: Mapping[str, Leaf], **rules: Any) -> Schema:
        refuse_rules(self.name, rules)
        members, singles = _split(columns)
        root: Fields = {name: _group(name, variables) for name, variables in members.items()}
        for name, leaf in singles.items():
            place(root, name.removeprefix("_"), leaf)
        return Schema(self.name, Group("events", root), BEHAVIORS)


pack = EDM4hep()


def _split(columns: Mapping[str, Leaf]) -> tuple[_Members, dict[str, Leaf]]:
    """Variables by collection, and columns that are of none."""
    members: _Members = defaultdict(dict)
    singles: dict[str, Leaf] = {}
    relations: _Members = defaultdict(dict)
    for name, leaf in columns.items():
        collection, dot, variable = name.replace("#", "_idx").partition(".")
        if not dot or leaf.depth == 0:
            singles[name] = leaf
        elif collection.startswith("_"):
            relations[collection[1:]][variable] = leaf
        else:
            members[collection][variable] = leaf
    for name, variables in relations.items():
        owner = max((c for c in members if name.startswith(f"{c}_")), key=len, default="")
        relation = name[len(owner) + 1 :]
        if owner and f"{relation}_begin" not in members[owner]:
            members[owner] |= {f"{relation}_idx.{variable}": leaf for variable, leaf in variables.items()}
        else:
            members[name] |= variables
    return members, singles


def _group(name: str, variables: Mapping[str, Leaf]) -> Group:
    flat = {_RENAMED.get(variable, variable): leaf for variable, leaf in variables.items()}
    fields = {field: _component(member) for field, member in nested(flat, 1).items()}
    seen = coordinates(fields, 1)
    if {"E", "mass"} <= seen and dimensions(seen - {"E"}) == 4:
        # a vector has one of them, and in coffea as well the mass is the one that stays
        set_aside(fields, "E")
        seen -= {"E"}
    return Group(name, fields, True, lorentz(seen))


def _component(member: Leaf | Group) -> Leaf | Group:
    """A part of a row: points are vectors, and those in a plane, (a, b), are called (x, y)."""
    if isinstance(member, Leaf):
        return member
    fields = member.fields
    if set(fields) == set(_PLANE):
        fields = {_PLANE[name]: leaf for name, leaf in fields.items()}
    return replace(member, fields=fields, behavior=_POINTS.get(frozenset(fields), ""))
