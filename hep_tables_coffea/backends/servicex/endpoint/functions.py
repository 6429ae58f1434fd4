"""Queries that are Python functions. They can do anything, so an endpoint may be told to refuse them."""

from __future__ import annotations

import ast
import base64
import binascii
import inspect
import os
from typing import Any

from hep_tables_coffea.backends.servicex.endpoint.guard import QueryRefusedError

__all__ = ["parse", "run"]

NAME = "run_query"


def parse(text: str) -> str:
    """The source of the function. Raises `QueryRefusedError` if there is none."""
    try:
        source = base64.b64decode(text, validate=True).decode()
        tree = ast.parse(source)
    except (binascii.Error, UnicodeDecodeError) as error:
        msg = f"the Python function is not encoded as ServiceX encodes it: {error}"
        raise QueryRefusedError(msg) from None
    except SyntaxError as error:
        msg = f"the Python function has a syntax error in line {error.lineno}: {error.msg}"
        raise QueryRefusedError(msg) from None
    if not any(isinstance(node, ast.FunctionDef) and node.name == NAME for node in tree.body):
        msg = f"the source defines no function {NAME}, which is what ServiceX calls"
        raise QueryRefusedError(msg)
    return source


def run(source: str, path: str, output: str) -> Any:
    """What the function returns for an input. One with two arguments writes the output itself: then None.

    Raises what the function raises.
    """
    names: dict[str, Any] = {"__name__": "generated_transformer"}
    exec(compile(source, "<Python function>", "exec"), names)  # noqa: S102 - what these queries are
    function = names[NAME]
    if len(inspect.signature(function).parameters) != 2:
        return function(path)
    function(path, output)
    if not os.path.exists(output):
        msg = f"the function did not write its output {os.path.basename(output)}"
        raise RuntimeError(msg)
    return None
