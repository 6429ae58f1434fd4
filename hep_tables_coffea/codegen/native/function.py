"""The functions of a kernel's text, statement by statement, as instructions of LLVM."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from hep_tables_coffea.codegen.native.expressions import Array, Expressions, Known
from hep_tables_coffea.codegen.native.numbers import LLVM, Num, Unknown, constant

__all__ = ["Function"]


class Function(Expressions):
    """One function for arguments of some types. A variable has one type."""

    def __init__(self, known: Known, node: ast.FunctionDef, arguments: Sequence[Num | Array]) -> None:
        super().__init__(known)
        #: The type of what is returned; "" is nothing.
        self.gives = ""
        self._returned: set[str] = set()
        #: Where `continue` and `break` go in the loops around.
        self._loops: list[tuple[str, str]] = []
        takes = node.args
        if takes.vararg or takes.kwarg or takes.kwonlyargs or takes.defaults or len(takes.args) != len(arguments):
            raise Unknown(f"how {node.name} is called")
        self._takes: list[str] = []
        for number, (argument, one) in enumerate(zip(takes.args, arguments)):
            text = f"%a{number}"
            if isinstance(one, Array):
                self.arrays[argument.arg] = Array(text, one.kind, one.how)
                self._takes.append(f"ptr {'readonly ' * (one.how == 'read')}{text}")
            else:
                self.set(argument.arg, Num(text, one.kind))
                self._takes.append(f"{LLVM[one.kind]} {text}")
        self._body(node.body)
        self._ends(node)

    def _ends(self, node: ast.FunctionDef) -> None:
        """What is done where the text ends."""
        if len(self._returned) > 1:
            raise Unknown("what is returned has several types")
        self.gives = next(iter(self._returned), "")
        if self.gives and not _returns(node.body):
            raise Unknown("a function that gives nothing at times")
        self.lines.append("  unreachable" if self.gives else "  ret void")

    def text(self, symbol: str, attributes: str) -> str:
        """The function as LLVM reads it."""
        gives = LLVM.get(self.gives, "void")
        head = f"define internal {gives} {symbol}({', '.join(self._takes)}) {attributes} nounwind {{"
        return "\n".join([head, "entry:", *self.places, *self.lines, "}"])

    # -- statements --------------------------------------------------------------------------------------------------

    def _body(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            visit = getattr(self, f"do_{type(statement).__name__}", None)
            if visit is None:
                raise Unknown(f"the statement {type(statement).__name__}")
            visit(statement)

    def do_Pass(self, node: ast.Pass) -> None:
        pass

    def do_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self.called(node.value)
        elif not isinstance(node.value, ast.Constant):
            self.value(node.value)

    def do_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if isinstance(target, ast.Tuple) and len(node.targets) == 1:
            if not isinstance(node.value, ast.Tuple) or len(node.value.elts) != len(target.elts):
                raise Unknown("what is taken apart")
            values = [self.value(one) for one in node.value.elts]
            for one, value in zip(target.elts, values):
                self._assign(one, value)
        else:
            value = self.value(node.value)
            for one in node.targets:
                self._assign(one, value)

    def _assign(self, target: ast.expr, value: Num) -> None:
        if isinstance(target, ast.Name):
            self.set(target.id, value)
        elif isinstance(target, ast.Subscript):
            place, kind = self.element(target)
            self.store(value, place, kind)
        else:
            raise Unknown("what is assigned")

    def do_AugAssign(self, node: ast.AugAssign) -> None:
        name = type(node.op).__name__
        if isinstance(node.target, ast.Subscript):
            place, kind = self.element(node.target)
            self.store(self.binary(name, self.load(place, kind), self.value(node.value)), place, kind)
        elif isinstance(node.target, ast.Name):
            self.set(node.target.id, self.binary(name, self.get(node.target.id), self.value(node.value)))
        else:
            raise Unknown("what is assigned")

    def do_Return(self, node: ast.Return) -> None:
        value = None if node.value is None else self.value(node.value)
        self._returned.add("" if value is None else value.kind)
        self.lines.append("  ret void" if value is None else f"  ret {value}")
        self.begin(self.label())

    def do_If(self, node: ast.If) -> None:
        then, otherwise, end = self.label(), self.label(), self.label()
        self.branch(self.truth(self.value(node.test)), then, otherwise)
        for label, body in ((then, node.body), (otherwise, node.orelse)):
            self.begin(label)
            self._body(body)
            self.jump(end)
        self.begin(end)

    def do_While(self, node: ast.While) -> None:
        if node.orelse:
            raise Unknown("else of a loop")
        test, body, end = self.label(), self.label(), self.label()
        self.jump(test)
        self.begin(test)
        self.branch(self.truth(self.value(node.test)), body, end)
        self.begin(body)
        self._inside(node.body, test, end)
        self.jump(test)
        self.begin(end)

    def do_For(self, node: ast.For) -> None:
        """A loop over a range; how many rounds there are is known before."""
        call = node.iter
        is_range = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range"
        if not is_range or node.orelse or not isinstance(node.target, ast.Name):
            raise Unknown("a loop over something else than a range")
        bounds = [self.value(one) for one in call.args]  # type: ignore[attr-defined]
        if call.keywords or not 1 <= len(bounds) <= 3 or any(one.family != "i" for one in bounds):  # type: ignore[attr-defined]
            raise Unknown("a range of other numbers")
        one = constant(1, "int64")
        start, stop, step = [constant(0, "int64"), *bounds, one] if len(bounds) == 1 else [*bounds, one][:3]
        start, stop, step = (self.cast(bound, "int64") for bound in (start, stop, step))
        place = self.place("int64")
        test, body, following, end = (self.label() for _ in range(4))
        self.lines.append(f"  store {start}, ptr {place}")
        self.jump(test)
        self.begin(test)
        current = self.num(f"load i64, ptr {place}", "int64")
        self.branch(self._goes_on(current, stop, step), body, end)
        self.begin(body)
        self.set(node.target.id, current)
        self._inside(node.body, following, end)
        self.jump(following)
        self.begin(following)
        self.lines.append(f"  store {self.num(f'add nsw {current}, {step.text}', 'int64')}, ptr {place}")
        self.jump(test)
        self.begin(end)

    def _goes_on(self, current: Num, stop: Num, step: Num) -> Num:
        below = self.compared("Lt", current, stop)
        if step.literal is not None and step.literal > 0:
            return below
        above = self.compared("Gt", current, stop)
        rises, falls = (self.compared(word, step, constant(0, "int64")) for word in ("Gt", "Lt"))
        return self.binary("BitOr", self.binary("BitAnd", rises, below), self.binary("BitAnd", falls, above))

    def _inside(self, body: Sequence[ast.stmt], following: str, end: str) -> None:
        self._loops.append((following, end))
        self._body(body)
        self._loops.pop()

    def do_Continue(self, node: ast.Continue) -> None:
        self.jump(self._loops[-1][0])
        self.begin(self.label())

    def do_Break(self, node: ast.Break) -> None:
        self.jump(self._loops[-1][1])
        self.begin(self.label())


def _returns(body: Sequence[ast.stmt]) -> bool:
    """Whether what follows these statements is never reached, as far as that is plain to see."""
    last = body[-1] if body else None
    if isinstance(last, ast.If):
        return _returns(last.body) and _returns(last.orelse)
    return isinstance(last, ast.Return)
