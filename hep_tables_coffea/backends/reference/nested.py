"""Nested lists: what the values of one event look like, and how to go through them.

A value with the path (event, Jet, track) is three lists deep; the outermost has one row, the event, or none where the
event is filtered out. A missing value is None. Lists are never missing: where a row is, its inner lists are empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["RowsDisagreeError", "absent", "at_depth", "flat", "together"]


class RowsDisagreeError(ValueError):
    """Lists that must have the same rows have different lengths."""


def absent(depth: int) -> Any:
    """What stands for a missing row: None for a value, no rows for a list."""
    return [] if depth else None


def at_depth(function: Callable[..., Any], depth: int, *values: Any) -> Any:
    """`function` of what is `depth` lists deep, of several values in step."""
    return together(function, depth, [(value, depth) for value in values])


def together(function: Callable[..., Any], depth: int, values: Sequence[tuple[Any, int]]) -> Any:
    """`function` of values of different depth, those that are less deep being the same for every inner row."""
    if not depth:
        return function(*(value for value, _ in values))
    sizes = {len(value) for value, own in values if own}
    if len(sizes) != 1:
        msg = f"lists of {' and '.join(map(str, sorted(sizes)))} rows stand beside each other"
        raise RowsDisagreeError(msg)
    return [
        together(function, depth - 1, [(value[row], own - 1) if own else (value, own) for value, own in values])
        for row in range(sizes.pop())
    ]


def flat(value: Any, depth: int) -> list[Any]:
    """All rows of `depth` lists as one list."""
    for _ in range(depth - 1):
        value = [row for rows in value for row in rows]
    return list(value)
