"""Calls of the user's functions, copied into generated processors."""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np

from hep_tables_coffea.codegen.filling import as_numpy, flatten_rows, may_miss
from hep_tables_coffea.codegen.fused.helpers import ready_kernel
from hep_tables_coffea.codegen.structure import side_by_side
from hep_tables_coffea.graph.helpers import together, where

__all__ = ["call_with_arrays", "chains", "compiled_rows", "each_row", "iterate", "may_be_given"]


def call_with_arrays(function: Any, dtype: str, *values: Any) -> Any:
    """A function of flat numpy arrays, given what stands in lists of any depth; what is missing stays missing.

    A text that is the same for all rows is given as it is, as where the function is called with arrays in memory.
    """
    values = tuple(together(*values))
    like = next(value for value in values if isinstance(value, ak.Array))
    flat = [flatten_rows(value) if isinstance(value, ak.Array) else value for value in values]
    present = np.ones(len(flatten_rows(like)), bool)
    for value in flat:
        if isinstance(value, ak.Array) and may_miss(value):
            present &= ~np.asarray(ak.is_none(value))
    size = int(present.sum())
    columns = [value if isinstance(value, (ak.Array, str)) else np.full(size, value) for value in flat]
    columns = [np.asarray(as_numpy(one[present])) if isinstance(one, ak.Array) else one for one in columns]
    answer = function(*columns) if size else np.empty(0)  # many a function does not know what to do with nothing
    if isinstance(answer, np.ma.MaskedArray) and np.ma.is_masked(answer):
        msg = f"{function.__name__} gave an array with masked values: what is missing has to be left out before"
        raise ValueError(msg)
    answer = np.asarray(answer)
    if answer.shape != (size,):
        msg = f"{function.__name__} gave {answer.shape} values for {size} rows"
        raise ValueError(msg)
    if size and dtype != "str" and not may_be_given(answer.dtype, dtype):
        found = "other things than numbers, or none," if answer.dtype == object else answer.dtype
        msg = f"{function.__name__} gave {found} where {dtype} was declared"
        raise ValueError(msg)
    made = ak.Array(answer.astype(dtype)) if dtype != "str" else ak.Array([*answer.tolist(), ""])[:-1]  # also of none
    if size < len(present) or any(isinstance(value, ak.Array) and may_miss(value) for value in flat):
        index = np.where(present, np.cumsum(present) - 1, -1)
        made = ak.Array(ak.contents.IndexedOptionArray(ak.index.Index64(index), made.layout))
    for axis in reversed(range(1, like.ndim)):
        made = ak.unflatten(made, ak.flatten(ak.num(like, axis=axis), axis=None))
    return made


def may_be_given(found: Any, declared: str) -> bool:
    """Whether numbers of a type are what a function has declared: whole ones may be unsigned, none loses its fraction."""
    return f"{found.kind}{np.dtype(declared).kind}" == "iu" or np.can_cast(found, declared, "same_kind")


def each_row(function: Any) -> Any:
    """A function of single numbers as one of arrays: compiled where numba can and the rows are many.

    It is called with Python's numbers, compiled or not: floats are of double precision.
    """

    def all_rows(*columns: Any) -> Any:
        size = next(len(column) for column in columns if not isinstance(column, str))
        columns = tuple(np.full(size, column) if isinstance(column, str) else column for column in columns)
        wide = {
            "f": np.float64,
            "i": np.int64,
            "u": np.int64,
            "b": bool,
        }  # differences of what is unsigned are below zero
        # for numba no string is equal to a number, and it says so without an error
        numbers = all(column.dtype.kind in wide and column.dtype != np.uint64 for column in columns)
        if size > 20_000 and numbers:
            try:
                import numba

                compiled: Any = numba.vectorize
                return compiled(function)(*(column.astype(wide[column.dtype.kind]) for column in columns))
            except Exception:  # noqa: S110 (numba does not know something in it: Python does)
                pass
        return np.array([function(*row) for row in zip(*(column.tolist() for column in columns))])

    all_rows.__name__ = function.__name__
    return all_rows


def compiled_rows(otherwise: Any, text: str, digest: str, takes: tuple[str, ...], gives: str) -> Any:
    """A function of arrays, of which a kernel calls one of single numbers for each row; `otherwise` does it without."""

    def all_rows(*columns: Any) -> Any:
        kernel = ready_kernel(text, digest, True)
        if kernel is None:
            return otherwise(*columns)
        answer = np.empty(len(columns[0]), gives)
        kernel(len(answer), *(np.ascontiguousarray(one, kind) for one, kind in zip(columns, takes)), answer)
        return answer

    all_rows.__name__ = otherwise.__name__
    return all_rows


def iterate(step: Any, finished: Any, state: Any, bound: int, rows: Any) -> Any:
    """Repeat a step for each row until it is finished; an error names the first row that never is."""
    done = ak.fill_none(finished(*state), True)
    for _ in range(bound):
        if ak.all(done, axis=None):
            return state
        after = step(*state)
        state = tuple(where(done, old, new) for old, new in zip(state, after))
        done = done | ak.fill_none(finished(*state), True)
    if ak.all(done, axis=None):
        return state
    waiting = ~done
    while waiting.ndim > 1:
        waiting = ak.any(waiting, axis=-1)
    entry = int(np.asarray(rows)[np.asarray(waiting)][0])
    msg = f"a loop was not finished after {bound} steps in the event at entry {entry} of the file"
    raise ValueError(msg)


def chains(pointer: Any, bound: int, rows: Any) -> Any:
    """For each row the rows that a pointer leads to, until it points nowhere."""
    size = ak.num(pointer, axis=1)
    lists, now = [], pointer
    for _ in range(bound):
        there = ak.fill_none((now >= 0) & (now < size), False)
        if not ak.any(there, axis=None):
            break
        now = ak.mask(now, there)
        lists.append(now)
        now = pointer[now]
    else:
        waiting = ak.any(ak.fill_none((now >= 0) & (now < size), False), axis=1)
        if ak.any(waiting):
            entry = int(np.asarray(rows)[np.asarray(waiting)][0])
            msg = f"more than {bound} ancestors in the event at entry {entry} of the file"
            raise ValueError(msg)
    if not lists:
        return ak.values_astype(pointer[..., np.newaxis][..., :0], "int64")
    return ak.drop_none(ak.values_astype(side_by_side(*lists), "int64"), axis=-1)
