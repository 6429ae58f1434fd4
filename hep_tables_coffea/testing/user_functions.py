"""Functions of the user that random programs call: of whole arrays and of single numbers, with one argument and two.

They give the same bits for one row and for many: square roots and arithmetic, and nothing that numpy has for several
numbers at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import hep_tables_coffea as ht

__all__ = ["FUNCTIONS", "ONE", "STRINGS", "TWO"]


_Decorator = Callable[[Callable[..., Any]], Any]
of_arrays: _Decorator = ht.user_func(vectorized=True)
of_arrays_in_single: _Decorator = ht.user_func(vectorized=True, returns="float32")


@of_arrays
def stretched(x: float) -> float:
    return np.sqrt(np.abs(x * 1.0)) + 1  # type: ignore[no-any-return]


@of_arrays_in_single
def coarse(x: float) -> float:
    return np.abs(x * 1.0) * 0.25  # type: ignore[no-any-return]


@of_arrays
def positive(x: float) -> bool:
    return x > 0


@of_arrays
def sign_of(x: float) -> int:
    return (x > 0) * 1 - (x < 0) * 1


@of_arrays
def named_by(x: float) -> str:
    return np.where(x > 1, "a", "b")  # type: ignore[return-value]


@of_arrays
def upper_of(x: float, y: float) -> float:
    return np.where(x > y, x, y) * 0.5  # type: ignore[return-value]


@of_arrays
def ordered(x: float, y: float) -> bool:
    return x <= y


@ht.user_func
def folded(x: float) -> float:
    return x if x > 0 else x * -0.25


@ht.user_func
def halvings(x: float) -> int:
    count = 0
    while x > 1.0 and count < 5:
        x = x * 0.5
        count += 1
    return count


@ht.user_func
def between(x: float, y: float) -> float:
    return (x + y) * 0.5


@ht.user_func
def beyond(x: float, y: float) -> float:
    return x - y


@ht.user_func
def far_from(x: float, y: float) -> bool:
    return abs(x * 1.0 - y) > 1.0


@of_arrays
def is_a(word: str) -> bool:
    return word == "a"


@ht.user_func
def letters(word: str) -> int:
    return len(word)


ONE = ("stretched", "coarse", "positive", "sign_of", "named_by", "folded", "halvings")
TWO = ("upper_of", "ordered", "between", "beyond", "far_from")
STRINGS = ("is_a", "letters")
FUNCTIONS = {name: globals()[name] for name in (*ONE, *TWO, *STRINGS)}
