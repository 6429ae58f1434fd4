"""What is known to go wrong in generated programs, and left out of them until it is mended."""

from __future__ import annotations

from typing import Any

from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import steps
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.types.elements import Record

__all__ = ["known", "unstable"]


def known(outcome: Any) -> bool:
    """Whether a recorded node, or an error of recording, is one of those that are left out."""
    if isinstance(outcome, Exception):
        return any(part in f"{type(outcome).__name__}: {outcome}" for part in _ERRORS)
    return any(_is_known(node) for node in walk([outcome]))


_ERRORS = (
    "does not come from",  # until flattened rows are refused by nearest: ak.flatten(jets).nearest(jets)
    "boolean subtract",  # until reducers that have no result are refused: ak.ptp(flags, axis=-1)
    "AssertionError",  # until numbers are refused by without: jets.pt.without(jets.pt[0])
)


def _is_known(node: g.Node) -> bool:
    tests = (
        _infinite,
        _of_the_dataset,
        _clipped,
        _flat_missing,
        _list_of_missing,
        _nested_mask,
        _turned,
        _counted,
        _one_place,
    )
    return any(test(node) for test in tests)


def _infinite(node: g.Node) -> bool:
    """Until sums and means of infinite numbers are the same for all chunks: (1 / x).Sum(axis=None)."""
    if not isinstance(node, g.Aggregate) or node.function not in ("sum", "mean", "std", "var"):
        return False
    calls = ("divide", "remainder", "exp", "log1p", "square", "hypot", "arctan2")
    return any(
        (isinstance(one, g.Field) and one.name in ("met", "x", "any"))
        or (isinstance(one, g.Call) and any(call in one.function for call in calls))
        for one in walk(node.args)
    )


def _of_the_dataset(node: g.Node) -> bool:
    """Until an expression of dataset-wide values gives no warning of numpy: x.Sum() / x.Count() of no events."""
    return isinstance(node, g.Call) and not node.path


def _clipped(node: g.Node) -> bool:
    """Until padding with clip=True gives lists: fixed sizes broadcast against the number of events."""
    return any(axis.kind == "padded" and axis.params[1] for axis in node.path)


def _flat_missing(node: g.Node) -> bool:
    """Until a missing record stays one when it is flattened: ak.flatten(jets.nearest(els, 0.4))."""
    return isinstance(node, g.Flatten) and isinstance(node.type, Record) and node.type.option


def _list_of_missing(node: g.Node) -> bool:
    """Until a list of a missing record has no rows, instead of being missing: jets.nearest(jets[m], 0.1).cells."""
    return isinstance(node, g.Pick) and len(node.path) > node.position


def _nested_mask(node: g.Node) -> bool:
    """Until a list in every row is filtered by a mask without these rows: a.metric_table(b) - a.metric_table(b[mask])."""
    return isinstance(node, g.Restrict) and any(
        step.node is not None and len(step.node.path) != k + 1
        for k, (old, new) in enumerate(zip(node.args[0].path, node.path, strict=False))
        for step in steps(old, new)
    )


def _turned(node: g.Node) -> bool:
    """Until the type of a vector times a negative number is the one that is delivered: jets * -2."""
    return isinstance(node, g.Behave) and any(isinstance(arg, g.Literal) and arg.value < 0 for arg in node.args)


def _counted(node: g.Node) -> bool:
    """Until the number of rows of a filter is found in a first pass: x - good.Count(axis=None)."""
    wide = [need for need in node.needs if node.path and not need.path]
    return any(isinstance(one, g.Aggregate) and one.function == "num" for one in walk(wide))


def _one_place(node: g.Node) -> bool:
    """Until an index with missing places is packed: jets[ak.argmax(jets.pt, axis=-1, keepdims=True)][event_mask]."""
    ordered = any(axis.kind == "ordered" and axis.node is not None and axis.node.type.option for axis in node.path)
    return ordered and any(axis.kind == "subset" for axis in node.path)


def unstable(outcome: Any) -> bool:
    """Until the digest of a behavior does not depend on the order of a set: (a + b).mass in two processes."""
    return known(outcome) or any(isinstance(node, g.Behave) for node in walk([outcome]))
