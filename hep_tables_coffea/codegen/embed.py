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
    for name, function in functions.items():
        _add(name, function, parts)
    return "\n\n\n".join(parts.values())


def _add(name: str, function: Any, parts: dict[str, str]) -> None:
    if name in parts:
        return
    text = _source(name, function)
    scope = scope_of(function)
    for used in names_used(function.__code__):
        if used in scope and used not in parts and used != name:
            _add_global(used, scope[used], parts, name)
    parts[name] = text


def _add_global(name: str, value: Any, parts: dict[str, str], owner: str) -> None:
    if isinstance(value, types.ModuleType):
        parts[name] = f"import {value.__name__} as {name}"
    elif isinstance(value, types.FunctionType):
        _add(name, value, parts)
    elif value is None or isinstance(value, (bool, int, float, str, tuple)):
        parts[name] = f"{name} = {value!r}"
    else:
        msg = f"the function {owner} uses {name}, a {type(value).__name__}, which cannot be written to a file"
        raise UsageError(msg, hint="make it an argument or a constant, or use ht.to_processor")


def _source(name: str, function: Any) -> str:
    """The `def` without its decorators, under the name by which the processor calls it."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
        parsed = ast.parse(text).body[0]
    except (OSError, TypeError, SyntaxError, IndentationError) as error:
        raise _no_text(name) from error
    if not isinstance(parsed, ast.FunctionDef):
        raise _no_text(name)
    parsed.decorator_list, parsed.name = [], name
    return ast.unparse(parsed)


def _no_text(name: str) -> UsageError:
    msg = f"the text of the function {name} is not to be had, so it cannot be written to a file"
    return UsageError(msg, hint="define it with def in a file or a notebook cell, or use ht.to_processor")
