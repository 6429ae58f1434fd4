"""Scalar instructions: what is computed in the body of some loop, once for each round.

Instructions are hash-consed, so what is written twice is computed once. Each knows the innermost loop on which it
depends, its level; where in the nest it is computed is the business of `schedule`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["WENT_WRONG", "Effect", "Inst", "Loop", "Program", "Unfusable", "around", "deepest", "needs", "reason_of"]


class Unfusable(Exception):
    """Why the fused engine leaves something to the columnar one, in a few words."""


#: How a reason begins that is a mistake of this library: it must not cost the answer, which the other engine gives.
WENT_WRONG = "a mistake of this library, please report it"


def reason_of(error: Exception) -> str:
    """Why something is not fused, in a few words."""
    if isinstance(error, Unfusable):
        return str(error)
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return f"{WENT_WRONG}: {type(error).__name__} {error}"


class Loop:
    """`for var in range(start, stop)` inside of another loop."""

    __slots__ = ("depth", "label", "parent", "start", "stop", "var")

    def __init__(self, start: Inst, stop: Inst, parent: Loop | None, label: str, program: Program) -> None:
        self.start, self.stop, self.parent, self.label = start, stop, parent, label
        self.depth: int = 1 if parent is None else parent.depth + 1
        self.var = program.make("var", (), (self,), np.dtype("int64"), level=self, wish=label)

    def __repr__(self) -> str:
        return f"<loop {self.label}>"


@dataclass(eq=False, slots=True)
class Inst:
    """One instruction. `info` is what tells instructions of one `op` apart beside their arguments.

    `lift` is set where the value depends on one row of a list that is kept for the event: the list, the position in it,
    and the instruction that computes the value where the list is made, one for each loop that adds to it.
    """

    op: str
    args: tuple[Inst, ...]
    info: tuple[Any, ...]
    dtype: np.dtype[Any]
    level: Loop | None
    number: int
    wish: str = ""
    cost: int = 0
    lift: tuple[Any, Inst, tuple[Inst, ...], Inst | None] | None = None
    effect: Effect | None = None


@dataclass(eq=False, slots=True)
class Effect:
    """A statement that changes something: a sum that grows, a bin that is filled, a value that is kept.

    `loops` are those that it stands in, from the outermost that belongs to it, each with the conditions that must hold
    in its body. `values` are what it uses, `results` what is known after its loops.
    """

    kind: str
    loops: tuple[tuple[Loop, tuple[Inst, ...]], ...]
    values: list[Inst]
    info: tuple[Any, ...] = ()
    before: tuple[Inst, ...] = ()
    results: list[Inst] = field(default_factory=list)
    wish: str = ""
    #: How many rows a list has, and how many it must have for anybody to ask for what is done: two for those of pairs.
    rows: Inst | None = None
    least: int = 1

    @property
    def outer(self) -> Loop | None:
        """The loop in whose body the results are known."""
        return self.loops[0][0].parent

    @property
    def needs(self) -> Iterator[Inst]:
        yield from self.before
        yield from self.values
        for loop, guards in self.loops:
            yield loop.start
            yield loop.stop
            yield from guards


def needs(inst: Inst) -> list[Inst]:
    """What must be known before an instruction."""
    return [*inst.args, *(inst.effect.needs if inst.effect is not None else ())]


def around(loop: Loop | None) -> Iterator[Loop]:
    """A loop and those around it, innermost first; none where there is none."""
    while loop is not None:
        yield loop
        loop = loop.parent


def deepest(insts: Sequence[Inst]) -> Loop | None:
    """The innermost loop that some instructions depend on. They are nested, or cannot be used together."""
    best: Loop | None = None
    for inst in insts:
        loop = inst.level
        if loop is None or loop is best:
            continue
        if best is None or best in around(loop):
            best = loop
        elif loop not in around(best):
            msg = "values of two loops side by side"
            raise Unfusable(msg)
    return best


class Program:
    """Makes instructions, each once."""

    def __init__(self) -> None:
        self._known: dict[Any, Inst] = {}
        self._loops: dict[Any, Loop] = {}
        self._serial = 0

    def make(
        self,
        op: str,
        args: Sequence[Inst],
        info: tuple[Any, ...],
        dtype: np.dtype[Any],
        level: Loop | None = None,
        wish: str = "",
        cost: int = 0,
    ) -> Inst:
        """The instruction, new or known."""
        key = (op, tuple(map(id, args)), info, dtype)
        found = self._known.get(key)
        if found is None:
            self._serial += 1
            level = level or deepest(args)
            total = cost + sum(arg.cost for arg in args)
            found = self._known[key] = Inst(op, tuple(args), info, dtype, level, self._serial, wish, min(total, 10**6))
        elif wish and not found.wish:
            found.wish = wish
        return found

    def result(self, effect: Effect, slot: int, dtype: Any, wish: str) -> Inst:
        """What is known after the loops of an effect."""
        made = self.make("result", (), (id(effect), slot), np.dtype(dtype), effect.outer, wish)
        made.effect, made.cost = effect, 1000
        effect.results.append(made)
        return made

    def loop(self, start: Inst, stop: Inst, parent: Loop | None, label: str) -> Loop:
        """The loop over a range: one for each range and place."""
        for bound in (start, stop):
            if bound.level is not None and bound.level not in around(parent):
                msg = "a list that depends on a loop that it is not in"
                raise Unfusable(msg)
        key = (start, stop, parent)
        if key not in self._loops:
            self._loops[key] = Loop(start, stop, parent, label, self)
        return self._loops[key]
