"""Whether a node can be part of a query, given that what it needs can be."""

from __future__ import annotations

from typing import Any

import numpy as np

from hep_tables_coffea.backends.servicex.query import array_rules, loop_rules
from hep_tables_coffea.backends.servicex.query.dialect import Dialect
from hep_tables_coffea.backends.servicex.query.extremes import is_filled
from hep_tables_coffea.backends.servicex.query.lowering import lowered, needs
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.lower import last_step
from hep_tables_coffea.plugins.protocol import Support
from hep_tables_coffea.types.elements import Element, Number, Record, Text

__all__ = ["supports"]

YES = Support(True)


def supports(node: g.Node, dialect: Dialect) -> Support:
    """Whether a query can say a node, given that it can say what the node needs.

    Args:
        node: a column of a program.
        dialect: `UPROOT` or `XAOD`.

    Returns:
        Yes, or no and the reason.

    Example:
        >>> import hep_tables_coffea as ht
        >>> from hep_tables_coffea.backends.servicex.query import UPROOT, supports
        >>> jets = ht.flat("events.root").Jet  # doctest: +SKIP
        >>> supports(jets.pt.Mean()._node, UPROOT).reason  # doctest: +SKIP
        'the uproot dialect of func_adl has no mean of a list'
    """
    if lowered(node, dialect) is not node:
        return _of_made(node, dialect)
    reason = (
        dialect.refused.get(type(node).__name__)
        or _element(node.type)
        or _missing(node, dialect)
        or _kind(node, dialect)
    )
    return Support(False, f"the {dialect.name} dialect of func_adl {reason}") if reason else YES


def _of_made(node: g.Node, dialect: Dialect) -> Support:
    """Of a node that is said as others: yes, as those are asked; or what is wrong with one that the user does not see."""
    if not any(one.type.option or is_filled(one) for arg in node.args for one in (arg, *arg.args)):
        return YES
    given = set(walk(node.args))
    made = [one for one in walk(needs(node, dialect), lambda one: () if one in given else needs(one, dialect))]
    return next((s for s in (supports(one, dialect) for one in made if one not in given) if not s), YES)


def _element(element: Element) -> str:
    if isinstance(element, Record):
        return "delivers columns, and a record is several of them"
    if isinstance(element, Text):
        return "has no strings"
    if element.dtype == np.float16 or element.dtype.kind not in "bifu":
        return f"delivers no {element.dtype.name}"
    return ""


def _missing(node: g.Node, dialect: Dialect) -> str:
    if dialect.columnar or not node.type.option:
        return ""
    return "delivers no values that may be missing"


def _kind(node: g.Node, dialect: Dialect) -> str:
    if isinstance(node, g.Field):
        return _field(node, dialect)
    if isinstance(node, g.Restrict):
        return _restriction(node, dialect)
    rules = (array_rules if dialect.columnar else loop_rules).RULES
    if type(node) in rules:
        reason: str = rules[type(node)](node, dialect)
        return reason
    if isinstance(node, g.UserCall):
        return f"has no function {node.declared.name}, which is Python"
    return f"has no {node.method if isinstance(node, g.Behave) else type(node).__name__}"


def _field(node: g.Field, dialect: Dialect) -> str:
    if node.name == build.ROW:
        return "has no positions of rows"
    record = node.args[0].type
    if isinstance(node.args[0], g.Behave) or not isinstance(record, Record) or record.group is None:
        return f"has no {node.name} of a vector that is computed like this"
    leaf: Any = record.group.fields[node.name]
    if leaf.constant is not None:
        return f"reads what is stored, and {node.name} is a constant"
    if leaf.optional:
        return f"fails for a file that lacks {leaf.column}"
    quoted = dialect.columnar and ("'" in leaf.column or "\\" in leaf.column)
    return "cannot write a name with a quote" if quoted else ""


def _restriction(node: g.Restrict, dialect: Dialect) -> str:
    inner, k, step = last_step(node)
    if step.kind == "ordered" and dialect.columnar:
        return array_rules.sorting(node)
    if step.kind != "subset" or step.node is None:
        reasons = {"sliced": "has no slices of lists", "padded": "does not fill up lists", "ordered": "sorts no lists"}
        return reasons.get(step.kind, "has no such rows")
    chosen = needs(node, dialect)[1]
    if chosen.path != (*inner.path[:k], step.parent):
        return "has no condition on one of two collections in each other"
    if chosen.type.option or (step.node.type.option and not _can_select(chosen, step.node, dialect)):
        return "has no selection by such a condition, which may be missing"
    is_truth = isinstance(chosen.type, Number) and chosen.type.dtype.kind == "b"
    return "" if is_truth else "selects by truth values"


def _can_select(chosen: g.Node, mask: g.Node, dialect: Dialect) -> bool:
    """Whether what stands for a condition that may be missing can be had, given what the condition is made of."""
    given = set(walk([mask]))
    made = walk([chosen], lambda one: () if one in given else needs(one, dialect))
    return all(supports(one, dialect) for one in made if one not in given)
