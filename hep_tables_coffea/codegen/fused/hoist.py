"""Functions of columns that numpy computes once for all rows, before the kernel runs.

The sine of every azimuth costs numpy less than a kernel, and is the same to the last bit as what awkward computes: so the
masses that are made of it fall into the same bins.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence

import numpy as np

from hep_tables_coffea.codegen.fused.ir import Inst
from hep_tables_coffea.codegen.fused.walks import Walks
from hep_tables_coffea.codegen.source import Piece, atom

__all__ = ["hoisted", "is_numpys_own"]

#: Functions that numpy has written itself for several numbers at once; for others it calls the C library, as kernels do.
_SINGLE = frozenset("sin cos exp log tanh cbrt".split())
_DOUBLE = frozenset(["tanh"])
_ALL = _SINGLE | frozenset(
    "exp2 expm1 log2 log10 log1p tan arcsin arccos arctan arctan2 sinh cosh arcsinh arccosh arctanh power".split()
)


def is_numpys_own(name: str, dtype: np.dtype[np.generic]) -> bool:
    """Whether numpy's function may differ from the C library's in the last bit."""
    if dtype.kind != "f":
        return False
    if _has_wide_vectors():
        return name in _ALL
    return name in (_SINGLE if dtype.itemsize < 8 else _DOUBLE)


@functools.cache
def _has_wide_vectors() -> bool:
    """Whether numpy uses the wide registers, for which it has nearly all functions written."""
    names = ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath")
    module = next((sys.modules[name] for name in names if name in sys.modules), None)
    return bool(getattr(module, "__cpu_features__", {}).get("AVX512_SKX", False))


def hoisted(walks: Walks, name: str, args: Sequence[Inst], out: np.dtype[np.generic]) -> Inst | None:
    """A function of columns as a column; None where its arguments are no columns."""
    rows: set[tuple[Inst, ...]] = set()
    columns: list[str] = []
    pieces = [_of_columns(walks, arg, rows, columns) for arg in args]
    if len(rows) != 1 or any(piece is None for piece in pieces):
        return None
    text = f"np.{name}({', '.join(piece.text for piece in pieces if piece is not None)})"
    known = next(
        (key for key, about in walks.arrays.columns.items() if about == ("computed", (text, tuple(columns), out))), None
    )
    array = known or walks.names.new(f"{name}_{args[0].wish or columns[0]}")
    walks.arrays.columns[array] = ("computed", (text, tuple(columns), out))
    (place,) = rows
    return walks.load(array, place[0], out, place[1] if len(place) > 1 else None)


def _of_columns(walks: Walks, inst: Inst, rows: set[tuple[Inst, ...]], columns: list[str]) -> Piece | None:
    """The same arithmetic of whole columns; `rows` and `columns` are what it is of."""
    if inst.op == "const":
        return atom(
            inst.info[0] if inst.dtype.name in ("int64", "float64", "bool") else f"np.{inst.dtype.name}({inst.info[0]})"
        )
    if inst.op == "load" and walks.arrays.columns.get(inst.info[0], ("",))[0] in ("data", "computed"):
        rows.add(inst.args)
        if inst.info[0] not in columns:
            columns.append(inst.info[0])
        return atom(inst.info[0])
    if inst.op != "call" or inst.dtype.kind != "f" or inst.info[0] not in _ARITHMETIC:
        return None
    pieces = [_of_columns(walks, arg, rows, columns) for arg in inst.args]
    if any(piece is None for piece in pieces):
        return None
    text, binding = inst.info[:2]
    within = [piece.within(binding + 1) if binding < 20 else piece.text for piece in pieces if piece is not None]
    return Piece(text.format(*within), binding)


#: The same text for numbers as for arrays of them, of the same types.
_ARITHMETIC = frozenset(("-{0}", "abs({0})", "{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / {1}"))
