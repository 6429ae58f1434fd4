"""Functions of numpy and of Python's `math` of single numbers as instructions of LLVM."""

from __future__ import annotations

import math
from collections.abc import Callable

from hep_tables_coffea.codegen.native.numbers import LLVM, Instructions, Num, Unknown, constant

__all__ = ["IN_MATH", "NUMBERS", "Mathematics"]

#: What numpy and `math` have in common, by the names of numpy.
IN_MATH = {
    name: name
    for name in "sqrt exp exp2 expm1 log log2 log10 log1p sin cos tan sinh cosh tanh fabs copysign hypot".split()
}
IN_MATH |= {f"a{name}": f"arc{name}" for name in "sin cos tan sinh cosh tanh tan2".split()}
IN_MATH |= {name: name for name in "isnan isinf isfinite radians degrees".split()}
NUMBERS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}


class Mathematics(Instructions):
    """Instructions for functions, too."""

    def function(self, name: str, values: list[Num]) -> Num:
        """A function of numpy of one or two numbers."""
        kind = name.removesuffix("_")  # as numpy calls truth values
        if kind in LLVM and len(values) == 1:
            return self.cast(values[0], kind)
        alike = self._alike(values)
        if name in _OF_ANY:
            return _OF_ANY[name](self, *alike)
        if alike[0].family != "f":
            if name in _WHOLE_OF_WHOLE or any(value.kind not in ("int64", "int32") for value in values):
                raise Unknown(f"{name} of whole numbers")
            alike = [self.cast(value, "float64") for value in alike]
        if name in _OF_FLOATS:
            return _OF_FLOATS[name](self, *alike)
        if name in _CALLED and len(alike) == _CALLED[name][1]:
            return self.call(_CALLED[name][0], *alike)
        raise Unknown(name)

    def _alike(self, values: list[Num]) -> list[Num]:
        """The numbers in the type that they have in common."""
        if not 1 <= len(values) <= 2 or any(value.family == "b" for value in values):
            raise Unknown("a function of this")
        kind = values[0].kind if len(values) == 1 else self.unified(*values)
        if len({value.family for value in values}) > 1 and any(value.kind == "float32" for value in values):
            raise Unknown("whole numbers and single precision")
        return [self.cast(value, kind) for value in values]

    def extreme(self, one: Num, other: Num, word: str, known: bool) -> Num:
        """The greater, or lesser, of two numbers; what is no number counts as the greatest, or where `known` not at all."""
        if one.family != "f":
            word = ("s" if one.family == "i" else "u") + word
            return self.select(self.new(f"icmp {word} {one}, {other.text}"), one, other)
        no_number = self.new(f"fcmp uno {one}, {other.text}")
        if known:
            left = self.select(self.new(f"fcmp uno {other}, {other.text}"), one, other)
        else:
            left = self.select(self.new(f"fcmp uno {one}, {one.text}"), one, other)
        return self.select(no_number, left, self.select(self.new(f"fcmp o{word} {one}, {other.text}"), one, other))

    def sign(self, value: Num) -> Num:
        """1, 0, or -1; what is no number stays that."""
        zero = constant(0, value.kind)
        above, below = (self.compared(word, value, zero).text for word in ("Gt", "Lt"))
        rest = zero if value.family != "f" else self.select(self.new(f"fcmp uno {value}, {value.text}"), value, zero)
        return self.select(above, constant(1, value.kind), self.select(below, constant(-1, value.kind), rest))

    def is_infinite(self, value: Num) -> Num:
        return self.num(f"fcmp oeq {self.absolute(value)}, {constant(math.inf, value.kind).text}", "bool")

    def is_finite(self, value: Num) -> Num:
        return self.num(f"fcmp one {self.absolute(value)}, {constant(math.inf, value.kind).text}", "bool")

    def has_sign(self, value: Num) -> Num:
        bits = f"i{value.kind[5:]}"
        return self.num(f"icmp slt {bits} {self.new(f'bitcast {value} to {bits}')}, 0", "bool")

    def scaled(self, value: Num, factor: float) -> Num:
        return self.num(f"fmul {value}, {constant(factor, value.kind).text}", value.kind)

    def quotient(self, one: Num, other: Num) -> Num:
        """The greatest whole number that is not above one / other."""
        if one.family == "f":
            raise Unknown("floor_divide of numbers with fractions")
        return self.divided(one, other)[0]

    def remainder(self, one: Num, other: Num) -> Num:
        """The remainder with the sign of what is divided by."""
        if one.family != "f":
            return self.divided(one, other)[1]
        zero = constant(0, one.kind)
        rest = self.num(f"frem {one}, {other.text}", one.kind)
        signs = (self.compared("Lt", value, zero).text for value in (other, rest))
        differ = self.new(f"xor i1 {', '.join(signs)}")
        fix = self.new(f"and i1 {self.new(f'fcmp one {rest}, {zero.text}')}, {differ}")
        return self.num(f"fadd {rest}, {self.select(fix, other, zero).text}", one.kind)


_Function = Callable[..., Num]

#: Of whole numbers, too.
_OF_ANY: dict[str, _Function] = {
    "absolute": Mathematics.absolute,
    "negative": Mathematics.negative,
    "positive": lambda _, value: value,
    "conjugate": lambda _, value: value,
    "sign": Mathematics.sign,
    "square": lambda to, value: to.num(f"{'f' * (value.family == 'f')}mul {value}, {value.text}", value.kind),
    "maximum": lambda to, one, other: to.extreme(one, other, "ge", False),
    "minimum": lambda to, one, other: to.extreme(one, other, "le", False),
    "fmax": lambda to, one, other: to.extreme(one, other, "ge", True),
    "fmin": lambda to, one, other: to.extreme(one, other, "le", True),
    "remainder": Mathematics.remainder,
    "floor_divide": Mathematics.quotient,
}
#: What gives whole numbers of such.
_WHOLE_OF_WHOLE = ("power", "fmod", "floor", "ceil", "trunc")
_OF_FLOATS: dict[str, _Function] = {
    "isnan": lambda to, value: to.num(f"fcmp uno {value}, {value.text}", "bool"),
    "isinf": Mathematics.is_infinite,
    "isfinite": Mathematics.is_finite,
    "signbit": Mathematics.has_sign,
    "fmod": lambda to, one, other: to.num(f"frem {one}, {other.text}", one.kind),
    "cbrt": lambda to, value: to.cast(to.call("cbrt", to.cast(value, "float64")), value.kind),
    "deg2rad": lambda to, value: to.scaled(value, math.pi / 180),
    "rad2deg": lambda to, value: to.scaled(value, 180 / math.pi),
}
_OF_FLOATS |= {"radians": _OF_FLOATS["deg2rad"], "degrees": _OF_FLOATS["rad2deg"]}
_CALLED = {
    name: (f"llvm.{name}", 1) for name in "exp exp2 log log2 log10 sin cos sqrt floor ceil trunc rint fabs".split()
}
_CALLED |= {name: (name, 1) for name in "expm1 log1p tan sinh cosh tanh".split()}
_CALLED |= {f"arc{name}": (f"a{name}", 1) for name in "sin cos tan sinh cosh tanh".split()}
_CALLED |= {"arctan2": ("atan2", 2), "hypot": ("hypot", 2), "copysign": ("llvm.copysign", 2), "power": ("llvm.pow", 2)}
