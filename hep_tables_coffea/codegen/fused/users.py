"""Functions of the user in kernels: their text is compiled with it, where numba can."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from hep_tables_coffea.codegen.embed import embedded
from hep_tables_coffea.codegen.fused.ir import Unfusable
from hep_tables_coffea.errors import UsageError

__all__ = ["compiled_text"]


def compiled_text(name: str, function: Callable[..., Any], dtypes: tuple[np.dtype[Any], ...]) -> str:
    """The text of a function with all that it uses, for a kernel that calls it by this name."""
    try:
        text = embedded({name: function})
    except UsageError as error:
        raise Unfusable(error.summary) from error
    text = re.sub(r"^def ", '@njit(nogil=True, error_model="numpy")\ndef ', text, flags=re.MULTILINE)
    problem = _problem(text, name, dtypes)
    if problem:
        raise Unfusable(f"numba cannot compile {function.__name__}: {problem}")
    return text


@functools.lru_cache(maxsize=256)
def _problem(text: str, name: str, dtypes: tuple[np.dtype[Any], ...]) -> str:
    """Why numba cannot compile a function; nothing where it can. It is tried, as nobody can tell before."""
    import numba

    namespace: dict[str, Any] = {"np": np, "njit": numba.njit, "__name__": "kernel"}
    try:
        exec(compile(text, f"<{name}>", "exec"), namespace)  # noqa: S102 (the user's own text)
        compiled = namespace[name]
        compiled.compile(tuple(numba.from_dtype(dtype) for dtype in dtypes))
        result = compiled.nopython_signatures[0].return_type
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return next((line for line in lines if not line.startswith("Failed in")), type(error).__name__)
    return "" if isinstance(result, (numba.types.Number, numba.types.Boolean)) else f"it gives {result}"
