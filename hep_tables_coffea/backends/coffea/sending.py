"""What goes to workers and what comes back: the user's modules by value, and the line of the user's that raised."""

from __future__ import annotations

import linecache
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any, NamedTuple

import cloudpickle

from hep_tables_coffea.codegen.uses import functions_used, users_modules

__all__ = ["Place", "dumped", "place_text", "users_line"]

_registering = RLock()
#: What cloudpickle calls the file of every function.
_SENT = "<dynamic-code>"


def dumped(content: tuple[Any, ...]) -> bytes:
    """A processor and what goes with it, pickled; modules of the user travel along, as workers do not have them."""
    functions = []
    for processor in (content[0], getattr(content[0], "meanwhile", None)):
        scope = getattr(getattr(type(processor), "process", None), "__globals__", {})
        functions += [value for value in scope.values() if isinstance(value, types.FunctionType)]
    with _by_value(users_modules(functions)):
        return bytes(cloudpickle.dumps(content))


@contextmanager
def _by_value(modules: set[types.ModuleType]) -> Iterator[None]:
    with _registering:
        known = cloudpickle.list_registry_pickle_by_value()
        named = {module.__name__: module for module in modules if module.__name__ in sys.modules}
        new = [module for name, module in named.items() if name not in known]
        for module in new:
            cloudpickle.register_pickle_by_value(module)
        try:
            yield
        finally:
            for module in new:
                cloudpickle.unregister_pickle_by_value(module)


class Place(NamedTuple):
    """A line of a function, as it is known where the function ran."""

    file: str
    function: str
    first: int
    line: int


def users_line(error: BaseException) -> Place | None:
    """The innermost line of the user's own functions that an error went through."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        code, name = frame.f_code, str(frame.f_globals.get("__name__"))
        file = "" if code.co_filename == _SENT else code.co_filename
        if "site-packages" not in file and not file.startswith("<frozen") and not _is_ours(name):
            return Place(file, code.co_name, code.co_firstlineno, line)
    return None


def place_text(place: Place, functions: Iterable[Callable[..., Any]]) -> str:
    """`file:line: source`. The file is that of the function here, where pickling has dropped it."""
    codes = (function.__code__ for function in functions_used(functions))
    same = (code for code in codes if (code.co_name, code.co_firstlineno) == (place.function, place.first))
    file = place.file or next((code.co_filename for code in same), "")
    return f"{file or place.function}:{place.line}: {linecache.getline(file, place.line).strip()}"


def _is_ours(module: str) -> bool:
    top = module.partition(".")[0]
    return top.startswith(__name__.partition(".")[0]) or top in sys.stdlib_module_names
