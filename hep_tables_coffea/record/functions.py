"""The functions on collections that `ht.` offers: pairs, cross products, concatenation, aligned rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hep_tables_coffea.errors import UsageError
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.record import combine
from hep_tables_coffea.record.array import Array, wrap
from hep_tables_coffea.record.values import node_of

__all__ = ["combinations", "concat", "cross", "pairs", "zip_rows"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def pairs(x: Array) -> Array:
    """Every two rows of a list, each pair once: fields `a` and `b`.

    Args:
        x: `event * Muon * {...}`, or a column of it.

    Returns:
        `event * Muon_2 * {a, b}`.
    """
    return combinations(x, 2)


def combinations(x: Array, n: int, fields: Sequence[str] | None = None) -> Array:
    """Every n rows of a list, each set of rows once.

    Args:
        x: `event * Jet * {...}`, or a column of it.
        n: how many rows make one combination.
        fields: their names; `a`, `b`, `c`, ... if not given.
    """
    names = list(fields) if fields is not None else list(_LETTERS[: int(n)])
    return wrap(combine.combinations(node_of(x, "combine"), int(n), names))


def cross(**collections: Array) -> Array:
    """Every row of one collection with every row of the others: `ht.cross(j=jets, e=electrons).j.pt`."""
    _at_least_two("cross", collections)
    return wrap(combine.cross({name: node_of(value, "cross") for name, value in collections.items()}))


def concat(*collections: Array, **renamed: Array) -> Array:
    """The rows of several collections as one, with the fields that all of them have.

    `origin` is the name of the collection that a row comes from; keywords give other names.

    Example:
        >>> import hep_tables_coffea as ht
        >>> leptons = ht.concat(events.Electron, mu=events.Muon)  # doctest: +SKIP
        >>> leptons[leptons.origin == "mu"].pt  # doctest: +SKIP
        <Array event * Electron_mu' * float32>
    """
    parts: dict[str, Node] = {}
    for value in collections:
        node = node_of(value, "concatenate")
        name = node.path[-1].base.name if node.path else "value"
        while name in parts:
            name += "'"
        parts[name] = node
    parts.update({name: node_of(value, "concatenate") for name, value in renamed.items()})
    _at_least_two("concat", parts)
    return wrap(combine.concat(parts))


def zip_rows(**values: Array) -> Array:
    """Records of rows that you know to be aligned: `ht.zip_rows(a=left, b=right)`.

    The first one's rows are the rows of the result; that the others have as many is checked in every chunk.
    """
    _at_least_two("zip_rows", values)
    return wrap(combine.zip_rows({name: node_of(value, "zip") for name, value in values.items()}))


def _at_least_two(function: str, values: Any) -> None:
    if len(values) < 2:
        msg = f"{function} needs two collections or more, and got {len(values)}"
        raise UsageError(msg, hint=f"ht.{function}(a=x, b=y)" if function != "concat" else "ht.concat(x, y)")
