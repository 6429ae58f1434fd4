"""CMS NanoAOD, versions 9 to 15, and what is made of it: open data, reduced files, PFNano, Parquet, RNTuple.

Names are those of the files, split at the first underscore: `Jet_pt` and `nJet` make the collection `Jet` with the
field `pt`, `MET_pt` the record `MET`, `HLT_IsoMu24` is `HLT.IsoMu24`. What a file stores as records, `Jet.pt` of a list
`Jet` in an RNTuple or in Parquet, is split at the dot and is the same. Behaviors and references are those of
`coffea.nanoevents.NanoAODSchema`, copied here as tables so that coffea need not be imported to describe a file.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.schemas import _nanoaod_facts as facts
from hep_tables_coffea.schemas._grouping import Fields, nested, place, refuse_rules
from hep_tables_coffea.schemas._vectors import coordinates, dimensions
from hep_tables_coffea.types.schema import Group, Leaf, Reference, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NanoAOD", "pack"]

_IDS = ("run", "luminosityBlock", "event")


@dataclass(frozen=True, slots=True)
class NanoAOD:
    """The schema pack for NanoAOD."""

    name: str = "nanoaod"
    description: str = "CMS NanoAOD: X_y with a counter nX is the column y of the collection X"
    trees: tuple[str, ...] = ("Events",)
    generator: tuple[str, ...] = ("Gen", "gen", "nGen", "LHE", "nLHE", "Pileup_")

    def matches(self, columns: Mapping[str, Leaf]) -> int:
        """By collections that only NanoAOD names so, and by the names of its event numbers."""
        known = sum(_is_known(columns, name) for name in facts.BEHAVIORS)
        ids = sum(name in columns for name in _IDS)
        if known:
            return 95 if ids >= 2 else 88
        return 60 if ids == 3 else 0

    def build(self, columns: Mapping[str, Leaf], **rules: Any) -> Schema:
        refuse_rules(self.name, rules)
        root: Fields = {}
        members, singles = _split(columns)
        for name, fields in members.items():
            listed = _is_list(f"n{name}", fields, f"n{name}" in columns)
            rows, others = _of_rows(fields) if listed else (fields, {})
            root[name] = _group(name, rows, columns, listed)
            singles |= others
        for name, leaf in singles.items():
            place(root, name, leaf)
        _refer(root)
        return Schema(self.name, Group("events", root), "coffea.nanoevents.methods.nanoaod")


pack = NanoAOD()


def _is_known(columns: Mapping[str, Leaf], name: str) -> bool:
    leaf = columns.get(f"{name}_pt", columns.get(f"{name}.pt"))
    return leaf is not None and leaf.depth == 1 and (leaf.counter in ("", f"n{name}") or f"n{name}" in columns)


def _split(columns: Mapping[str, Leaf]) -> tuple[dict[str, dict[str, Leaf]], dict[str, Leaf]]:
    """Columns by their record, or else by what stands before the first underscore; and those without either."""
    # a counter of one column, as uproot writes it (nJet_pt), is no column of a collection nJet
    counters = {leaf.counter for leaf in columns.values()}
    members: dict[str, dict[str, Leaf]] = defaultdict(dict)
    singles: dict[str, Leaf] = {}
    for name, leaf in columns.items():
        prefix, _, rest = name.partition("." if "." in name else "_")
        if prefix and rest and name not in counters and rest not in members[prefix]:
            members[prefix][rest] = leaf
        else:
            singles[name] = leaf
    return members, singles


def _is_list(counter: str, fields: Mapping[str, Leaf], counted: bool) -> bool:
    """Whether the columns are of one collection. Without its counter, they are unless something speaks against it."""
    readable = [leaf for leaf in fields.values() if not leaf.problem]
    if counted or not readable:
        return any(leaf.depth > 0 for leaf in readable)
    # uproot gives each list its own counter, n and the name of the column, if they are not written together
    return all(leaf.depth > 0 and leaf.counter in ("", counter, f"n{leaf.column}") for leaf in readable)


def _of_rows(fields: Mapping[str, Leaf]) -> tuple[dict[str, Leaf], dict[str, Leaf]]:
    """Columns of the collection's rows, and those that only share its prefix: one value in each event."""
    rows = {field: leaf for field, leaf in fields.items() if leaf.depth > 0 or leaf.problem}
    return rows, {leaf.column: leaf for field, leaf in fields.items() if field not in rows}


def _group(name: str, fields: dict[str, Leaf], columns: Mapping[str, Leaf], listed: bool) -> Group:
    counter = columns.get(f"n{name}") if listed else None
    wanted = facts.BEHAVIORS.get(name, "")
    named = _renamed(name, fields, int(listed))
    if listed:
        _fill(name, wanted, named)
    seen = coordinates(named, int(listed))
    behavior = wanted if _fits(wanted, seen) else _weaker(name, seen)
    if counter is None:
        return Group(name, named, listed, behavior)
    return Group(name, named, listed, behavior, counter.column, doc=counter.doc)


def _renamed(name: str, fields: dict[str, Leaf], depth: int) -> Fields:
    """Fields whose names would be a second mass or energy of the vector, as coffea renames them; second names; records."""
    named = nested({facts.RENAMED.get((name, field), field): leaf for field, leaf in fields.items()}, depth)
    for field, original in facts.SECOND_NAMES.get(name, {}).items():
        if original in fields and field not in fields:
            named[field] = fields[original]
    return named


def _fill(name: str, wanted: str, fields: Fields) -> None:
    """Constant columns that the vector needs and the file lacks: jets have no charge, tracks no mass.

    coffea fills these in, also over a stored column of the name. Here what is stored stays.
    """
    missing = {field: value for field, value in facts.CONSTANTS.get(name, {}).items() if field not in fields}
    seen = coordinates(fields, 1)
    if not missing or not _fits(wanted, seen | set(missing)):
        return
    for field, value in missing.items():
        fields[field] = Leaf(f"{name}_{field}", "float32", 1, constant=value, like="pt")


def _fits(behavior: str, seen: set[str]) -> bool:
    if behavior in facts.REQUIRED:
        return facts.REQUIRED[behavior] <= seen
    if behavior == "MissingET":
        return dimensions(seen) == 2
    return bool(behavior) and dimensions(seen) == 4 and (behavior not in facts.CHARGED or "charge" in seen)


def _weaker(name: str, seen: set[str]) -> str:
    """The most that the fields allow where the usual behavior does not fit, or there is none."""
    size = dimensions(seen)
    if size == 4:
        return "PtEtaPhiMCandidate" if "charge" in seen else "PtEtaPhiMCollection"
    return "MissingET" if size == 2 and "MET" in name else ""


def _refer(root: Fields) -> None:
    """Add the references whose index columns and target are there."""
    for name, references in facts.REFERENCES.items():
        group = root.get(name)
        if not isinstance(group, Group) or not group.is_list:
            continue
        found = {key: reference for key, reference in references.items() if _resolves(group, reference, root)}
        if found:
            root[name] = replace(group, references=found)


def _resolves(group: Group, reference: Reference, root: Fields) -> bool:
    target = root.get(reference.target)
    if not isinstance(target, Group) or not target.is_list:
        return False
    fields = target.fields if reference.inverse else group.fields
    return set(reference.indices) <= coordinates(fields, 1)
