"""What the code generators of func_adl take: one table for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

__all__ = ["UPROOT", "XAOD", "Dialect"]


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """How a code generator wants to be spoken to, and what it cannot do.

    `columnar` says whether operators take whole lists (as in awkward) or one element at a time (as in C++). `operators`
    are signs by the ufunc that they stand for, `functions` names of functions, `reducers` names of methods. `refused` has
    the reason for each kind of node that has no form at all, in the words that follow "the ... dialect of func_adl".
    `results` are the C++ types of what functions of the user may give.
    """

    name: str
    codegen: str
    columnar: bool
    operators: Mapping[str, str]
    functions: Mapping[str, str]
    reducers: Mapping[str, str]
    refused: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<{self.name} dialect of func_adl>"


#: Signs that mean the same in both.
_ARITHMETIC = {
    "np.add": "+",
    "np.subtract": "-",
    "np.multiply": "*",
    "np.true_divide": "/",
    "np.divide": "/",
    "np.less": "<",
    "np.less_equal": "<=",
    "np.greater": ">",
    "np.greater_equal": ">=",
    "np.equal": "==",
    "np.not_equal": "!=",
    "np.negative": "-",
}
_BITS = {
    "np.bitwise_and": "&",
    "np.bitwise_or": "|",
    "np.bitwise_xor": "^",
    "np.invert": "~",
    "np.left_shift": "<<",
    "np.right_shift": ">>",
}
_WHOLE = {"np.floor_divide": "//", "np.remainder": "%", "np.power": "**"}
_UFUNCS = {f"np.{name}": f"np.{name}" for name, f in vars(np).items() if isinstance(f, np.ufunc) and f.nout == 1}

#: Kinds that are not one column, or need more than one event.
_EVERYWHERE = {
    "Source": "delivers columns, and not events as a whole",
    "Zip": "delivers columns, and a record is several of them",
    "Extend": "delivers columns, and a record is several of them",
    "Metadata": "does not know the metadata of the dataset",
    "Aggregate": "sees one file, and this is a value of the whole dataset",
    "Fill": "delivers columns, and fills no histograms",
    "Current": "sees no lambda of ours",
    "Parameter": "has no loops",
    "Iterate": "has no loops",
    "Chain": "has no loops, and a chain of references is one",
    "Listed": "has no lists of values side by side",
    "Literal": "delivers columns, and this is a constant",
}

UPROOT = Dialect(
    name="uproot",
    codegen="uproot",
    columnar=True,
    operators={**_ARITHMETIC, **_BITS, **_WHOLE},
    functions={**_UFUNCS, "np.absolute": "abs"},
    reducers={"sum": "Sum", "min": "Min", "max": "Max", "num": "Count", "any": "Any", "all": "All"},
    refused={
        **_EVERYWHERE,
        "Pick": "fails for a whole file where one list has no such row",
        "Arrange": "has no positions in lists",
    },
)

#: In C++: double precision, and the last digit of a function of the mathematical library may be another.
XAOD = Dialect(
    name="xAOD",
    codegen="atlasr22",
    columnar=False,
    operators={
        **_ARITHMETIC,
        "np.power": "**",
        "np.bitwise_and": "and",
        "np.logical_and": "and",
        "np.bitwise_or": "or",
        "np.logical_or": "or",
        "np.invert": "not",
        "np.logical_not": "not",
    },
    functions={
        **{
            f"np.{name}": name for name in "sin cos tan sinh cosh tanh exp exp2 expm1 log log2 log10 log1p sqrt".split()
        },
        **{f"np.arc{name}": f"a{name}" for name in "sin cos tan sinh cosh tanh".split()},
        "np.arctan2": "atan2",
        "np.hypot": "hypot",
        "np.copysign": "copysign",
        **{f"np.{name}": name for name in "floor ceil trunc rint fmod cbrt remainder floor_divide".split()},
        "np.absolute": "abs",
        "ht.delta_r": "DeltaR",
    },
    reducers={"sum": "Sum", "num": "Count", "any": "Any", "all": "All"},
    refused={
        **_EVERYWHERE,
        "Arrange": "has no positions in lists",
        "Side": "has no combinations",
        "Join": "joins no collections",
        "Flatten": "delivers lists in lists as they are",
    },
    results={"float64": "double", "float32": "float", "int32": "int", "bool": "bool"},
)
