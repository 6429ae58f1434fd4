"""Functions of the user in kernels: their text is compiled with it, where that can be done."""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from hep_tables_coffea.codegen.embed import embedded
from hep_tables_coffea.codegen.fused.helpers import kernel_file
from hep_tables_coffea.codegen.fused.ir import Unfusable
from hep_tables_coffea.codegen.fused.machine import machine_file, replace_file
from hep_tables_coffea.codegen.native.compile import type_of
from hep_tables_coffea.codegen.native.numbers import Unknown
from hep_tables_coffea.codegen.user_helpers import may_be_given
from hep_tables_coffea.errors import UsageError

__all__ = ["clash", "compilable", "compiled_text"]


def compiled_text(name: str, function: Callable[..., Any], dtypes: tuple[np.dtype[Any], ...], result: Any) -> str:
    """The text of a function with all that it uses, for a kernel that calls it by this name."""
    try:
        text = embedded({name: function})
    except UsageError as error:
        raise Unfusable(error.summary) from error
    text = compilable(text)
    problem = _problem(text, name, dtypes, result)
    if problem:
        raise Unfusable(f"{function.__name__} cannot be compiled: {problem}")
    return text


def compilable(text: str) -> str:
    """The text of functions, to be compiled as those that a kernel calls."""
    return re.sub(r"^def ", '@njit(nogil=True, error_model="numpy")\ndef ', text, flags=re.MULTILINE)


def clash(text: str, others: Iterable[str], taken: Iterable[str]) -> str:
    """A name that a text gives to something, and another text, or the kernel itself, to something else; "" if there is none."""
    known = {name: "" for name in taken} | {"np": "import numpy as np"}
    for other in others:
        known |= _defined(other)
    return next((name for name, what in _defined(text).items() if known.get(name, what) != what), "")


def _defined(text: str) -> dict[str, str]:
    """What a text defines: names of functions, constants and modules, and how."""
    found = {}
    for part in ast.parse(text).body:
        name = part.name if isinstance(part, ast.FunctionDef) else re.split(r"[ .]", ast.unparse(part))[0]
        if isinstance(part, ast.Import):
            name = part.names[0].asname or part.names[0].name
        found[name] = ast.unparse(part)
    return found


#: Modules that do not change: what numba can make of a function that uses no others depends on its text alone.
_FIXED = {"cmath", "math", "numpy"}


@functools.lru_cache(maxsize=256)
def _problem(text: str, name: str, dtypes: tuple[np.dtype[Any], ...], result: Any) -> str:
    """Why a function cannot be compiled; nothing where it can. What numba found before is read from disk."""
    with contextlib.suppress(Unknown):
        return _mismatch(np.dtype(type_of(text, name, [dtype.name for dtype in dtypes]) or "V"), result)
    if not set(re.findall(r"^import (\S+)", text, flags=re.MULTILINE)) <= _FIXED:
        return _tried(text, name, dtypes, result)
    try:
        file = _outcome_file(text, name, dtypes, result)
        return str(json.loads(file.read_text(encoding="utf-8"))["problem"])
    except (OSError, ValueError, KeyError, TypeError, ImportError):
        problem = _tried(text, name, dtypes, result)
    with contextlib.suppress(OSError, ImportError):
        replace_file(_outcome_file(text, name, dtypes, result), json.dumps({"problem": problem}).encode())
    return problem


def _outcome_file(text: str, name: str, dtypes: tuple[np.dtype[Any], ...], result: Any) -> Path:
    """The file that says what numba made of a function: among those of kernels, and deleted as they are."""
    asked = f"# {name}({', '.join(dtype.str for dtype in dtypes)}) -> {result}\n{text}\n"
    path = kernel_file(asked, f"of_{hashlib.sha256(asked.encode()).hexdigest()[:20]}")
    found: Path = machine_file(path, asked)[0]
    return found.with_suffix(".outcome")


def _tried(text: str, name: str, dtypes: tuple[np.dtype[Any], ...], result: Any) -> str:
    """Why numba cannot compile a function. It is tried, as nobody can tell before."""
    import numba

    if vars(numba.config)["DISABLE_JIT"]:  # the kernel is plain Python, too
        return ""
    namespace: dict[str, Any] = {"np": np, "njit": numba.njit, "__name__": "kernel"}
    try:
        exec(compile(text, f"<{name}>", "exec"), namespace)  # noqa: S102 (the user's own text)
        compiled = namespace[name]
        compiled.compile(tuple(numba.from_dtype(dtype) for dtype in dtypes))
        given = compiled.nopython_signatures[0].return_type
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return next((line for line in lines if not line.startswith("Failed in")), type(error).__name__)
    is_number = isinstance(given, (numba.types.Number, numba.types.Boolean))
    return _mismatch(numba.np.numpy_support.as_dtype(given) if is_number else np.dtype("V"), result)


def _mismatch(given: np.dtype[Any], result: Any) -> str:
    if given.kind != "V" and may_be_given(given, result):
        return ""
    return f"it gives {given if given.kind != 'V' else 'no number'} where {result} is declared"
