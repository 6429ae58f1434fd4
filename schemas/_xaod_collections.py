"""The collections of an ATLAS event, each made when it is asked for: by its name, or by name and bank."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hep_tables_coffea.schemas._grouping import place
from hep_tables_coffea.schemas._xaod_calibration import CALIBRATED, Access, Rules, access
from hep_tables_coffea.schemas._xaod_types import NUMBERS, behavior_of, class_fields, collection_tables
from hep_tables_coffea.types.schema import Group, Leaf

__all__ = ["AUXDATA", "Collections", "read_call"]

#: The usual banks of collections that are not calibrated. Of others the bank is named: `events.BTaggings("...")`.
_BANKS = {
    "EventInfo": "EventInfo",
    "TruthParticles": "TruthParticles",
    "TruthVertices": "TruthVertices",
    "TruthEvents": "TruthEvents",
    "TrackParticles": "InDetTrackParticles",
    "Vertices": "PrimaryVertices",
    "CaloClusters": "CaloCalTopoClusters",
    "MuonSegments": "MuonSegments",
}
#: How the function that reads an attribute of a C++ type begins: `auxdata_float('Width')`.
AUXDATA = "auxdata_"


def read_call(text: str) -> tuple[str, str, dict[str, Any]]:
    """Name, bank ("" for the usual one) and options of `Jets` or `Jets('AnalysisJets', calibrate=False)`."""
    try:
        node = ast.parse(text, mode="eval").body
        if isinstance(node, ast.Name):
            return node.id, "", {}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) <= 1:
            bank = ast.literal_eval(node.args[0]) if node.args else ""
            options = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in node.keywords}
            if isinstance(bank, str):
                return node.func.id, bank, options
    except (SyntaxError, ValueError):
        pass
    msg = f"{text} is no collection: one is Jets, or Jets('AnalysisJets')"
    raise ValueError(msg)


@dataclass(frozen=True, slots=True, eq=False)
class Collections(Mapping[str, Group]):
    """Name, or call -> collection. Its names are those without a bank; a pickle keeps what was made before."""

    rules: Rules
    names: tuple[str, ...]
    made: dict[str, Group] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, key: object) -> bool:
        """Whether there is such a collection; `ValueError` for a call of one that cannot be made."""
        if not isinstance(key, str) or "(" not in key:
            return key in self.names
        return read_call(key)[0] in self.names

    def __getitem__(self, key: str) -> Group:
        if key not in self.made:
            if key not in self:
                raise KeyError(key)
            self.made[key] = _collection(*read_call(key), self.rules)
        return self.made[key]


def _collection(name: str, bank: str, options: Mapping[str, Any], rules: Rules) -> Group:
    table = collection_tables()[name]
    # rows of another bank are other rows, and messages should tell them apart
    label = re.sub(r"\W+", "_", f"{name}_{bank}") if bank else name
    bank = bank or _BANKS.get(name, "")
    found = access(name, bank, options, rules) if bank or name in CALIBRATED else Access(name, "")
    listed, type_ = bool(table["contains_collection"]), element_type(table)
    fields = class_fields(type_, found.text, int(listed))
    if name == "MissingET":
        fields["pt"] = fields["met"]
    for attribute, kind in (rules.attributes or {}).get(name, {}).items():
        place(fields, attribute, _attribute(found.text, attribute, kind, int(listed)))
    if not found.bank:
        fields = {key: _nameless(name, member) for key, member in fields.items()}
    behavior = "PolarTwoVector" if name == "MissingET" else behavior_of(fields, 1) if listed else ""
    return Group(label, fields, listed, behavior, doc=f"{type_}: {found.text}; momenta in [MeV], lengths in [mm]")


def element_type(table: Mapping[str, Any]) -> str:
    """The class of a collection's rows, or of the object itself where there is one in each event."""
    return str(table["element_type"] if table["contains_collection"] else table["container_type"])


def _attribute(prefix: str, name: str, kind: str, depth: int) -> Leaf:
    """What is stored under a name and has no method: `attributes={"Jets": {"Width": "float"}}`."""
    element = kind.removeprefix("vector<").removesuffix(">")
    if element not in NUMBERS:
        msg = f"the attribute {name!r} has the type {kind!r}, which is none of {', '.join(NUMBERS)} or a vector of one"
        raise ValueError(msg)
    column = f"{prefix}.{AUXDATA}{kind.replace('<', '_').replace('>', '').replace(' ', '_')}({name!r})"
    return Leaf(column, NUMBERS[element], depth + (element != kind), f"{kind} {name}")


def _nameless(name: str, member: Leaf | Group) -> Leaf:
    problem = f'{name} have no usual bank: name it, events.{name}("...")'
    return Leaf(member.column if isinstance(member, Leaf) else f"{name}.{member.name}", "", 1, problem=problem)
