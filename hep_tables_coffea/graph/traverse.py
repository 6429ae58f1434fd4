"""Walking a graph without recursion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from hep_tables_coffea.graph.nodes import Node

__all__ = ["find", "shared", "sources", "walk"]

N = TypeVar("N", bound="Node")


def walk(roots: Iterable[Node], needs: Callable[[Node], Iterable[Node]] = lambda node: node.needs) -> Iterator[Node]:
    """Every node once, arguments before those that use them."""
    done: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        if ready:
            done.add(node)
            yield node
            continue
        stack.append((node, True))
        stack.extend((need, False) for need in reversed(tuple(needs(node))) if need not in done)


def shared(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How many of the first things are the same in both."""
    number = 0
    for mine, theirs in zip(one, other):
        if mine is not theirs:
            break
        number += 1
    return number


def find(roots: Iterable[Node], kind: type[N]) -> list[N]:
    """Every node of a kind."""
    return [node for node in walk(roots) if isinstance(node, kind)]


def sources(roots: Iterable[Node]) -> list[Node]:
    """The sources that the roots read."""
    from hep_tables_coffea.graph.nodes import Source

    return list(find(roots, Source))
