"""What a table holds, as a schema pack says it: leaves in groups, with their columns, units and references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = ["Group", "Leaf", "Reference", "Schema"]

_NOTHING: Mapping[str, Reference] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Leaf:
    """One stored column.

    `depth` counts the lists inside an event (0 for `MET_pt`, 1 for `Jet_pt`, 2 for a list in each jet). `optional` is
    true where values may be missing: nulls, or a file of the dataset lacks the column. `constant` stands for a column
    that no file has: that value for every row (`like` names a sibling field that has the rows). `hidden` is a column of
    these rows that is no field of the records.
    """

    column: str
    dtype: str
    depth: int = 0
    doc: str = ""
    optional: bool = False
    counter: str = ""
    problem: str = ""
    constant: float | None = None
    like: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """Rows of another collection, by index: `Muon.matched_gen`, `GenPart.parent`, `GenPart.children`.

    `indices` are fields of the collection that refers. One index gives one row or none (`many=False`); several, or one
    that is a list, give a list of rows. `inverse` gives the rows of `target` whose index points back here.
    """

    target: str
    indices: tuple[str, ...]
    many: bool = False
    inverse: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Fields that belong together: a collection (`is_list`), or one record per event such as `MET` or `HLT`."""

    name: str
    fields: Mapping[str, Leaf | Group]
    is_list: bool = False
    behavior: str = ""
    counter: str = ""
    references: Mapping[str, Reference] = field(default_factory=lambda: _NOTHING)
    doc: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The fields of its records."""
        return tuple(name for name, member in self.fields.items() if not getattr(member, "hidden", False))

    def leaves(self) -> list[Leaf]:
        """Every leaf in it, at any depth."""
        found: list[Leaf] = []
        for member in self.fields.values():
            found += [member] if isinstance(member, Leaf) else member.leaves()
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A table's description: the pack that made it, the module whose awkward behaviors apply, and the root group.

    `coffea_schema` is set where a coffea schema class lays out the events itself (`module:Class`). `rules` is what the
    pack was asked for, as text, where it needs that again when a query is written.
    """

    pack: str
    root: Group
    behaviors: str = ""
    coffea_schema: str = ""
    notes: tuple[str, ...] = ()
    rules: str = ""

    @property
    def columns(self) -> dict[str, Leaf]:
        return {leaf.column: leaf for leaf in self.root.leaves()}
