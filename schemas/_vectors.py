"""Which fields make a vector: the facts behind coffea's vector behaviors, which refuse records that have too many.

A record may have each coordinate once. `coffea.nanoevents.methods.vector` refuses one with both `e` and `m`, or with
`px` beside `pt`, whenever an array of it is made; so a schema names a behavior only where the fields fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hep_tables_coffea.types.schema import Group, Leaf

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["BEHAVIORS", "TEMPORAL", "coordinates", "dimensions", "lorentz"]

#: The module of the vectors that these tables describe.
BEHAVIORS = "coffea.nanoevents.methods.candidate"

#: Names of the fourth coordinate, energies first.
TEMPORAL = ("energy", "E", "e", "t", "mass", "m", "M", "tau")
_ENERGIES = frozenset(TEMPORAL[:4])

_ALIASES = ({"x", "px"}, {"y", "py"}, {"z", "pz"}, {"rho", "pt"}, set(TEMPORAL))
_CARTESIAN = frozenset({"x", "px", "y", "py"})
_POLAR = frozenset({"rho", "pt", "phi"})
_LONGITUDINAL = ({"z", "pz"}, {"theta"}, {"eta"})


def coordinates(fields: Mapping[str, Leaf | Group], depth: int) -> set[str]:
    """The names of fields that are one number for each row: what a behavior sees of a record."""
    return {
        name
        for name, field in fields.items()
        if isinstance(field, Leaf) and field.depth == depth and field.dtype not in ("", "str") and not field.problem
    }


def dimensions(names: Collection[str]) -> int:
    """2, 3 or 4 if the names are the coordinates of one vector, 0 if they are of none or of several."""
    found = set(names)
    longitudinal = [group for group in _LONGITUDINAL if found & group]
    if any(len(found & group) > 1 for group in _ALIASES) or len(longitudinal) > 1:
        return 0
    cartesian = bool(found & _ALIASES[0]) and bool(found & _ALIASES[1])
    polar = bool(found & _ALIASES[3]) and "phi" in found
    if (cartesian and found & _POLAR) or (polar and found & _CARTESIAN) or not (cartesian or polar):
        return 0
    temporal = bool(found & _ALIASES[4])
    if not longitudinal:
        return 0 if temporal else 2
    return 4 if temporal else 3


def lorentz(names: Collection[str]) -> str:
    """The record of the candidate module for a four-vector of these fields, "" if they are none.

    With a charge it is `Candidate`, whatever the coordinates: coffea adds that to the vectors without charge, an
    electron to a jet, and has no such addition for `PtEtaPhiMCandidate`.
    """
    if dimensions(names) != 4:
        return ""
    if "charge" in names:
        return "Candidate"
    if not {"pt", "eta", "phi"} <= set(names):
        return "LorentzVector"
    return "PtEtaPhiELorentzVector" if _ENERGIES & set(names) else "PtEtaPhiMLorentzVector"
