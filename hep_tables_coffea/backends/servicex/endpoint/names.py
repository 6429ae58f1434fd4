"""Which columns of its events a query names."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

__all__ = ["Used", "used_columns"]

#: What goes over events and gives events again.
KEEPING = ("Where",)


@dataclass(frozen=True, slots=True)
class Used:
    """The columns that a query needs, as far as its text tells."""

    #: Named on an event itself: the tree must have these.
    direct: tuple[str, ...]
    #: Every other name in the query; if the tree has a column of that name it may be meant.
    perhaps: tuple[str, ...]
    #: Whether an event is used as a whole, so that all columns are needed.
    is_whole: bool


def used_columns(query: ast.AST) -> Used:
    """Read off a query whose LINQ nodes are inserted which columns have to be read for it."""
    finder = _Finder()
    finder.visit(query, frozenset())
    direct = dict.fromkeys(finder.direct)
    perhaps = tuple(name for name in dict.fromkeys(finder.perhaps) if name not in direct)
    return Used(tuple(direct), perhaps, finder.is_whole)


def _is_events(node: Any, rows: frozenset[str]) -> bool:
    """Whether an expression gives events as they are in the tree; `rows` are the names of such."""
    while type(node).__name__ in KEEPING:
        node = node.source
    if isinstance(node, ast.Name):
        return node.id in rows
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "EventDataset"


class _Finder:
    def __init__(self) -> None:
        self.direct: list[str] = []
        self.perhaps: list[str] = []
        self.is_whole = False

    def visit(self, node: Any, rows: frozenset[str]) -> None:
        name = _field(node)
        if _is_events(node, rows):
            self.is_whole = True
            self._inside(node, rows)
        elif name is not None and _is_events(node.value, rows):
            self.direct.append(name)
            self._inside(node.value, rows)
        elif isinstance(node, ast.Lambda):
            self.visit(node.body, rows - {argument.arg for argument in node.args.args})
        elif type(node).__name__ == "Count" and _is_events(node.source, rows):
            self._inside(node.source, rows)
        elif _lambda_of(node) is not None and _is_events(node.source, rows):
            self._over_events(node, rows)
        else:
            if name is not None:
                self.perhaps.append(name)
            for child in ast.iter_child_nodes(node):
                self.visit(child, rows)

    def _over_events(self, node: Any, rows: frozenset[str]) -> None:
        """The argument of the lambda is an event."""
        function = _lambda_of(node)
        self._inside(node.source, rows)
        if isinstance(function.body, ast.Constant):
            # a constant for each event is made in the likeness of the first column
            self.is_whole = True
        self.visit(function.body, rows | {argument.arg for argument in function.args.args})

    def _inside(self, node: Any, rows: frozenset[str]) -> None:
        """What an expression of events uses beside the events themselves."""
        if type(node).__name__ in KEEPING:
            self._over_events(node, rows)


def _lambda_of(node: Any) -> Any:
    for name in ("selector", "predicate", "key_selector"):
        if isinstance(getattr(node, name, None), ast.Lambda):
            return getattr(node, name)
    return None


def _field(node: Any) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        return node.slice.value
    return None
