"""Rows: which loops lead to the rows of an axis, and what says which row is the current one."""

from __future__ import annotations

from dataclasses import dataclass, field

from hep_tables_coffea.codegen.fused.ir import Effect, Inst, Loop

__all__ = ["Binding", "InPart", "Item", "Kept", "Listed", "Listing", "Many", "Row", "Walk", "instructions"]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a stored collection: its position in the columns, where its list begins, whether there is such a row."""

    index: Inst
    start: Inst | None = None
    ok: Inst | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A row in a list that is kept for the event."""

    listing: Listing
    position: Inst
    ok: Inst | None = None


@dataclass(frozen=True, slots=True)
class Many:
    """The members of a pair, a triple, a cross product; or the outer and the inner row of two axes made one."""

    parts: tuple[Binding, ...]


@dataclass(frozen=True, slots=True)
class InPart:
    """A row of one of several collections that are put together."""

    number: int
    row: Binding
    #: Its position in the list of all.
    place: Inst


@dataclass(frozen=True, slots=True)
class Item:
    """One of some values side by side."""

    number: Inst
    ok: Inst | None = None


Binding = Row | Listed | Many | InPart | Item

#: The loops that lead to the rows of an axis, each with the conditions in its body, and the row in the innermost.
Walk = tuple[list[tuple[Loop, tuple[Inst, ...]]], Binding]


@dataclass(frozen=True, slots=True)
class Kept:
    """The array that holds a value of each row of a list, and the statements that fill it."""

    array: str
    effects: tuple[Effect, ...]

    @property
    def ends(self) -> tuple[Inst, ...]:
        """Known when it is filled."""
        return tuple(effect.results[0] for effect in self.effects)


@dataclass(eq=False, slots=True)
class Listing:
    """A list that is kept for the event: the rows of a filtered collection, of several, in some order.

    `sources` are the loops that add to it, one after the other, each with the row that it adds. `columns` are the values
    that are kept of each row. Where all rows of some collections are in it, their places are known, and what is kept is
    put there when it is needed; else the rows are counted as they are added.
    """

    name: str
    #: The variable that counts the rows; "" where it is known before how many there are.
    counter: str = ""
    sources: list[tuple[Effect, Binding]] = field(default_factory=list)
    count: Inst | None = None
    columns: dict[tuple[Inst, ...], Kept] = field(default_factory=dict)
    #: The place of the row of each source, where it is known.
    places: tuple[Inst, ...] = ()
    #: Where the rows of the list are rows of one collection in their order: the first of them.
    begins: Inst | None = None

    def is_end(self, inst: Inst) -> bool:
        """Whether something is known only when there are rows in the list."""
        effects = [source for source, _ in self.sources] + [
            one for kept in self.columns.values() for one in kept.effects
        ]
        return inst.effect is not None and inst.effect in effects


def instructions(binding: Binding) -> list[Inst]:
    """What a binding depends on."""
    if isinstance(binding, Row):
        return [inst for inst in (binding.index, binding.ok) if inst is not None]
    if isinstance(binding, Listed):
        return [inst for inst in (binding.position, binding.ok) if inst is not None]
    if isinstance(binding, Many):
        return [inst for part in binding.parts for inst in instructions(part)]
    if isinstance(binding, Item):
        return [inst for inst in (binding.number, binding.ok) if inst is not None]
    return instructions(binding.row)
