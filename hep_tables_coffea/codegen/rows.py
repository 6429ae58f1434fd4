"""Functions of the user for all rows of a chunk: compiled, so that they give the same however many the rows are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from hep_tables_coffea.codegen.embed import embedded
from hep_tables_coffea.codegen.fused.calls import OF_KERNELS
from hep_tables_coffea.codegen.fused.kernel import HEAD
from hep_tables_coffea.codegen.fused.users import clash, compilable
from hep_tables_coffea.codegen.native.compile import digest_of, type_of
from hep_tables_coffea.codegen.native.numbers import Unknown
from hep_tables_coffea.errors import UsageError
from hep_tables_coffea.types.elements import Number

__all__ = ["RowsKernel", "rows_kernel"]

#: As what a function takes numbers: those of Python. Differences of what is unsigned are below zero.
_WIDE = {"f": "float64", "i": "int64", "u": "int64", "b": "bool"}


class RowsKernel(NamedTuple):
    """A kernel that calls a function of the user for each row: its text, what it takes and gives."""

    text: str
    digest: str
    takes: tuple[str, ...]
    gives: str


def rows_kernel(function: Callable[..., Any], types: Sequence[Any]) -> RowsKernel | None:
    """The kernel for a function of arguments of these types; None where it cannot be compiled without numba."""
    if any(not isinstance(one, Number) or one.dtype.kind not in _WIDE or one.dtype == np.uint64 for one in types):
        return None
    takes = tuple(_WIDE[one.dtype.kind] for one in types)
    try:
        text = embedded({"function": function})
        gives = type_of(text, "function", takes)
    except (UsageError, Unknown):
        return None
    if not gives or "'''" in text or clash(text, [], OF_KERNELS):
        return None
    text = _text(compilable(text), takes, gives)
    return RowsKernel(text, digest_of(text), takes, gives)


def _text(functions: str, takes: tuple[str, ...], gives: str) -> str:
    *given, answer = (f"types.{kind.replace('bool', 'boolean')}" for kind in (*takes, gives))
    signature = ", ".join(["types.int64", *(f"column({one})" for one in given), f"{answer}[::1]"])
    names = [f"x{number}" for number in range(len(takes))]
    lines = [
        *HEAD,
        functions,
        "",
        "",
        f'@njit(types.void({signature}), nogil=True, error_model="numpy", cache=True)',
        f"def kernel(rows, {', '.join(names)}, answer):",
        "    for row in range(rows):",
        f"        answer[row] = function({', '.join(f'{name}[row]' for name in names)})",
        "",
    ]
    return "\n".join(lines)
