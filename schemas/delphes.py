"""Delphes: `Jet.PT` is `Jet.PT` and, as vectors call it, `Jet.pt`.

Names are those of `coffea.nanoevents.DelphesSchema`, with the same second names for what vectors need. What Delphes
stores as a list of one (`Event`, `MissingET`, `ScalarHT`, ...) stays that list: `MissingET[0].MET`, or `.First()`.
Vectors are those of coffea's candidates and not its classes for Delphes, which cannot add a muon to a jet.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.schemas._grouping import Fields, nested, place, refuse_rules, set_aside
from hep_tables_coffea.schemas._vectors import BEHAVIORS, coordinates, dimensions, lorentz
from hep_tables_coffea.types.schema import Group, Leaf, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Delphes", "pack"]

#: Objects without a `Mass`, for which Delphes and coffea take none.
_MASSLESS = ("Electron", "Muon", "Photon", "Tower", "EFlowPhoton", "EFlowNeutralHadron")
#: Field -> stored names, the first that is there.
_MOMENTUM = {"pt": ("PT", "ET"), "eta": ("Eta",), "phi": ("Phi",), "mass": ("Mass",), "charge": ("Charge",)}
_MISSING = {"pt": ("MET",), "phi": ("Phi",)}
_POSITION = {"x": ("X",), "y": ("Y",), "z": ("Z",), "t": ("T",)}
#: The members of a TLorentzVector.
_LORENTZ = {"x": "fX", "y": "fY", "z": "fZ"}


@dataclass(frozen=True, slots=True)
class Delphes:
    """The schema pack for Delphes."""

    name: str = "delphes"
    description: str = "Delphes: Jet.PT is Jet.PT, and Jet.pt for vectors"
    trees: tuple[str, ...] = ("Delphes",)
    generator: tuple[str, ...] = ("",)  # it simulates detectors, and nothing else

    def matches(self, columns: Mapping[str, Leaf]) -> int:
        """By names of objects with a dot and capital letters, and by how the counters are called."""
        momenta = [name for name in columns if name.endswith((".PT", ".MET", ".HT"))]
        if any(f"{name.partition('.')[0]}_size" in columns for name in momenta):
            return 92
        return 70 if momenta else 0

    def build(self, columns: Mapping[str, Leaf], **rules: Any) -> Schema:
        refuse_rules(self.name, rules)
        members: dict[str, dict[str, Leaf]] = defaultdict(dict)
        singles: dict[str, Leaf] = {}
        for name, leaf in columns.items():
            owner, dot, variable = name.rpartition("/")[2].partition(".")
            # Tau[5] is called Tau_5, as coffea calls it
            variable = variable.replace("[", "_").replace("]", "")
            if dot and variable not in members[owner]:
                members[owner][variable] = leaf
            else:
                singles[name] = leaf
        root: Fields = {name: _group(name, fields, columns) for name, fields in members.items() if fields}
        for name, leaf in singles.items():
            place(root, name, leaf)
        return Schema(self.name, Group("events", root), BEHAVIORS)


pack = Delphes()


def _group(name: str, variables: Mapping[str, Leaf], columns: Mapping[str, Leaf]) -> Group:
    listed = any(leaf.depth > 0 for leaf in variables.values())
    fields = {field: _vector(member) for field, member in nested(variables, int(listed)).items()}
    behavior = _complete(name, fields, int(listed))
    counter = f"{name}_size" if listed and f"{name}_size" in columns else ""
    return Group(name, fields, listed, behavior, counter)


def _complete(name: str, fields: Fields, depth: int) -> str:
    """Give fields the names that vectors need; the behavior that the record then has."""
    if name.endswith("MissingET"):
        _rename(fields, _MISSING)
        return "PolarTwoVector" if dimensions(coordinates(fields, depth)) == 2 else ""
    if name == "Vertex":
        _rename(fields, _POSITION)
    elif "Eta" in fields and "Phi" in fields:
        _rename(fields, _MOMENTUM)
        if name.startswith(_MASSLESS) and "mass" not in fields and "pt" in fields:
            fields["mass"] = Leaf(f"{name}.mass", "float32", depth, constant=0.0, like="pt")
        if "E" in fields and "mass" in fields:
            # a vector has one of them, and coffea drops the energy
            set_aside(fields, "E")
    return lorentz(coordinates(fields, depth))


def _rename(fields: Fields, wanted: Mapping[str, tuple[str, ...]]) -> None:
    for field, stored in wanted.items():
        member = next((fields[name] for name in stored if name in fields), None)
        if member is not None and field not in fields:
            fields[field] = member


def _vector(member: Leaf | Group) -> Leaf | Group:
    """A TLorentzVector as (x, y, z, t)."""
    if isinstance(member, Leaf):
        return member
    momentum, energy = member.fields.get("fP"), member.fields.get("fE")
    if not isinstance(momentum, Group) or energy is None or not set(_LORENTZ.values()) <= set(momentum.fields):
        return member
    parts = {name: momentum.fields[stored] for name, stored in _LORENTZ.items()}
    rest = {name: field for name, field in member.fields.items() if name not in ("fP", "fE")}
    return Group(member.name, {**parts, "t": energy, **rest}, member.is_list, "LorentzVector")
