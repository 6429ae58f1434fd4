"""What a query may say. Whatever is not known to be harmless is refused.

func_adl_uproot turns a query into Python and runs it, with any builtin in reach: `eval`, `open`, `__class__`. So the
trees of queries are checked against a list of what they may consist of before anything is generated.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re

__all__ = ["QueryRefusedError", "check_expression", "check_query"]


class QueryRefusedError(ValueError):
    """A query that does not run here, with the reason in words."""


#: func_adl's operators, as qastle names their nodes. `Aggregate` has no translation.
LINQ = frozenset(
    "All Any Choose Concat Contains Count ElementAt First Last Max Min OrderBy OrderByDescending Select SelectMany Sum "
    "Where Zip".split()
)
#: What may be called with a dot: four-momenta, and what vector computes with them.
METHODS = frozenset(
    "ToFourMomenta ToFourMomentum add boost boostX boostY boostZ boostCM_of boostCM_of_p4 boost_p4 cross deltaR deltaR2 "
    "deltaRapidityPhi deltaangle deltaeta deltaphi dot is_lightlike is_parallel is_spacelike is_timelike rotateX rotateY "
    "rotateZ scale subtract to_beta3 to_Vector2D to_Vector3D to_Vector4D unit".split()
)
CONSTANTS = frozenset(("pi", "e", "inf", "nan", "euler_gamma"))
FUNCTIONS = frozenset(("abs",))
#: Names that the generated text uses itself.
TAKEN = frozenset((*dir(builtins), "np", "dak", "functools", "events", "uproot", "vector", "logging", "item"))

_PLAIN = (
    ast.Module,
    ast.Expr,
    ast.List,
    ast.Tuple,
    ast.Dict,
    ast.Slice,
    ast.IfExp,
    ast.UnaryOp,
    ast.BinOp,
    ast.BoolOp,
    ast.Compare,
    ast.expr_context,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
    ast.In,
    ast.NotIn,
)
#: The same, and what an expression of uproot is made of besides.
_DOTTED = re.compile(r"[A-Za-z]\w*([./:][A-Za-z]\w*)*")


def check_query(tree: ast.AST) -> None:
    """Refuse a func_adl query, whose LINQ nodes are inserted, that names anything but columns and known functions.

    Raises `QueryRefusedError`.
    """
    _Check(_attributes_of_arrays()).visit(tree, frozenset())


def check_expression(text: str, functions: frozenset[str]) -> None:
    """Refuse an expression of uproot's language that is more than columns, numbers and these functions.

    Raises `QueryRefusedError`.
    """
    if _DOTTED.fullmatch(text) and "__" not in text:
        return
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        msg = f"{text!r} is no expression: {error}"
        raise QueryRefusedError(msg) from None
    for node in ast.walk(tree):
        _check_part(node, text, functions)


def _check_part(node: ast.AST, text: str, functions: frozenset[str]) -> None:
    if isinstance(node, (*_PLAIN, ast.Subscript, ast.keyword)):
        return
    if isinstance(node, ast.Constant):
        _check_constant(node)
    elif isinstance(node, ast.Name):
        # any other name is a column, or not found
        if node.id.startswith("__"):
            msg = f"{text!r}: the name {node.id!r} is not allowed"
            raise QueryRefusedError(msg)
    elif isinstance(node, ast.Attribute):
        if node.attr.startswith("_"):
            msg = f"{text!r}: the attribute {node.attr!r} is not allowed"
            raise QueryRefusedError(msg)
    elif isinstance(node, ast.Call):
        if not (isinstance(node.func, ast.Name) and node.func.id in functions):
            msg = f"{text!r}: {ast.unparse(node.func)!r} is not a function of uproot's expressions"
            raise QueryRefusedError(msg)
    else:
        msg = f"{text!r}: {type(node).__name__} is not allowed in an expression"
        raise QueryRefusedError(msg)


def _check_constant(node: ast.Constant) -> None:
    if node.value is not None and not isinstance(node.value, (bool, int, float, str)):
        msg = f"the constant {node.value!r} is not allowed"
        raise QueryRefusedError(msg)


def _attributes_of_arrays() -> frozenset[str]:
    """What a dot finds in an array before its fields: `layout`, `behavior`, `numba_type` and so on."""
    import awkward as ak

    return frozenset(name for name in dir(ak.Array) if not name.startswith("_"))


class _Check:
    """Walks a tree and knows which names are bound by lambdas around."""

    def __init__(self, hidden: frozenset[str]) -> None:
        self._hidden = hidden

    def visit(self, node: ast.AST, bound: frozenset[str]) -> None:
        check = getattr(self, f"_check_{type(node).__name__}", None)
        if check is not None:
            check(node, bound)
        elif isinstance(node, _PLAIN) or type(node).__name__ in LINQ:
            self._children(node, bound)
        elif type(node).__name__ == "Aggregate":
            raise QueryRefusedError("Aggregate is not implemented for uproot")  # noqa: EM101
        else:
            msg = f"{type(node).__name__} is not allowed in a query"
            raise QueryRefusedError(msg)

    def _children(self, node: ast.AST, bound: frozenset[str]) -> None:
        for child in ast.iter_child_nodes(node):
            self.visit(child, bound)

    def _check_Constant(self, node: ast.Constant, bound: frozenset[str]) -> None:
        _check_constant(node)

    def _check_Name(self, node: ast.Name, bound: frozenset[str]) -> None:
        if node.id not in bound:
            msg = f"Unknown id: {node.id}"
            raise QueryRefusedError(msg)

    def _check_Lambda(self, node: ast.Lambda, bound: frozenset[str]) -> None:
        arguments = node.args
        names = [argument.arg for argument in arguments.args]
        extra = (arguments.posonlyargs, arguments.kwonlyargs, arguments.vararg, arguments.kwarg, arguments.defaults)
        if any(extra):
            raise QueryRefusedError("a lambda may have plain arguments only")  # noqa: EM101
        for name in names:
            if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("__") or name in TAKEN:
                msg = f"{name!r} cannot be the argument of a lambda: choose another name"
                raise QueryRefusedError(msg)
        self.visit(node.body, bound | frozenset(names))

    def _check_Attribute(self, node: ast.Attribute, bound: frozenset[str]) -> None:
        if isinstance(node.value, ast.Name) and node.value.id == "np" and "np" not in bound:
            _check_numpy(node.attr)
            return
        if not node.attr.isidentifier() or keyword.iskeyword(node.attr) or node.attr.startswith("__"):
            msg = f"the attribute {node.attr!r} is not allowed: a column of that name is had in brackets"
            raise QueryRefusedError(msg)
        if node.attr in self._hidden:
            msg = f"the attribute {node.attr!r} is one of every array: the column is had as [{node.attr!r}]"
            raise QueryRefusedError(msg)
        self.visit(node.value, bound)

    def _check_Subscript(self, node: ast.Subscript, bound: frozenset[str]) -> None:
        self._children(node, bound)

    def _check_Call(self, node: ast.Call, bound: frozenset[str]) -> None:
        if node.keywords:
            raise QueryRefusedError("a call may have no keyword arguments")  # noqa: EM101
        function = node.func
        if isinstance(function, ast.Name) and function.id == "EventDataset":
            for argument in node.args:
                _check_literal(argument)
            return
        for argument in node.args:
            self.visit(argument, bound)
        if isinstance(function, ast.Name):
            _check_function(function.id)
        elif isinstance(function, ast.Attribute) and not _is_numpy(function):
            if function.attr not in METHODS:
                msg = f"{function.attr!r} is not a function that can be called here"
                raise QueryRefusedError(msg)
            self.visit(function.value, bound)
        elif isinstance(function, (ast.Attribute, ast.Lambda)):
            self.visit(function, bound)
        else:
            msg = f"{ast.unparse(function)!r} cannot be called"
            raise QueryRefusedError(msg)


def _check_function(name: str) -> None:
    if name not in FUNCTIONS:
        msg = f"Unknown id: {name} (functions are abs, those of np for single numbers, and func_adl's operators)"
        raise QueryRefusedError(msg)


def _is_numpy(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "np"


def _check_numpy(name: str) -> None:
    import numpy as np

    if name in CONSTANTS or isinstance(getattr(np, name, None), np.ufunc):
        return
    msg = f"np.{name} is not a function of single numbers, and not implemented for uproot"
    raise QueryRefusedError(msg)


def _check_literal(node: ast.AST) -> None:
    parts = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
    if not all(isinstance(part, ast.Constant) and isinstance(part.value, (str, type(None))) for part in parts):
        raise QueryRefusedError("EventDataset takes names of files and of a tree")  # noqa: EM101
