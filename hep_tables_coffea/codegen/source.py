"""Pieces of generated source: expressions with their precedence, names, and the helper functions that they need."""

from __future__ import annotations

import ast
import functools
import inspect
import json
import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from hep_tables_coffea.codegen import filling, merging, reading, structure
from hep_tables_coffea.codegen import user_helpers as users
from hep_tables_coffea.codegen.fused import helpers as of_kernels
from hep_tables_coffea.codegen.fused import machine
from hep_tables_coffea.graph import helpers as elementwise

__all__ = [
    "ATOM",
    "Names",
    "Piece",
    "atom",
    "helper_source",
    "identifier",
    "in_docstring",
    "literal_text",
    "quoted",
    "tuple_text",
]

ATOM = 20


@dataclass(frozen=True, slots=True)
class Piece:
    """An expression as text, and how tightly its outermost operator binds."""

    text: str
    binding: int = ATOM

    def within(self, binding: int) -> str:
        """The text, in parentheses where it stands beside an operator that binds more tightly."""
        return self.text if self.binding >= binding else f"({self.text})"


def atom(text: str) -> Piece:
    return Piece(text, ATOM)


def literal_text(value: Any, kind: str) -> str:
    """A constant as source."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        text = f'float("{value}")'
    else:
        text = repr(value)
    return text if kind == type(value).__name__ else f"np.{kind.replace('bool', 'bool_')}({text})"


def tuple_text(texts: list[str]) -> str:
    """A tuple as source."""
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"


def quoted(text: str) -> str:
    """A string as source, in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def in_docstring(text: str) -> str:
    """A text as it may stand in a docstring."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def identifier(text: str) -> str:
    """A name that Python takes: `AnalysisElectronsAuxDyn.pt` becomes `AnalysisElectronsAuxDyn_pt`."""
    name = re.sub(r"\W+", "_", text).strip("_") or "value"
    return f"_{name}" if name[0].isdigit() or keyword.iskeyword(name) else name


class Names:
    """Names of variables, each given once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)

    def new(self, wish: str) -> str:
        name = identifier(wish)
        number = 2
        while name in self.taken:
            name = f"{identifier(wish)}_{number}"
            number += 1
        self.taken.add(name)
        return name


@functools.cache
def _functions() -> dict[str, tuple[ModuleType, str, tuple[str, ...]]]:
    """Every helper: its module, its text, and the helpers that it calls."""
    found: dict[str, Any] = {}
    for module in (elementwise, reading, structure, merging, filling, users, of_kernels, machine):
        for name, function in vars(module).items():
            if inspect.isfunction(function) and function.__module__ == module.__name__:
                found[name] = (module, inspect.getsource(function))
    return {name: (module, text, _called(text, found)) for name, (module, text) in found.items()}


def _called(text: str, known: Iterable[str]) -> tuple[str, ...]:
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    return tuple(sorted(names & set(known)))


def helper_names() -> set[str]:
    """The names that helpers may take in a generated module."""
    return set(_functions())


def helper_source(wanted: Iterable[str]) -> str:
    """The text of the helpers, with those that they call, in a fixed order."""
    needed: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += _functions()[name][2]
    return "\n\n".join(text for name, (_, text, _) in _functions().items() if name in needed)
