"""Rewrites before code is written, and the places of steps."""

from __future__ import annotations

from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis

__all__ = ["last_step", "lower_counts"]


def lower_counts(node: g.Node) -> g.Node:
    """The number of rows that a filter leaves is the sum of its mask: no row has to be moved for it."""
    if isinstance(node, g.Reduce) and node.function == "num":
        mask = _last_mask(node.args[0])
        if mask is not None and len(mask.path) == len(node.args[0].path):
            return functions.reduce("sum", mask)
    return node


def last_step(node: g.Node) -> tuple[g.Node, int, Axis]:
    """The value before the last step of a restriction, the place of the step, and the step.

    Outer axes are restricted first, so the last step is that of the innermost axis that changed.
    """
    inner = node.args[0]
    for k in reversed(range(len(inner.path))):
        if inner.path[k] is not node.path[k]:
            step = node.path[k]
            assert step.parent is not None
            return build.restrict(inner, (*node.path[:k], step.parent, *node.path[k + 1 :])), k, step
    msg = f"nothing is restricted in {node!r}"
    raise ValueError(msg)


def _last_mask(node: g.Node) -> g.Node | None:
    if not isinstance(node, g.Restrict) or node.path[-1].kind != "subset":
        return None
    inner, k, step = last_step(node)
    if k != len(node.path) - 1 or step.node is None:
        return None
    return build.restrict(step.node, inner.path[:k] + step.node.path[k:])
