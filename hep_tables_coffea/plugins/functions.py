"""Functions that back ends provide for user functions without a body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hep_tables_coffea.errors import UsageError
from hep_tables_coffea.graph.helpers import delta_r

__all__ = ["BackendFunction", "backend_function", "provided"]


@dataclass(frozen=True, slots=True)
class BackendFunction:
    """A function by name: `numpy` takes flat arrays, `cpp` is source for back ends that compile C++."""

    name: str
    numpy: Callable[..., Any] | None = None
    cpp: str | None = None


_provided = {"DeltaR": BackendFunction("DeltaR", numpy=delta_r)}


def backend_function(name: str, *, numpy: Callable[..., Any] | None = None, cpp: str | None = None) -> None:
    """Provide a function that `@ht.user_func` declares without a body.

    Args:
        name: the name of the declared function.
        numpy: a function of flat numpy arrays, one for each argument.
        cpp: the body in C++, for back ends that run C++.

    Example:
        >>> import hep_tables_coffea as ht
        >>> ht.backend_function("TripleOf", numpy=lambda x: 3 * x)
    """
    if numpy is None and cpp is None:
        msg = f"the function {name!r} is provided by nothing"
        raise UsageError(msg, hint="give numpy=..., cpp=..., or both")
    _provided[name] = BackendFunction(name, numpy, cpp)


def provided(name: str) -> BackendFunction | None:
    """What is provided under a name."""
    return _provided.get(name)
