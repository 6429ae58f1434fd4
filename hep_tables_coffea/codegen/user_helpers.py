"""Calls of the user's functions, copied into generated processors."""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np

from hep_tables_coffea.codegen.helpers import as_numpy, flatten_rows, may_miss
from hep_tables_coffea.graph.helpers import together

__all__ = ["call_with_arrays", "each_row"]


def call_with_arrays(function: Any, dtype: str, *values: Any) -> Any:
    """A function of flat numpy arrays, given what stands in lists of any depth; what is missing stays missing."""
    values = tuple(together(*values))
    like = next(value for value in values if isinstance(value, ak.Array))
    flat = [flatten_rows(value) if isinstance(value, ak.Array) else value for value in values]
    present = np.ones(len(flatten_rows(like)), bool)
    for value in flat:
        if isinstance(value, ak.Array) and may_miss(value):
            present &= ~np.asarray(ak.is_none(value))
    size = int(present.sum())
    columns = [
        np.asarray(as_numpy(value[present])) if isinstance(value, ak.Array) else np.full(size, value) for value in flat
    ]
    answer = np.asarray(function(*columns))
    if answer.shape != (size,):
        raise ValueError(f"{function.__name__} gave {answer.shape} values for {size} rows")
    made = ak.Array(answer.astype(dtype)) if dtype != "str" else ak.Array(answer.tolist())
    if size < len(present) or any(isinstance(value, ak.Array) and may_miss(value) for value in flat):
        index = np.where(present, np.cumsum(present) - 1, -1)
        made = ak.Array(ak.contents.IndexedOptionArray(ak.index.Index64(index), made.layout))
    for axis in reversed(range(1, like.ndim)):
        made = ak.unflatten(made, ak.flatten(ak.num(like, axis=axis), axis=None))
    return made


def each_row(function: Any) -> Any:
    """A function of single numbers as one of arrays: compiled where numba can and the rows are many."""

    def all_rows(*columns: Any) -> Any:
        if len(columns[0]) > 20_000:
            try:
                import numba

                return numba.vectorize(function)(*columns)
            except Exception:
                pass  # numba does not know something in it: Python does
        return np.array([function(*row) for row in zip(*columns)])

    return all_rows
