"""Loops over the rows of all events at once.

What is filled or kept for each row of a stored list, and knows nothing of its event, needs no loop over events around it.
A processor works on long loops: at the end of each short one it has guessed wrong, and waits for longer than a bin takes.
"""

from __future__ import annotations

from dataclasses import replace

from hep_tables_coffea.codegen.fused import formulas
from hep_tables_coffea.codegen.fused.ir import Effect, Inst, Loop, Program

__all__ = ["flattened"]

#: What costs more, in additions, stays where it may be computed for others too.
_LITTLE = 60


def flattened(effect: Effect, program: Program, events: Inst) -> Effect:
    """The statement in one loop over the rows of all events; as it is, where it needs something of the event."""
    if effect.kind != "statement" or effect.before or len(effect.loops) != 2:
        return effect
    (outer, conditions), (inner, guards) = effect.loops
    array = _array_of_rows(outer, inner)
    if conditions or array is None or sum(inst.cost for inst in (*effect.values, *guards)) > _LITTLE:
        return effect
    start, stop = (
        program.make("load", (index,), (array,), inner.start.dtype)
        for index in (formulas.constant(program, 0, "int64"), events)
    )
    known: dict[Inst, Inst | None] = {inner.var: program.loop(start, stop, None, inner.label).var}
    values = [_moved(inst, program, known) for inst in effect.values]
    asked = [_moved(inst, program, known) for inst in guards]
    row = known[inner.var]
    if row is None or row.level is None or None in values or None in asked:
        return effect
    conditions = tuple(inst for inst in asked if inst is not None)
    return replace(effect, loops=((row.level, conditions),), values=[inst for inst in values if inst is not None])


def _array_of_rows(outer: Loop, inner: Loop) -> str | None:
    """The array that says where the rows of each event begin, if the inner loop is over them."""
    start, stop = inner.start, inner.stop
    if outer.parent is not None or inner.parent is not outer or start.op != "load" or stop.op != "load":
        return None
    following = stop.args[0]
    is_next = following.op == "call" and following.info[0] == "{0} + {1}" and following.args[0] is outer.var
    is_one = is_next and following.args[1].op == "const" and following.args[1].info[0] == "1"
    same = start.info == stop.info and start.args == (outer.var,) and len(stop.args) == 1
    return str(start.info[0]) if is_one and same else None


def _moved(inst: Inst, program: Program, known: dict[Inst, Inst | None]) -> Inst | None:
    """The same of a row in the other loop; None for what is of an event, or comes from a loop."""
    if inst.level is None:
        return inst
    if inst not in known:
        args = [_moved(arg, program, known) for arg in inst.args] if _is_plain(inst) else [None]
        own = inst.cost - sum(arg.cost for arg in inst.args)
        given = [arg for arg in args if arg is not None]
        made = len(given) == len(args) and args
        known[inst] = program.make(inst.op, given, inst.info, inst.dtype, wish=inst.wish, cost=own) if made else None
    return known[inst]


def _is_plain(inst: Inst) -> bool:
    return inst.op in ("call", "load") and inst.effect is None and inst.lift is None
