"""Functions of one list: reducers and orders, as awkward has them. Missing values are passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ARRANGED", "REDUCED", "mean", "variance", "wide"]

Values = list[Any]


def present(values: Values) -> Values:
    return [value for value in values if value is not None]


def wide(value: Any) -> Any:
    """A number as sums are made: whole numbers and truth values in 64 bits, floating ones in their own precision."""
    kind = value.dtype.kind
    return value if kind in "fc" else np.uint64(value) if kind == "u" else np.int64(value)


def _sum(values: Values) -> Any:
    found = [wide(value) for value in present(values)]
    total = found[0] if found else 0
    for value in found[1:]:
        total = total + value
    return total


def _prod(values: Values) -> Any:
    found = [wide(value) for value in present(values)]
    product = found[0] if found else 1
    for value in found[1:]:
        product = product * value
    return product


def _extreme(values: Values, sign: int) -> Any:
    """The least (sign 1) or greatest (-1). NaN is passed over; of nothing but NaN the limit remains, as in awkward."""
    found = present(values)
    if not found:
        return None
    numbers = [value for value in found if not np.isnan(value)]
    if not numbers:
        return found[0].dtype.type(sign * np.inf)
    return min(numbers) if sign > 0 else max(numbers)


def _position(values: Values, sign: int) -> Any:
    """The place of the least or greatest, the first of equals. A NaN that comes first stays, as in awkward."""
    best = None
    for place, value in enumerate(values):
        if value is None:
            continue
        if best is None or (value < values[best] if sign > 0 else value > values[best]):
            best = place
    return None if best is None else np.int64(best)


def mean(values: Values) -> Any:
    """The mean in double precision."""
    found = [np.float64(value) for value in present(values)]
    return sum(found[1:], start=found[0]) / np.float64(len(found)) if found else None


def variance(values: Values, ddof: int = 0) -> Any:
    """The mean squared deviation from the mean, in double precision."""
    middle = mean(values)
    if middle is None:
        return None
    squares = [(np.float64(value) - middle) ** 2 for value in present(values)]
    return sum(squares[1:], start=squares[0]) / np.float64(len(squares) - ddof)


def _std(values: Values, ddof: int = 0) -> Any:
    found = variance(values, ddof)
    return None if found is None else np.sqrt(found)


def _ptp(values: Values) -> Any:
    high, low = _extreme(values, -1), _extreme(values, 1)
    return None if high is None else high - low


REDUCED: dict[str, Callable[..., Any]] = {
    "num": len,
    "count": lambda values: len(present(values)),
    "count_nonzero": lambda values: sum(1 for value in present(values) if value),
    "sum": _sum,
    "prod": _prod,
    "min": lambda values: _extreme(values, 1),
    "max": lambda values: _extreme(values, -1),
    "ptp": _ptp,
    "mean": mean,
    "var": variance,
    "std": _std,
    "any": lambda values: any(map(bool, present(values))),
    "all": lambda values: all(map(bool, present(values))),
    "argmin": lambda values: _position(values, 1),
    "argmax": lambda values: _position(values, -1),
}


# -- orders ----------------------------------------------------------------------------------------------------------


def _argsort(values: Values, ascending: bool = True, stable: bool = True) -> Values:
    """NaN comes first and missing values last, whatever the direction, as in awkward."""
    last = [k for k, value in enumerate(values) if value is None]
    first = [k for k, value in enumerate(values) if value is not None and np.isnan(value)]
    rest = [k for k in range(len(values)) if k not in {*first, *last}]
    rest.sort(key=lambda k: values[k], reverse=not ascending)
    return [np.int64(k) for k in (*first, *rest, *last)]


def _softmax(values: Values) -> Values:
    powers = [None if value is None else np.exp(value) for value in values]
    total = _sum(powers)
    return [None if power is None else power / total for power in powers]


ARRANGED: dict[str, Callable[..., Any]] = {
    "argsort": _argsort,
    "local_index": lambda values: [np.int64(k) for k in range(len(values))],
    "softmax": _softmax,
}
