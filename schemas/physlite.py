"""ATLAS DAOD_PHYSLITE: `AnalysisElectronsAuxDyn.pt` is `Electrons.pt`.

Names are those of `coffea.nanoevents.PHYSLITESchema`: the container without `Analysis`, `Aux` and `AuxDyn`. Links to
other containers are records of `m_persKey` and `m_persIndex`, as stored; momenta are in [MeV]. Vectors are those of
coffea's candidates and not its classes for PHYSLITE, which cannot add an electron to a muon and know no charge.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.schemas._grouping import Fields, nested, place, refuse_rules, set_aside
from hep_tables_coffea.schemas._vectors import BEHAVIORS, coordinates, dimensions, lorentz
from hep_tables_coffea.types.schema import Group, Leaf, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Physlite", "pack"]

#: Container, what kind of store, and the variable. Newer files (RNTuple) have a colon where TTrees have a dot.
_VARIABLE = re.compile(r"(.+?)(?:AuxDyn|Aux)[.:](.+)")
#: Containers of which each event has one.
_RECORDS = ("EventInfo", "xTrigDecision", "TrigConfKeys")
#: Particles whose containers need not have a mass [MeV].
_MASSES = {"Electrons": 0.511, "Muons": 105.658, "Photons": 0.0}
#: What every analysis asks of an event: also found beside the collections.
_SHORT = [
    "runNumber",
    "lumiBlock",
    "eventNumber",
    "mcChannelNumber",
    "mcEventWeights",
    "actualInteractionsPerCrossing",
    "averageInteractionsPerCrossing",
]


@dataclass(frozen=True, slots=True)
class Physlite:
    """The schema pack for PHYSLITE, and for other xAOD trees of plain columns."""

    name: str = "physlite"
    description: str = "ATLAS DAOD_PHYSLITE: AnalysisElectronsAuxDyn.pt is Electrons.pt"
    trees: tuple[str, ...] = ("CollectionTree",)
    generator: tuple[str, ...] = ("Truth",)

    def matches(self, columns: Mapping[str, Leaf]) -> int:
        """By the names of the stores, which nothing else has."""
        return 95 if any("AuxDyn." in name or "AuxDyn:" in name for name in columns) else 0

    def build(self, columns: Mapping[str, Leaf], **rules: Any) -> Schema:
        refuse_rules(self.name, rules)
        containers: dict[str, dict[str, Leaf]] = defaultdict(dict)
        others: dict[str, Leaf] = {}
        for name, leaf in columns.items():
            container, variable = _parse(name)
            # a dictionary name is no variable but the store's base class, which no reader can make an array of
            if container and variable not in containers[container] and not (leaf.problem and "::" in variable):
                containers[container][variable] = leaf
            else:
                others[name] = leaf
        root: Fields = {name: _group(name, variables, columns) for name, variables in containers.items() if variables}
        _shorten(root)
        unreadable: Fields = {}
        for name, leaf in others.items():
            place(unreadable if leaf.problem else root, name, leaf)
        if unreadable:
            place(root, "unreadable", Group("unreadable", unreadable))
        return Schema(self.name, Group("events", root), BEHAVIORS)


pack = Physlite()


def _parse(column: str) -> tuple[str, str]:
    """Collection and variable, or "" where the column is of no store."""
    name = column.rpartition("/")[2]
    match = _VARIABLE.fullmatch(name)
    container, variable = match.groups() if match else name.split(".", 1) if "." in name else ("", "")
    return container.replace("Analysis", ""), variable


def _group(name: str, variables: Mapping[str, Leaf], columns: Mapping[str, Leaf]) -> Group:
    readable = [leaf for leaf in variables.values() if not leaf.problem]
    listed = name not in _RECORDS and bool(readable) and all(leaf.depth > 0 for leaf in readable)
    fields = nested(variables, int(listed))
    if not listed:
        return Group(name, fields)
    _complete(name, fields)
    seen = coordinates(fields, 1)
    # a vertex has (x, y, z, t), and no momentum
    behavior = lorentz(seen) if {"pt", "px"} & seen else ""
    # the vectors of real files have no counters, but files that uproot has written do
    counters = {leaf.counter for leaf in readable} & set(columns)
    return Group(name, fields, True, behavior, counters.pop() if len(counters) == 1 else "")


def _complete(name: str, fields: Fields) -> None:
    """Add the mass of a known particle; set aside the energy beside a mass.

    A vector has one of them, and with both coffea cannot make truth particles at all. The mass stays: from energy and
    momentum in single precision it would be lost. The energy follows from it, and what is stored is `stored.e`.
    """
    seen = coordinates(fields, 1)
    if name in _MASSES and dimensions(seen) == 3 and {"pt", "eta", "phi"} <= seen:
        column = f"Analysis{name}AuxDyn.m"
        fields["m"] = Leaf(column, "float32", 1, constant=_MASSES[name], like="pt")
    if {"px", "py", "pz", "m", "e"} <= seen and dimensions(seen - {"e"}) == 4:
        set_aside(fields, "e")


def _shorten(root: Fields) -> None:
    info = root.get("EventInfo")
    if isinstance(info, Group):
        for name in _SHORT:
            if name in info.fields and name not in root:
                root[name] = info.fields[name]
