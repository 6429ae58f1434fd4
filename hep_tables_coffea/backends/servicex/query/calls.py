"""Columns of the dialect for ATLAS as the calls that their names stand for."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from hep_tables_coffea.backends.servicex.query import text
from hep_tables_coffea.graph import nodes as g

__all__ = ["Call", "called", "calls_of", "is_list"]

#: A method and its arguments.
Call = tuple[str, tuple[Any, ...]]


def calls_of(column: str) -> list[Call]:
    """The calls that a column's name stands for: `Jets('AnalysisJets').pt` are those of `Jets` and of `pt`.

    Keywords are for the schema pack alone: they say what a bank is made of.
    """
    node: ast.expr = ast.parse(column, mode="eval").body
    calls: list[Call] = []
    arguments: tuple[Any, ...] = ()
    while True:
        if isinstance(node, ast.Call):
            arguments, node = tuple(ast.literal_eval(arg) for arg in node.args), node.func
        elif isinstance(node, ast.Attribute):
            calls.append((node.attr, arguments))
            arguments, node = (), node.value
        else:
            assert isinstance(node, ast.Name)
            return [*calls, (node.id, arguments)][::-1]


def called(source: str, calls: Iterable[Call]) -> str:
    """Calls one after the other, of what is written in `source`."""
    for method, arguments in calls:
        source = text.method(source, method, *map(text.constant, arguments))
    return source


def is_list(node: g.Field) -> bool:
    """Whether a column has a list of numbers in each row."""
    return len(node.path) > len(node.args[0].path)
