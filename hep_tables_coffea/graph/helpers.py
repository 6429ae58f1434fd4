"""Elementwise functions of our own. Their text is copied into generated processors, so each stands alone.

They take and give awkward arrays, and know only `ak` and `np`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import awkward as ak
import numpy as np

__all__ = ["HELPERS"]


def every(array: Any, outer: Any, shared: int) -> Any:
    """The whole list of `array` for every row of `outer`; they share the first axes."""
    if shared > 1:
        inner = every(ak.flatten(array, axis=1), ak.flatten(outer, axis=1), shared - 1)
        return ak.unflatten(inner, ak.num(outer, axis=1))
    counts = [np.asarray(ak.flatten(ak.num(outer, axis=k), axis=None)) for k in range(1, outer.ndim)]
    parents = np.arange(len(outer))
    for count in counts:
        parents = np.repeat(parents, count)
    inner = array[parents]
    for count in reversed(counts):
        inner = ak.unflatten(inner, count)
    return inner


def broadcast(value: Any, rows: Any) -> Any:
    """The value repeated for every row; what is missing is missing in every row."""
    return every(value, rows, value.ndim) if value.ndim < rows.ndim else value


def together(*values: Any) -> list[Any]:
    """Arrays of different depth repeated to the deepest; constants stay."""
    deepest = max((value for value in values if isinstance(value, ak.Array)), key=lambda array: array.ndim)
    return [broadcast(value, deepest) if isinstance(value, ak.Array) else value for value in values]


def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition is true, else y; missing where the condition is missing."""
    if not isinstance(condition, ak.Array):
        rows = max((value for value in (x, y) if isinstance(value, ak.Array)), key=lambda array: array.ndim)
        condition = ak.full_like(ak.is_none(rows, axis=-1), bool(condition), dtype=bool)
    condition, x, y = together(condition, x, y)
    chosen = ak.where(ak.fill_none(condition, False, axis=-1), x, y)
    return ak.mask(chosen, ~ak.is_none(condition, axis=-1)) if "?" in str(condition.type) else chosen


def same_rows(value: Any, first: Any) -> Any:
    """The value, after a check that it has as many rows as the first in every list."""
    if len(value) != len(first) or not ak.all(ak.num(value, axis=-1) == ak.num(first, axis=-1), axis=None):
        msg = "the rows that were said to be aligned are not: the lists differ in length"
        raise ValueError(msg)
    return value


def required(value: Any) -> Any:
    """The same values, of which none is missing any more."""
    return ak.drop_none(value, axis=-1)


def on_numbers(function: Callable[..., Any], array: Any) -> Any:
    """A function of flat numpy arrays applied to the numbers of an array."""

    if not isinstance(array, ak.Array):
        return function(np.asarray(array))

    def visit(layout: Any, **_: Any) -> Any:
        return ak.contents.NumpyArray(function(layout.data)) if layout.is_numpy else None

    return ak.transform(visit, array)


def isin(array: Any, values: Any) -> Any:
    """Whether each number is one of the values."""
    return on_numbers(lambda numbers: np.isin(numbers, values), array)


def digitize(array: Any, bins: Any, right: bool) -> Any:
    """The number of the bin of each number."""
    return on_numbers(lambda numbers: np.digitize(numbers, bins, right=right), array)


def interp(array: Any, xp: Any, fp: Any) -> Any:
    """Linear interpolation in a table."""
    return on_numbers(lambda numbers: np.interp(numbers, xp, fp), array)


def delta_r(eta1: Any, phi1: Any, eta2: Any, phi2: Any) -> Any:
    """The distance in eta and phi, with phi wrapped around."""
    delta_phi = (phi1 - phi2 + np.pi) % (2 * np.pi) - np.pi
    return np.sqrt((eta1 - eta2) ** 2 + delta_phi**2)


HELPERS: dict[str, Callable[..., Any]] = {
    function.__name__: function for function in (where, broadcast, same_rows, required, isin, digitize, interp, delta_r)
}
