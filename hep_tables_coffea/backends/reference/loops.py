"""Loops without a known bound: a state for each row, stepped until it is finished; pointers followed one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hep_tables_coffea.backends.reference.elements import cast
from hep_tables_coffea.backends.reference.nested import at_depth, flat

if TYPE_CHECKING:
    from collections.abc import Callable

    from hep_tables_coffea.graph import nodes as g

__all__ = ["followed", "iterated"]


def iterated(node: g.Iterate, state: list[Any], evaluate: Callable[[list[g.Node], list[Any]], list[Any]]) -> Any:
    """The last state of each row: a row that is finished, or of which nobody knows whether it is, stays as it is."""
    n, depth = node.size, len(node.path)
    parameters, steps, until = node.args[n : 2 * n], list(node.args[2 * n : 3 * n]), node.args[-1]

    def typed(values: list[Any]) -> list[Any]:
        return [
            at_depth(lambda one, kind=parameter.type: cast(one, kind), depth, value)
            for parameter, value in zip(parameters, values, strict=True)
        ]

    state, done = typed(state), None
    for turn in range(node.bound + 1):
        (finished,) = evaluate([until], state)
        finished = at_depth(lambda one: one is None or bool(one), depth, finished)
        done = finished if done is None else at_depth(lambda one, other: one or other, depth, done, finished)
        if all(flat(done, depth)):
            return state[node.slot]
        if turn < node.bound:
            after = typed(evaluate(steps, state))
            state = [
                at_depth(lambda over, old, new: old if over else new, depth, done, old, new)
                for old, new in zip(state, after, strict=True)
            ]
    msg = f"a loop was not finished after {node.bound} steps"
    raise ValueError(msg)


def followed(pointer: list[Any], bound: int) -> list[list[Any]]:
    """For each row the positions that a pointer into its own list leads to, until it points nowhere."""
    chains = []
    for place in pointer:
        chain: list[Any] = []
        while place is not None and 0 <= place < len(pointer):
            if len(chain) == bound:
                msg = f"more than {bound} ancestors"
                raise ValueError(msg)
            chain.append(place)
            place = pointer[place]
        chains.append(chain)
    return chains
