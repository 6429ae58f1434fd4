"""Delphes: `Jet.PT` is `Jet.PT` and, as vectors call it, `Jet.pt`.

Names are those of `coffea.nanoevents.DelphesSchema`, with the same second names for what vectors need. What Delphes
stores as a list of one (`Event`, `MissingET`, `ScalarHT`, ...) stays that list: `MissingET[0].MET`, or `.First()`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hep_tables_coffea.schemas._grouping import Fields, nested, place, refuse_rules, set_aside
from hep_tables_coffea.schemas._vectors import coordinates, dimensions
from hep_tables_coffea.types.schema import Group, Leaf, Schema

__all__ = ["Delphes", "pack"]

_JETS = re.compile(r"(Calo|Gen|ParticleFlow|Track|Fat)?Jet(PUPPI)?(AK)?\d*")
_BEHAVIORS = {
    "Particle": "Particle",
    "Track": "Track",
    "EFlowTrack": "Track",
    "Tower": "Tower",
    "EFlowNeutralHadron": "Tower",
    "EFlowPhoton": "Photon",
    "Photon": "Photon",
    "PhotonCHS": "Photon",
    "Electron": "Electron",
    "ElectronCHS": "Electron",
    **dict.fromkeys(("Muon", "MuonTight", "MuonLoose", "MuonTightCHS", "MuonLooseCHS"), "Muon"),
}
_MASSLESS = ("Photon", "Electron", "Muon", "Tower")
_MISSING = ("MissingET", "GenMissingET", "GenPileUpMissingET", "PuppiMissingET")
#: Field -> stored names, the first that is there.
_MOMENTUM = {"pt": ("PT", "ET"), "eta": ("Eta",), "phi": ("Phi",), "mass": ("Mass",)}
_TRANSVERSE = {"pt": ("MET",), "phi": ("Phi",)}
_POSITION = {"t": ("T",), "x": ("X",), "y": ("Y",), "z": ("Z",)}
#: The members of a TLorentzVector.
_LORENTZ = {"x": "fX", "y": "fY", "z": "fZ"}


@dataclass(frozen=True, slots=True)
class Delphes:
    """The schema pack for Delphes."""

    name: str = "delphes"
    description: str = "Delphes: Jet.PT is Jet.PT, and Jet.pt for vectors"
    trees: tuple[str, ...] = ("Delphes",)

    def matches(self, columns: Mapping[str, Leaf]) -> int:
        """By names of objects with a dot and a capital letter, and by how the counters are called."""
        momenta = [name for name in columns if name.endswith((".PT", ".MET", ".HT"))]
        counted = any(f"{name.partition('.')[0]}_size" in columns for name in momenta)
        return 92 if counted else 70 if any(name.endswith(".PT") for name in momenta) else 0

    def build(self, columns: Mapping[str, Leaf], **rules: Any) -> Schema:
        refuse_rules(self.name, rules)
        members: dict[str, dict[str, Leaf]] = defaultdict(dict)
        singles: dict[str, Leaf] = {}
        for name, leaf in columns.items():
            owner, dot, variable = name.rpartition("/")[2].partition(".")
            if dot and variable not in members[owner]:
                members[owner][variable.replace("[", "_").replace("]", "")] = leaf
            else:
                singles[name] = leaf
        root: Fields = {name: _group(name, fields, columns) for name, fields in members.items() if fields}
        for name, leaf in singles.items():
            place(root, name, leaf)
        return Schema(self.name, Group("events", root), "coffea.nanoevents.methods.delphes")


pack = Delphes()


def _group(name: str, variables: Mapping[str, Leaf], columns: Mapping[str, Leaf]) -> Group:
    listed = any(leaf.depth > 0 for leaf in variables.values())
    depth = int(listed)
    fields = {field: _vector(member) for field, member in nested(variables, depth).items()}
    behavior = _second_names(name, fields, depth)
    counter = f"{name}_size" if listed and f"{name}_size" in columns else ""
    return Group(name, fields, listed, behavior, counter)


def _second_names(name: str, fields: Fields, depth: int) -> str:
    """Give fields the names that vectors need; the behavior that the record then has."""
    behavior = "Jet" if _JETS.fullmatch(name) else _BEHAVIORS.get(name, "")
    if name in _MISSING:
        behavior, wanted, size = "PolarTwoVector", _TRANSVERSE, 2
    elif name == "Vertex":
        behavior, wanted, size = "Vertex", _POSITION, 4
    else:
        wanted, size = _MOMENTUM, 4
    for field, stored in wanted.items() if behavior else ():
        leaf = next((fields[other] for other in stored if other in fields), None)
        if leaf is not None and field not in fields:
            fields[field] = leaf
    if behavior in _MASSLESS and "mass" not in fields and "pt" in fields:
        fields["mass"] = Leaf(f"{name}.mass", "float32", depth, constant=0.0, like="pt")
    if "E" in fields and "mass" in fields:
        # a vector has one of them; coffea drops the energy
        set_aside(fields, "E")
    return behavior if dimensions(coordinates(fields, depth)) == size else ""


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
