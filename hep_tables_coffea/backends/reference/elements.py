"""Functions of one element: numbers are numpy scalars of their own type, constants are Python's, missing is None."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from hep_tables_coffea.graph.functions import resolve
from hep_tables_coffea.plugins.functions import provided
from hep_tables_coffea.types.elements import Element, Number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hep_tables_coffea.graph.nodes import Declared

__all__ = ["call_user", "cast", "compute"]


def cast(value: Any, element: Element) -> Any:
    """The value as the type says; missing stays missing."""
    if value is None or not isinstance(element, Number):
        return value
    return np.asarray(value).astype(element.dtype)[()]


def compute(function: str, arguments: Sequence[Any], options: Mapping[str, Any], element: Element) -> Any:
    """`function` of the arguments: missing where one of them is, unless the function is about missing values."""
    about_missing = _ABOUT_MISSING.get(function)
    if about_missing is not None:
        return cast(about_missing(*arguments, **options), element)
    if any(argument is None for argument in arguments):
        return None
    return cast(_plain(function)(*arguments, **options), element)


def call_user(declared: Declared, arguments: Sequence[Any], whole: Sequence[bool]) -> Any:
    """A function of the user, of numbers or, where it takes whole arrays, of arrays of one number.

    `whole` says which arguments are values of all rows: such a text is given as it is.
    """
    if any(argument is None for argument in arguments):
        return None
    function = declared.function
    if function is not None and not declared.vectorized:
        numbers = (one.item() if isinstance(one, np.generic) else one for one in arguments)  # Python's own
        return cast(function(*numbers), declared.returns)
    if function is None:
        known = provided(declared.name)
        assert known is not None
        function = known.numpy
    assert function is not None
    given = (
        one if same and isinstance(one, str) else np.asarray([one]) for one, same in zip(arguments, whole, strict=True)
    )
    return cast(np.asarray(function(*given))[0], declared.returns)


# -- about missing values --------------------------------------------------------------------------------------------


def _where(condition: Any, x: Any, y: Any) -> Any:
    if condition is None:
        return None
    return x if condition else y


def _mask(value: Any, condition: Any) -> Any:
    return value if condition else None


def _fill_none(value: Any, instead: Any) -> Any:
    return instead if value is None else value


def _nan_to_none(value: Any) -> Any:
    return None if value is None or np.isnan(value) else value


_ABOUT_MISSING: dict[str, Callable[..., Any]] = {
    "ht.where": _where,
    "ak.mask": _mask,
    "ak.fill_none": _fill_none,
    "ak.is_none": lambda value, axis=-1: np.bool_(value is None),
    "ak.nan_to_none": _nan_to_none,
    "ht.required": lambda value: value,
    "ht.same_rows": lambda value, first: value,
    "ht.broadcast": lambda value, rows: value,
}


# -- of values that exist --------------------------------------------------------------------------------------------


def _delta_r(eta1: Any, phi1: Any, eta2: Any, phi2: Any) -> Any:
    around = (phi1 - phi2 + np.pi) % (2 * np.pi) - np.pi
    return np.sqrt((eta1 - eta2) ** 2 + around**2)


def _full_like(value: Any, filled: Any, dtype: str | None = None) -> Any:
    return np.dtype(dtype or value.dtype).type(filled)


#: What awkward and we call otherwise than numpy, or what numpy does not have.
_PLAIN: dict[str, Callable[..., Any]] = {
    "ht.delta_r": _delta_r,
    "ht.isin": lambda value, values: np.isin(value, values)[()],
    "ht.digitize": np.digitize,
    "ht.interp": np.interp,
    "ak.full_like": _full_like,
    "ak.values_astype": lambda value, to: np.asarray(value).astype(to)[()],
    "ak.round": np.round,
    "ak.isclose": np.isclose,
    "ak.nan_to_num": np.nan_to_num,
    "ak.real": np.real,
    "ak.imag": np.imag,
    "ak.angle": np.angle,
}


def _plain(function: str) -> Callable[..., Any]:
    if function in _PLAIN:
        return _PLAIN[function]
    found = resolve(function)
    if not function.startswith("ak."):
        return found
    return lambda first, *others, **options: found(ak.Array([first]), *others, **options)[0]
