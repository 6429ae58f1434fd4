"""Filters that several loops of an event ask, one after the other: their rows are better found once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hep_tables_coffea.codegen.fused.ir import Effect, Inst, Loop
from hep_tables_coffea.codegen.fused.schedule import Body, Chain, Nest

__all__ = ["asked_again"]

#: What a filter may cost for every row to be asked, in additions.
_LITTLE = 20


def asked_again(items: Sequence[Inst | Nest], filters: Mapping[tuple[Loop, tuple[Inst, ...]], Any]) -> frozenset[Any]:
    """Filters whose rows are walked over more than once wherever they are, from all the loops of a kernel.

    `filters` has them by their loops and what is asked there.
    """
    walks: dict[Any, list[tuple[Chain, Nest]]] = {}
    for event in items:
        for chain, nest in _nests(event.body) if isinstance(event, Nest) else ():
            for asked in _asked(nest) if nest.rows is None else ():
                if (nest.loop, asked) in filters and sum(inst.cost for inst in asked) <= _LITTLE:
                    walks.setdefault(filters[nest.loop, asked], []).append((chain, nest))
    # of filters of filters with the same loops, the last one
    found = {tuple(id(nest) for _, nest in some): one for one, some in walks.items() if _are_repeated(some)}
    return frozenset(found.values())


def _are_repeated(walks: list[tuple[Chain, Nest]]) -> bool:
    """Whether one of some loops runs whenever another one does: finding rows is not for events that have no use for them."""
    chains = [chain for chain, _ in walks]
    first = min(chains, key=len)
    return len(chains) > 1 and all(chain[: len(first)] == first for chain in chains)


def _nests(body: Body) -> Iterator[tuple[Chain, Nest]]:
    """The loops in the body of a loop, with the conditions that they stand behind."""
    waiting: list[tuple[Chain, Any]] = [((), body.top)]
    while waiting:
        chain, scope = waiting.pop()
        yield from ((chain, item) for item in scope.in_order() if isinstance(item, Nest))
        waiting += [((*chain, guard), inner) for guard, inner in scope.inner.items()]


def _asked(nest: Nest) -> list[Chain]:
    """What is asked first of every row in a loop: one thing, one and another, ..."""
    chains = [guards for effect in _effects(nest.body) for loop, guards in effect.loops if loop is nest.loop]
    if not chains:
        return []
    least = min(chains, key=len)
    return [least[:k] for k in range(1, len(least) + 1) if all(chain[:k] == least[:k] for chain in chains)]


def _effects(body: Body) -> Iterator[Effect]:
    """All that is done in a loop, and in those in it."""
    waiting = [body.top]
    while waiting:
        scope = waiting.pop()
        yield from scope.effects
        waiting += [*scope.inner.values(), *(item.body.top for item in scope.in_order() if isinstance(item, Nest))]
