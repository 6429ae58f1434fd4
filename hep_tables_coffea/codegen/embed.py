"""The user's functions as text, for processors that are written to a file."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Callable, Mapping
from typing import Any

from hep_tables_coffea.codegen.uses import names_used, scope_of
from hep_tables_coffea.errors import UsageError

__all__ = ["embedded"]


def embedded(functions: Mapping[str, Callable[..., Any]]) -> str:
    """The text of the functions, with the modules, constants and functions that they use."""
    parts: dict[str, str] = {}
    known: dict[str, Any] = {}
    for name, function in functions.items():
        _add(name, function, parts, known)
    return "\n\n\n".join(parts.values())


def _add(name: str, function: Any, parts: dict[str, str], known: dict[str, Any]) -> None:
    if _is_there(name, function, known):
        return
    text = _source(name, function)
    scope = scope_of(function)
    for used in names_used(function.__code__):
        if used in scope and used != name:
            _add_global(used, scope[used], parts, known, name)
    parts[name] = text


def _add_global(name: str, value: Any, parts: dict[str, str], known: dict[str, Any], owner: str) -> None:
    if isinstance(value, types.FunctionType):
        _add(name, value, parts, known)
    elif _is_there(name, value, known):
        return
    elif isinstance(value, types.ModuleType):
        parts[name] = f"import {value.__name__} as {name}"
    elif value is None or isinstance(value, (bool, int, float, str, tuple)):
        parts[name] = f"{name} = {value!r}"
    else:
        msg = f"the function {owner} uses {name}, a {type(value).__name__}, which cannot be written to a file"
        raise UsageError(msg, hint="make it an argument or a constant, or use ht.to_processor")


def _is_there(name: str, value: Any, known: dict[str, Any]) -> bool:
    """Whether something has been written, or is being written. Functions of several modules may use one name for two things."""
    there = name in known
    found = known.setdefault(name, value)
    if found is not value and (type(found) is not type(value) or repr(found) != repr(value)):
        msg = f"functions use the name {name} for different things, so they cannot be written to one file"
        raise UsageError(msg, hint="give one of them another name")
    return there


def _source(name: str, function: Any) -> str:
    """The `def` without its decorators, under the name by which the processor calls it."""
    try:
        parsed = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        if isinstance(parsed, ast.FunctionDef) and not hasattr(function, "__wrapped__"):  # or it is of what was wrapped
            parsed.decorator_list, parsed.name = [], name
            return ast.unparse(parsed)
    except (OSError, TypeError, SyntaxError, IndentationError, RecursionError) as error:
        raise _no_text(name) from error
    raise _no_text(name)


def _no_text(name: str) -> UsageError:
    msg = f"the text of the function {name} is not to be had, so it cannot be written to a file"
    return UsageError(msg, hint="define it with def in a file or a notebook cell, or use ht.to_processor")
