"""What an expression says twice is computed once.

func_adl has no names for intermediate results, so a query of thirty columns of selected jets says thirty times which
jets those are. dask recognises that; here it is done on the text, before it is compiled.
"""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

__all__ = ["share"]

#: What is worth a name. All functions of a query only depend on their arguments.
COSTLY = (ast.BinOp, ast.Call, ast.Compare, ast.Subscript, ast.UnaryOp)
#: Where not everything is evaluated, or not once.
APART = (ast.DictComp, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.IfExp, ast.BoolOp, ast.Lambda)
PREFIX = "shared_"


def share(source: str) -> str:
    """The text of a lambda in which equal parts are computed where they are first met.

    >>> share("lambda e: (e.x[e.y > 3], abs(e.y > 3))")
    'lambda e: (e.x[(shared_1 := (e.y > 3))], abs(shared_1))'
    """
    tree = ast.parse(source, mode="eval")
    keys = _Keys()
    keys.of(tree.body)
    return ast.unparse(_Sharing(keys).visit(tree))


class _Keys:
    """The same number for equal trees."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._of_node: dict[int, int] = {}

    def of(self, node: ast.AST) -> int:
        if id(node) not in self._of_node:
            parts = tuple(self._part(value) for _, value in ast.iter_fields(node))
            self._of_node[id(node)] = self._numbers.setdefault((type(node), parts), len(self._numbers))
        return self._of_node[id(node)]

    def _part(self, value: Any) -> Hashable:
        if isinstance(value, ast.AST):
            return ("node", self.of(value))
        if isinstance(value, list):
            return tuple(self._part(one) for one in value)
        # True == 1 == 1.0, and they are different constants
        return (type(value), repr(value))


class _Sharing(ast.NodeTransformer):
    """Each lambda is a room of its own: its names mean the same everywhere inside, and nothing outside."""

    def __init__(self, keys: _Keys) -> None:
        self._keys = keys
        self._count = 0
        self._repeated: set[int] = set()
        self._named: dict[int, str] = {}

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        outside = self._repeated, self._named
        counts = Counter(self._keys.of(one) for one in _evaluated(node.body) if isinstance(one, COSTLY))
        self._repeated, self._named = {key for key, number in counts.items() if number > 1}, {}
        node.body = self.visit(node.body)
        self._repeated, self._named = outside
        return node

    def visit(self, node: ast.AST) -> Any:
        if not isinstance(node, COSTLY) or (key := self._keys.of(node)) not in self._repeated:
            return super().visit(node)
        if key not in self._named:
            self._count += 1
            name = f"{PREFIX}{self._count}"
            value = cast("ast.expr", self.generic_visit(node))
            made = ast.NamedExpr(ast.Name(name, ast.Store()), value)
            self._named[key] = name
            return made
        return ast.Name(self._named[key], ast.Load())

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """What is evaluated only sometimes names nothing that is used elsewhere."""
        if not isinstance(node, APART) or isinstance(node, ast.Lambda):
            return super().generic_visit(node)
        outside = self._repeated
        self._repeated = set()
        made = super().generic_visit(node)
        self._repeated = outside
        return made


def _evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of an expression that are evaluated once whenever it is."""
    yield node
    if not isinstance(node, APART):
        for child in ast.iter_child_nodes(node):
            yield from _evaluated(child)
