"""From what a user gives to nodes: recorded values, constants, and everything that is neither."""

from __future__ import annotations

import datetime
import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

from hep_tables_coffea.errors import UsageError
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph.nodes import Node

if TYPE_CHECKING:
    from hep_tables_coffea.record.array import Array

__all__ = ["is_constant", "node_of", "shown"]


def is_constant(value: Any) -> bool:
    """Whether a value is a number, truth value or string."""
    return isinstance(value, (numbers.Number, str, np.generic)) and not isinstance(value, datetime.timedelta)


def node_of(value: Array | Any, doing: str = "combine") -> Node:
    """The node of a recorded value, or of a constant."""
    node = getattr(value, "_node", None)
    if isinstance(node, Node):
        return node
    if is_constant(value):
        return build.literal(value)
    msg = f"cannot {doing} a recorded value with {shown(value)}"
    if value is None:
        raise UsageError(msg, hint="ht.is_missing(x) tells where there is no value; ak.mask(x, mask) makes it missing")
    if hasattr(value, "__array__") or type(value).__module__.startswith("awkward"):
        msg += ": an array in memory has no rows of the dataset"
        hint = "compute with arrays after ht.make_local(...), or write the table as ht.where or a user function"
        raise UsageError(msg, hint=hint)
    raise UsageError(msg, hint="recorded values, numbers, truth values and strings can be combined")


def shown(value: Any) -> str:
    """A value of the user's in a message: its type, and itself where it is short."""
    name = type(value).__name__
    if value is None:
        return "None"
    if isinstance(value, (int, float, str, bool)):
        return f"{name} {value!r}"
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
