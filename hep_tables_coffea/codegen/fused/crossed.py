"""One fill for several histograms that differ in their selections alone.

An observable is filled under five selections: that would be five conditions in the innermost loop, none of which a
processor can guess. Instead the selections that an event has passed are one number, each value is counted once in the
bins of that number, and the contents of a histogram are the sum over all numbers with its selection. These are sums of
ones, so they are exact; weights are not counted in this way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from hep_tables_coffea.codegen.fused.fills import Slab, Tally, guarded
from hep_tables_coffea.codegen.fused.ir import Effect, Inst, Program

__all__ = ["crossed"]

#: So many selections make one number, and so many bins are there for all of its values at most.
SELECTIONS, BINS = 4, 4096


def crossed(effects: Sequence[Effect], program: Program) -> list[Effect]:
    """The same fills, in fewer statements."""
    alike: dict[Any, list[Effect]] = {}
    for effect in effects:
        if any(isinstance(one, Tally) and one.counts for one in effect.info):
            alike.setdefault((_loops(effect), *map(id, effect.values), _tally(effect).form), []).append(effect)
    instead: dict[int, Effect | None] = {}
    for members in alike.values():
        for whole, others in _groups(members):
            together = [*([] if whole is None else [whole]), *others]
            instead |= {id(member): None for member in together}
            instead[id(together[0])] = _one(whole, others, program)
    made = (instead.get(id(effect), effect) for effect in effects)
    return [effect for effect in made if effect is not None]


def _tally(fill: Effect) -> Tally:
    return next(one for one in fill.info if isinstance(one, Tally))


def _loops(effect: Effect) -> tuple[int, ...]:
    return tuple(id(loop) for loop, _ in effect.loops)


def _chain(effect: Effect) -> tuple[Inst, ...]:
    """What is asked before a fill, in this order, each once."""
    return tuple(dict.fromkeys(guard for _, guards in effect.loops for guard in guards))


def _groups(members: Sequence[Effect]) -> Iterator[tuple[Effect | None, list[Effect]]]:
    """Fills that ask the same and then one thing more, with the one that asks no more, if there is one.

    What is asked first of a value is asked anyhow, so nothing is computed for more events than before.
    """
    common = set.intersection(*(set(_chain(member)) for member in members))
    # of fills that ask the same, the last one; the others stay as they are
    rest = {tuple(guard for guard in _chain(member) if guard not in common): member for member in members}
    longer: dict[tuple[Inst, ...], list[Effect]] = {}
    for chain, member in rest.items():
        if chain:
            longer.setdefault(chain[:-1], []).append(member)
    taken: set[int] = set()
    for chain, some in sorted(longer.items(), key=lambda one: -len(one[1])):
        free = iter([member for member in some if id(member) not in taken])
        whole = rest.get(chain)
        if whole is not None and id(whole) in taken:
            whole = None
        most = _most(_tally(members[0]))
        while batch := list(islice(free, most)):
            if len(batch) + (whole is not None) > 1:
                taken.update(map(id, [*batch, *([] if whole is None else [whole])]))
                yield whole, batch
                whole = None


def _most(tally: Tally) -> int:
    """So many selections may make one number: there are not too many bins for it."""
    size = max(tally.slab.size, 1)
    return min(SELECTIONS, max((BINS // size).bit_length() - 1, 0))


def _one(whole: Effect | None, others: Sequence[Effect], program: Program) -> Effect:
    """The statement that fills all of them."""
    first = whole or others[0]
    tally = _tally(first)
    asked = [_last(other, others, whole) for other in others]
    text = " + ".join(f"{1 << k} * np.int64({{{k}}})" if k else "np.int64({0})" for k in range(len(asked)))
    number = program.make("call", asked, (text, 11), np.dtype("int64"), wish="selected", cost=len(asked))
    loops = tuple((loop, tuple(guard for guard in guards if guard not in asked)) for loop, guards in first.loops)
    if whole is None:
        zero = program.make("const", (), ("0",), np.dtype("int64"))
        loops = guarded(list(loops), [program.make("call", (number, zero), ("{0} > {1}", 6), np.dtype(bool))])
    shared = Slab(tally.slab.shape, tally.slab.categories, copies=1 << len(asked))
    for k, member in enumerate(others):
        _share(member, shared, [one for one in range(shared.copies) if one >> k & 1])
    if whole is not None:
        _share(whole, shared, range(shared.copies))
    return Effect("statement", loops, [*first.values, number], (tally.write_for(shared),))


def _last(member: Effect, others: Sequence[Effect], whole: Effect | None) -> Inst:
    """What a fill asks beyond the others."""
    beside = next(other for other in ([whole] if whole is not None else others) if other is not member)
    known = set(_chain(beside))
    return next(guard for guard in reversed(_chain(member)) if guard not in known)


def _share(member: Effect, shared: Slab, numbers: Iterable[int]) -> None:
    slab = _tally(member).slab
    slab.within, slab.numbers = shared, tuple(numbers)
