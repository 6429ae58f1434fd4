"""Expressions of a kernel's text as instructions of LLVM."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any, NamedTuple

from hep_tables_coffea.codegen.native.mathematics import IN_MATH, NUMBERS, Mathematics
from hep_tables_coffea.codegen.native.numbers import LLVM, Num, Unknown, constant, memory_type, written

__all__ = ["Array", "Expressions", "Known"]


class Array(NamedTuple):
    """A flat array, by the address of its first number."""

    text: str
    kind: str
    how: str

    @property
    def types(self) -> tuple[str, str]:
        return self.kind, self.how

    def __str__(self) -> str:
        return f"ptr {self.text}"


class Known:
    """What functions know of what stands around them."""

    def __init__(self) -> None:
        #: Of functions from elsewhere.
        self.declared: set[str] = set()
        self.functions: dict[str, ast.FunctionDef] = {}
        self.constants: dict[str, Any] = {}
        self.modules: dict[str, str] = {}

    def function(self, name: str, arguments: Sequence[Num | Array]) -> tuple[str, str]:
        """The symbol of a function for arguments of these types, and the type that it gives; "" is nothing."""
        raise NotImplementedError


#: Functions of Python, and the type that those give which convert.
_OF_PYTHON = {"abs": "", "min": "", "max": "", "bool": "bool", "int": "int64", "float": "float64"}


class Expressions(Mathematics):
    """Blocks of instructions, variables with one type each, and what is computed with them."""

    def __init__(self, known: Known) -> None:
        super().__init__(known.declared)
        self.known = known
        self.arrays: dict[str, Array] = {}
        #: Room for variables.
        self.places: list[str] = []
        self._variables: dict[str, tuple[str, str]] = {}
        self._labels = itertools.count()
        self._block = "entry"

    # -- blocks ------------------------------------------------------------------------------------------------------

    def label(self) -> str:
        return f"b{next(self._labels)}"

    def jump(self, label: str) -> None:
        self.lines.append(f"  br label %{label}")

    def branch(self, condition: Num, one: str, other: str) -> None:
        self.lines.append(f"  br i1 {condition.text}, label %{one}, label %{other}")

    def begin(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self._block = label

    # -- variables ---------------------------------------------------------------------------------------------------

    def place(self, kind: str) -> str:
        """Room for a number, zero at first."""
        name = f"%p{len(self.places) // 2}"
        self.places += [f"  {name} = alloca {LLVM[kind]}", f"  store {constant(0, kind)}, ptr {name}"]
        return name

    def set(self, name: str, value: Num) -> None:
        if name in self.arrays:
            raise Unknown("an array that is given another name")
        if name not in self._variables:
            self._variables[name] = self.place(value.kind), value.kind
        place, kind = self._variables[name]
        if kind != value.kind:
            raise Unknown(f"{name} is {kind} and {value.kind}")
        self.lines.append(f"  store {value}, ptr {place}")

    def get(self, name: str) -> Num:
        if name in self._variables:
            place, kind = self._variables[name]
            return self.num(f"load {LLVM[kind]}, ptr {place}", kind)
        if name in self.known.constants:
            return written(self.known.constants[name])
        raise Unknown(f"the name {name}")

    def element(self, node: ast.Subscript) -> tuple[str, str]:
        """The address of a number in an array, and its type."""
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        if name not in self.arrays:
            raise Unknown(f"an element of {ast.unparse(node.value)}")
        array, index = self.arrays[name], self.value(node.slice)
        if index.family not in "iu" or (index.literal is not None and index.literal < 0):
            raise Unknown("a place that is no whole number from zero on")
        kind = memory_type(array.kind)
        place = self.new(f"getelementptr inbounds {kind}, {array}, {self.cast(index, 'int64')}")
        return place, array.kind

    def load(self, place: str, kind: str) -> Num:
        value = self.new(f"load {memory_type(kind)}, ptr {place}")
        return self.num(f"icmp ne i8 {value}, 0", kind) if kind == "bool" else Num(value, kind)

    def store(self, value: Num, place: str, kind: str) -> None:
        value = self.cast(value, kind)
        text = f"i8 {self.new(f'zext {value} to i8')}" if kind == "bool" else str(value)
        self.lines.append(f"  store {text}, ptr {place}")

    # -- expressions -------------------------------------------------------------------------------------------------

    def value(self, node: ast.expr) -> Num:
        """The value of an expression."""
        visit = getattr(self, f"of_{type(node).__name__}", None)
        if visit is None:
            raise Unknown(f"the expression {type(node).__name__}")
        found: Num = visit(node)
        return found

    def of_Constant(self, node: ast.Constant) -> Num:
        return written(node.value)

    def of_Name(self, node: ast.Name) -> Num:
        return self.get(node.id)

    def of_Attribute(self, node: ast.Attribute) -> Num:
        if self._module(node.value) in ("numpy", "math") and node.attr in NUMBERS:
            return constant(NUMBERS[node.attr], "float64")
        raise Unknown(ast.unparse(node))

    def of_Subscript(self, node: ast.Subscript) -> Num:
        return self.load(*self.element(node))

    def of_BinOp(self, node: ast.BinOp) -> Num:
        return self.binary(type(node.op).__name__, self.value(node.left), self.value(node.right))

    def of_UnaryOp(self, node: ast.UnaryOp) -> Num:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return self.negated(value)
        if isinstance(node.op, ast.USub):
            return self.negative(value)
        if isinstance(node.op, ast.Invert):
            return self.inverted(value)
        if value.kind == "bool":
            raise Unknown("arithmetic of truth values")
        return value

    def of_Compare(self, node: ast.Compare) -> Num:
        """A comparison, or several in a row: if they are of simple values it does not matter that all are computed."""
        left = self.value(node.left)

        def compared(operator: ast.cmpop, right: ast.expr) -> Num:
            nonlocal left
            one, left = left, self.value(right)
            return self.compared(type(operator).__name__, one, left)

        steps = [partial(compared, operator, right) for operator, right in zip(node.ops, node.comparators)]
        later = [part for one in node.comparators[1:] for part in ast.walk(one)]
        if any(isinstance(part, (ast.Call, ast.Subscript)) for part in later):
            return self._decided(steps, False)
        return reduce(lambda made, step: self.binary("BitAnd", made, step()), steps[1:], steps[0]())

    def of_BoolOp(self, node: ast.BoolOp) -> Num:
        return self._decided([partial(self.value, one) for one in node.values], isinstance(node.op, ast.Or))

    def _decided(self, steps: Sequence[Callable[[], Num]], decides: bool) -> Num:
        """What stands after the first that decides is not computed: an element of an array may not be there."""
        end, known = self.label(), []
        for k, step in enumerate(steps):
            value = step()
            if value.kind != "bool":
                raise Unknown("and, or of numbers")
            if k == len(steps) - 1:
                known.append(f"[{value.text}, %{self._block}]")
                self.jump(end)
                break
            known.append(f"[{str(decides).lower()}, %{self._block}]")
            following = self.label()
            self.branch(value, *((end, following) if decides else (following, end)))
            self.begin(following)
        self.begin(end)
        return self.num(f"phi i1 {', '.join(known)}", "bool")

    def of_IfExp(self, node: ast.IfExp) -> Num:
        """One value or the other; only that one is computed."""
        labels, end = (self.label(), self.label()), self.label()
        self.branch(self.truth(self.value(node.test)), *labels)
        values, ends = [], (self.label(), self.label())
        for begins, ends_, one in zip(labels, ends, (node.body, node.orelse)):
            self.begin(begins)
            values.append(self.value(one))
            self.jump(ends_)
        kind, known = self.unified(*values), []
        for label, value in zip(ends, values):  # in blocks of their own, since the type is known only now
            self.begin(label)
            known.append(f"[{self.cast(value, kind).text}, %{label}]")
            self.jump(end)
        self.begin(end)
        return self.num(f"phi {LLVM[kind]} {', '.join(known)}", kind)

    def of_Call(self, node: ast.Call) -> Num:
        found = self.called(node)
        if found is None:
            raise Unknown("a function that gives nothing")
        return found

    def called(self, node: ast.Call) -> Num | None:
        if node.keywords:
            raise Unknown("an argument by its name")
        function = node.func
        if isinstance(function, ast.Attribute):
            return self._of_module(self._module(function.value), function.attr, [self.value(one) for one in node.args])
        if not isinstance(function, ast.Name):
            raise Unknown("a function that is computed")
        arguments = [self._passed(one) for one in node.args]
        if function.id in _OF_PYTHON and function.id not in self.known.functions:
            return self._of_python(function.id, arguments)
        symbol, gives = self.known.function(function.id, arguments)
        call = f"call {LLVM.get(gives, 'void')} {symbol}({', '.join(map(str, arguments))})"
        if gives:
            return self.num(call, gives)
        self.lines.append(f"  {call}")
        return None

    def _passed(self, node: ast.expr) -> Num | Array:
        if isinstance(node, ast.Name) and node.id in self.arrays:
            return self.arrays[node.id]
        return self.value(node)

    def _module(self, node: ast.expr) -> str:
        return self.known.modules.get(node.id, "") if isinstance(node, ast.Name) else ""

    def _of_module(self, module: str, name: str, values: list[Num]) -> Num:
        if module == "math":
            name = IN_MATH.get(name, "")
        elif module != "numpy":
            name = ""
        if not name:
            raise Unknown("a function of a module")
        return self.function(name, values)

    def _of_python(self, name: str, arguments: Sequence[Num | Array]) -> Num:
        values = [one for one in arguments if isinstance(one, Num)]
        if len(values) < len(arguments) or any(
            one.kind == ("float32" if name == "float" else "uint64") for one in values
        ):
            raise Unknown(f"{name} of these")
        if name in ("min", "max") and [value.kind for value in values] == ["int64", "int64"]:
            return self.extreme(values[0], values[1], "le" if name == "min" else "ge", False)
        if len(values) != 1 or name in ("min", "max"):
            raise Unknown(f"{name} of these")
        (value,) = values
        if name == "int" and value.family == "f":
            return self.truncated(value)
        return self.absolute(value) if name == "abs" else self.cast(value, _OF_PYTHON[name])
