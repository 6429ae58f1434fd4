"""What goes to workers and what comes back: the user's modules by value, and the line of the user's that raised."""

from __future__ import annotations

import linecache
import sys
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import cloudpickle

from hep_tables_coffea.codegen.uses import users_modules

__all__ = ["dumped", "users_line"]

_registering = RLock()


def dumped(content: tuple[Any, ...]) -> bytes:
    """A processor and what goes with it, pickled; modules of the user travel along, as workers do not have them."""
    process = getattr(type(content[0]), "process", None)
    scope = getattr(process, "__globals__", {})
    functions = [value for value in scope.values() if isinstance(value, types.FunctionType)]
    with _by_value(users_modules(functions)):
        return cloudpickle.dumps(content)


@contextmanager
def _by_value(modules: set[types.ModuleType]) -> Iterator[None]:
    with _registering:
        known = cloudpickle.list_registry_pickle_by_value()
        named = {module.__name__: module for module in modules if sys.modules.get(module.__name__) is module}
        new = [module for name, module in named.items() if name not in known]
        for module in new:
            cloudpickle.register_pickle_by_value(module)
        try:
            yield
        finally:
            for module in new:
                cloudpickle.unregister_pickle_by_value(module)


def users_line(error: BaseException) -> str:
    """The innermost line of the user's own functions that an error went through: `file:line: source`."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        file, name = frame.f_code.co_filename, str(frame.f_globals.get("__name__"))
        if "site-packages" not in file and not file.startswith("<") and not _is_ours(name):
            return f"{file}:{line}: {linecache.getline(file, line).strip()}"
    return ""


def _is_ours(module: str) -> bool:
    top = module.partition(".")[0]
    return top.startswith(__name__.partition(".")[0]) or top in sys.stdlib_module_names
