"""What a function of the user uses: names of its module, closures, and the modules that it needs where it runs."""

from __future__ import annotations

import sys
import sysconfig
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["functions_used", "names_used", "scope_of", "users_modules"]


def names_used(code: types.CodeType) -> list[str]:
    """The names that are looked up in some code, and in the functions in it."""
    inner = [name for const in code.co_consts if isinstance(const, types.CodeType) for name in names_used(const)]
    return [*code.co_names, *code.co_freevars, *inner]


def scope_of(function: Any) -> dict[str, Any]:
    """The names that a function can see: of its module, and of the functions around it."""
    cells = function.__closure__ or ()
    closure = {name: cell.cell_contents for name, cell in zip(function.__code__.co_freevars, cells)}
    return {**function.__globals__, **closure}


def functions_used(functions: Iterable[Any]) -> list[types.FunctionType]:
    """The functions of the user, and those of the user's that they call."""
    return [one for one, _ in _reached(functions) if isinstance(one, types.FunctionType)]


def users_modules(functions: Iterable[Any]) -> set[types.ModuleType]:
    """The modules of the user that functions need: not those that are installed, which workers have."""
    return {module for _, module in _reached(functions) if module.__name__ != "__main__"}


def _reached(things: Iterable[Any]) -> Iterator[tuple[Any, types.ModuleType]]:
    """What is the user's own of some things and of what they use, with its module."""
    waiting, seen = list(things), set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        module = one if isinstance(one, types.ModuleType) else _module_of(one)
        if module is not None and (module.__name__ == "__main__" or _is_users(module)):
            yield one, module
            waiting += _needs(one)


def _needs(one: Any) -> Iterator[Any]:
    """The functions, classes and modules that something of the user's uses."""
    if isinstance(one, (types.ModuleType, type)):
        values = list(vars(one).values())
    elif isinstance(one, types.FunctionType):
        scope = scope_of(one)
        values = [scope[name] for name in names_used(one.__code__) if name in scope]
    else:
        values = [type(one)]
    return (value for value in values if isinstance(value, (types.ModuleType, types.FunctionType, type)))


def _module_of(one: Any) -> types.ModuleType | None:
    scope = getattr(one, "__globals__", None)
    name = scope.get("__name__") if scope is not None else getattr(one, "__module__", None)
    return sys.modules.get(str(name))


def _is_users(module: types.ModuleType) -> bool:
    """Whether a module is a file of the user's, neither installed nor of Python itself."""
    top = module.__name__.partition(".")[0]
    file = getattr(module, "__file__", None)
    if file is None or top in sys.stdlib_module_names or top == __name__.partition(".")[0]:
        return False
    installed = {sysconfig.get_path(key) for key in ("purelib", "platlib", "stdlib")}
    path = Path(file).resolve()
    return not any(path.is_relative_to(Path(folder).resolve()) for folder in installed if folder)
