"""Pieces of qastle text, the form in which queries travel, and the same as Python that one can read."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from typing import Any

from hep_tables_coffea.errors import BackendError

__all__ = [
    "as_func_adl",
    "attribute",
    "call",
    "choice",
    "constant",
    "dictionary",
    "events",
    "function",
    "item",
    "method",
    "number",
    "operation",
    "string",
]

#: What the client puts in place of the files, which are told beside the query.
PLACEHOLDER = "bogus.root"
WIDTH = 110
_QUERY_METHODS = ("Select", "Where", "MetaData")


def attribute(source: str, name: str) -> str:
    """`source.name`."""
    return f"(attr {source} {string(name)})"


def item(source: str, index: str) -> str:
    """`source[index]`."""
    return f"(subscript {source} {index})"


def call(called: str, *arguments: str) -> str:
    """`called(arguments)`."""
    return f"(call {' '.join((called, *arguments))})"


def method(source: str, name: str, *arguments: str) -> str:
    """`source.name(arguments)`."""
    return call(attribute(source, name), *arguments)


def operation(sign: str, *operands: str) -> str:
    """`operand sign operand`, or `sign operand`."""
    return f"({sign} {' '.join(operands)})"


def function(parameters: Sequence[str], body: str) -> str:
    """`lambda parameters: body`."""
    return f"(lambda (list {' '.join(parameters)}) {body})"


def dictionary(members: Mapping[str, str]) -> str:
    """`{name: member}`."""
    return f"(dict (list {' '.join(map(string, members))}) (list {' '.join(members.values())}))"


def choice(condition: str, one: str, other: str) -> str:
    """`one if condition else other`."""
    return f"(if {condition} {one} {other})"


def string(text: str) -> str:
    """A string; the language has no way to write a quote in one."""
    if "'" in text or "\\" in text:
        msg = f"a name with a quote cannot be written: {text}"
        raise ValueError(msg)
    return f"'{text}'"


def number(value: Any) -> str:
    """A plain number or truth value."""
    if isinstance(value, float) and not math.isfinite(value):
        msg = f"{value} cannot be written as a number"
        raise ValueError(msg)
    return repr(value)


def constant(value: Any) -> str:
    """Plain data: what a generator is told beside a query."""
    if isinstance(value, dict):
        names, values = map(constant, value), map(constant, value.values())
        return f"(dict (list {' '.join(names)}) (list {' '.join(values)}))"
    if isinstance(value, (list, tuple)):
        return f"(list {' '.join(map(constant, value))})" if value else "(list)"
    return repr(value)


def events(tree: str | None) -> str:
    """The events of the files that are told beside the query."""
    names = [PLACEHOLDER] if tree is None else [PLACEHOLDER, tree]
    return call("EventDataset", *map(string, names))


# -- to read ---------------------------------------------------------------------------------------------------------


def as_func_adl(text: str) -> str:
    """A query as the Python that one would write with func_adl, a step a line.

    What a code generator is told beside the query is long, and only counted.

    Args:
        text: a query as `write_query` gives it.

    Example:
        >>> from hep_tables_coffea.backends.servicex.query import as_func_adl
        >>> print(as_func_adl("(call Select (call EventDataset 'bogus.root' 'Events') "
        ...                   "(lambda (list e) (dict (list 'met') (list (attr e 'MET_pt')))))"))
        FuncADL_Uproot().FromTree('Events')
            .Select(lambda e: {'met': e.MET_pt})
    """
    try:
        from qastle import text_ast_to_python_ast
    except ImportError as error:
        msg = "the package that reads queries is missing"
        raise BackendError(msg, hint="pip install 'hep_tables_coffea[servicex]'") from error

    node: ast.expr = text_ast_to_python_ast(text).body[0].value
    steps: list[str] = []
    told = 0
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _QUERY_METHODS:
        source, *arguments = node.args
        if node.func.id == "MetaData":
            told += 1
        else:
            steps.append(_step(node.func.id, arguments))
        node = source
    beside = [f"    # .MetaData(...): {told} times, what is told of types and functions"] if told else []
    return "\n".join([_dataset(node, bool(told)), *beside, *reversed(steps)])


def _step(name: str, arguments: list[ast.expr]) -> str:
    line = f"    .{name}({', '.join(map(_source, arguments))})"
    body = arguments[0].body if isinstance(arguments[0], ast.Lambda) else None
    if len(line) <= WIDTH or not isinstance(body, ast.Dict):
        return line
    assert isinstance(arguments[0], ast.Lambda)
    parameters = _source(arguments[0].args)
    members = [f"        {_source(key)}: {_source(value)},\n" for key, value in zip(body.keys, body.values) if key]
    return f"    .{name}(lambda {parameters}: {{\n{''.join(members)}    }})"


def _dataset(node: ast.expr, of_atlas: bool) -> str:
    arguments = node.args if isinstance(node, ast.Call) else []
    if of_atlas:
        return "FuncADL_ATLASr22()"
    return f"FuncADL_Uproot().FromTree({_source(arguments[1])})" if len(arguments) == 2 else "FuncADL_Uproot()"


def _source(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node))
