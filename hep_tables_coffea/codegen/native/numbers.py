"""Single numbers as instructions of LLVM: types, casts and operators, each as numba has it.

Only what is certain is here: which type comes out where types are mixed, and to the last bit which number.
"""

from __future__ import annotations

import itertools
import math
import struct
from typing import NamedTuple

__all__ = ["LLVM", "Instructions", "Num", "Unknown", "constant", "memory_type", "written"]

#: The types of LLVM. A truth value is a byte in memory.
LLVM = {"bool": "i1", "float32": "float", "float64": "double"}
LLVM |= {f"{sign}int{bits}": f"i{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}


class Unknown(Exception):
    """What is left to numba."""


class Num(NamedTuple):
    """A number: a value of LLVM and its type, and what it is where that is written in the source."""

    text: str
    kind: str
    literal: bool | int | float | None = None

    @property
    def family(self) -> str:
        return self.kind[0]

    @property
    def bits(self) -> int:
        return int(LLVM[self.kind][1:]) if self.family in "iu" else 0

    @property
    def types(self) -> str:
        return self.kind

    def __str__(self) -> str:
        return f"{LLVM[self.kind]} {self.text}"


def memory_type(kind: str) -> str:
    """The type as which a number is stored in an array."""
    return "i8" if kind == "bool" else LLVM[kind]


def constant(value: float, kind: str) -> Num:
    """A number that is known."""
    if kind == "bool":
        return Num(str(bool(value)).lower(), kind, bool(value))
    if kind[0] != "f":
        return Num(str(int(value)), kind, int(value))
    if kind == "float32":
        try:
            (value,) = struct.unpack("<f", struct.pack("<f", value))
        except OverflowError:
            value = math.copysign(math.inf, value)
    (pattern,) = struct.unpack("<Q", struct.pack("<d", value))
    return Num(f"0x{pattern:016X}", kind, value)


def written(value: object) -> Num:
    """A number that stands in a text."""
    if isinstance(value, bool):
        return constant(value, "bool")
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return constant(value, "int64")
    if isinstance(value, float):
        return constant(value, "float64")
    raise Unknown(f"the constant {value!r}")


_COMPARED = {"Eq": "eq", "NotEq": "ne", "Lt": "lt", "LtE": "le", "Gt": "gt", "GtE": "ge"}
_ARITHMETIC = {"Add": "add", "Sub": "sub", "Mult": "mul"}
_BITS = {"BitAnd": "and", "BitOr": "or", "BitXor": "xor"}


class Instructions:
    """Instructions one after the other, and what they need from elsewhere."""

    def __init__(self, declared: set[str]) -> None:
        self.lines: list[str] = []
        self.declared = declared
        self._counter = itertools.count()

    def new(self, text: str) -> str:
        """The result of an instruction, under a new name."""
        name = f"%v{next(self._counter)}"
        self.lines.append(f"  {name} = {text}")
        return name

    def num(self, text: str, kind: str) -> Num:
        return Num(self.new(text), kind)

    def call(self, name: str, *values: Num) -> Num:
        """A function of the C library, or of LLVM, that gives what it takes."""
        kind = values[0].kind
        mangled = f"{name}.f{kind[5:]}" if name.startswith("llvm.") else name + ("f" if kind == "float32" else "")
        types = ", ".join(LLVM[value.kind] for value in values)
        self.declared.add(f"declare {LLVM[kind]} @{mangled}({types}) nounwind willreturn memory(none)")
        return self.num(f"call {LLVM[kind]} @{mangled}({', '.join(map(str, values))})", kind)

    def select(self, condition: str, one: Num, other: Num) -> Num:
        return self.num(f"select i1 {condition}, {one}, {other}", one.kind)

    # -- types -------------------------------------------------------------------------------------------------------

    def cast(self, value: Num, kind: str) -> Num:
        """The number in another type."""
        if value.kind == kind:
            return value
        if value.literal is not None and _is_plain(value, kind):
            return constant(value.literal, kind)
        if kind == "bool":
            return self.truth(value)
        old, new = value.family, kind[0]
        if old == "f" and new != "f":
            return self.whole(value, kind)
        if old == "f":
            word = "fpext" if kind == "float64" else "fptrunc"
        elif new == "f":
            word = "sitofp" if old == "i" else "uitofp"
        else:
            bits = int(LLVM[kind][1:])
            if bits == value.bits:
                return Num(value.text, kind)
            word = "trunc" if value.family != "b" and bits < value.bits else "sext" if old == "i" else "zext"
        return self.num(f"{word} {value} to {LLVM[kind]}", kind)

    def truncated(self, value: Num) -> Num:
        """`int(value)`: some number where Python has none, what is too large or no number."""
        return self.num(f"freeze i64 {self.new(f'fptosi {value} to i64')}", "int64")

    def whole(self, value: Num, kind: str) -> Num:
        """A number without its fraction, also what is too large, or no number: numpy has the bits that C gives."""
        if kind == "uint64":
            half = constant(2.0**63, value.kind)
            upper = self.whole(self.num(f"fsub {value}, {half.text}", value.kind), "int64")
            upper = self.num(f"xor {upper}, {-(2**63)}", kind)
            lower = Num(self.whole(value, "int64").text, kind)
            return self.select(self.compared("GtE", value, half).text, upper, lower)
        if kind not in ("int32", "int64"):
            return self.cast(self.whole(value, "int64" if kind == "uint32" else "int32"), kind)
        least = constant(-(2 ** (int(kind[3:]) - 1)), kind)
        limit = self.cast(constant(float(-least.literal), "float64"), value.kind)  # type: ignore[operator]
        fits = self.compared("Lt", self.call("llvm.fabs", value), limit)
        return self.select(fits.text, self.num(f"fptosi {value} to {LLVM[kind]}", kind), least)

    def truth(self, value: Num) -> Num:
        """Whether a number is not zero."""
        if value.kind == "bool":
            return value
        word = "fcmp une" if value.family == "f" else "icmp ne"
        return self.num(f"{word} {value}, {constant(0, value.kind).text}", "bool")

    def common(self, one: Num, other: Num) -> str:
        """The type in which two numbers meet."""
        families = {one.family, other.family}
        if "b" in families:
            kind = other.kind if one.family == "b" else one.kind
            if kind not in ("int64", "float64"):
                raise Unknown("arithmetic of truth values")
            return kind
        if families == {"f"}:
            return max(one.kind, other.kind)
        if "f" in families:
            whole = one if one.family != "f" else other
            if whole.bits < 32 and "float32" in (one.kind, other.kind):
                raise Unknown("small whole numbers and single precision")
            return "float64"
        if families == {"u"}:
            return "uint64"
        if any(value.kind == "uint64" for value in (one, other)):
            raise Unknown("whole numbers with and without a sign")
        return "int64"

    def unified(self, one: Num, other: Num) -> str:
        """The type of what is one number or the other."""
        if one.kind != other.kind and "bool" in (one.kind, other.kind):
            raise Unknown("truth values and numbers")
        return one.kind if one.kind == other.kind else self.common(one, other)

    # -- operators ---------------------------------------------------------------------------------------------------

    def binary(self, name: str, one: Num, other: Num) -> Num:
        """`one + other`, ... by the name that `ast` has for the operator."""
        if name in _BITS and one.kind == other.kind == "bool":
            return self.num(f"{_BITS[name]} {one}, {other.text}", "bool")
        if name == "Pow":
            return self.power(one, other)
        kind = self.common(one, other)
        if name == "Div" and kind[0] != "f":
            kind = "float64"
        one, other = self.cast(one, kind), self.cast(other, kind)
        is_float = kind[0] == "f"
        if name in _ARITHMETIC:
            return self.num(f"{'f' * is_float}{_ARITHMETIC[name]} {one}, {other.text}", kind)
        if name == "Div":
            return self.num(f"fdiv {one}, {other.text}", kind)
        if is_float:
            raise Unknown(f"{name} of numbers with fractions")
        if name in _BITS:
            return self.num(f"{_BITS[name]} {one}, {other.text}", kind)
        if name in ("LShift", "RShift"):
            return self.shifted(name, one, other)
        if name in ("FloorDiv", "Mod"):
            return self.divided(one, other)[name == "Mod"]
        raise Unknown(name)

    def shifted(self, name: str, one: Num, other: Num) -> Num:
        """`one << other`, `one >> other` as numpy has them: by more bits than there are, nothing is left but the sign."""
        word = "shl" if name == "LShift" else "ashr" if one.family == "i" else "lshr"
        made = self.num(f"{word} {one}, {other.text}", one.kind)
        if other.literal is not None and 0 <= other.literal < one.bits:
            return made
        rest = self.num(f"ashr {one}, {one.bits - 1}", one.kind) if word == "ashr" else constant(0, one.kind)
        return self.select(self.new(f"icmp ult {other}, {one.bits}"), made, rest)

    def divided(self, one: Num, other: Num) -> tuple[Num, Num]:
        """Quotient and remainder of whole numbers of one type as numpy has them: both zero where it divides by zero."""
        kind, zero, unit = one.kind, constant(0, one.kind), constant(1, one.kind)
        by_zero = self.new(f"icmp eq {other}, 0")
        divisor = self.select(by_zero, unit, other)
        if kind[0] == "u":
            quotient, rest = (self.num(f"{word} {one}, {divisor.text}", kind) for word in ("udiv", "urem"))
            return self.select(by_zero, zero, quotient), self.select(by_zero, zero, rest)
        least = constant(-(2 ** (one.bits - 1)), kind)  # by -1 it is no number of this type, and ends the process
        too_large = self.new(f"and i1 {self.new(f'icmp eq {one}, {least.text}')}, {self.new(f'icmp eq {other}, -1')}")
        divisor = self.select(too_large, unit, divisor)
        quotient, rest = (self.num(f"{word} {one}, {divisor.text}", kind) for word in ("sdiv", "srem"))
        signs = self.new(f"icmp slt {self.num(f'xor {rest}, {divisor.text}', kind)}, 0")
        fix = self.new(f"and i1 {signs}, {self.new(f'icmp ne {rest}, 0')}")
        quotient = self.num(f"add {quotient}, {self.select(fix, constant(-1, kind), zero).text}", kind)
        rest = self.num(f"add {rest}, {self.select(fix, divisor, zero).text}", kind)
        return self.select(by_zero, zero, quotient), self.select(by_zero, zero, rest)

    def power(self, base: Num, exponent: Num) -> Num:
        """`base ** exponent`: multiplied out where the exponent is a known whole number."""
        times = exponent.literal if exponent.kind == "int64" else None
        if times is not None and 0 <= times <= 16 and base.kind in ("float32", "float64", "int32", "int64"):
            base = self.cast(base, base.kind if base.family == "f" else "int64")
            made, factor, times = constant(1, base.kind), base, int(times)
            while times:
                made = self.binary("Mult", made, factor) if times & 1 else made
                factor, times = self.binary("Mult", factor, factor), times >> 1
            return made
        if exponent.family != "f" or base.kind not in ("float32", "float64", "int64"):
            raise Unknown("a power of these")
        kind = self.common(base, exponent)
        return self.call("llvm.pow", self.cast(base, kind), self.cast(exponent, kind))

    def compared(self, name: str, one: Num, other: Num) -> Num:
        """`one < other`, ... by the name that `ast` has for the comparison."""
        if name not in _COMPARED:
            raise Unknown(name)
        word = _COMPARED[name]
        if one.kind == other.kind:
            kind = one.kind
        else:
            kind = "uint64" if _is_unsigned(one, other) or _is_unsigned(other, one) else self.common(one, other)
        one, other = self.cast(one, kind), self.cast(other, kind)
        if kind[0] == "f":
            return self.num(f"fcmp {'u' if word == 'ne' else 'o'}{word} {one}, {other.text}", "bool")
        sign = "" if word in ("eq", "ne") else "s" if kind[0] == "i" else "u"
        return self.num(f"icmp {sign}{word} {one}, {other.text}", "bool")

    def negative(self, value: Num) -> Num:
        """`-value`"""
        if value.literal is not None and (
            value.kind == "float64" or (value.kind == "int64" and value.literal > -(2**63))
        ):
            return constant(-value.literal, value.kind)
        if value.family == "f":
            return self.num(f"fneg {value}", value.kind)
        self._whole(value)
        return self.num(f"sub {LLVM[value.kind]} 0, {value.text}", value.kind)

    def inverted(self, value: Num) -> Num:
        """`~value`"""
        self._whole(value)
        return self.num(f"xor {value}, -1", value.kind)

    def negated(self, value: Num) -> Num:
        """`not value`"""
        return self.num(f"xor {self.truth(value)}, true", "bool")

    def _whole(self, value: Num) -> None:
        if value.family not in "iu":
            raise Unknown("the bits of what is no whole number")

    def absolute(self, value: Num) -> Num:
        """`abs(value)`"""
        if value.family == "f":
            return self.call("llvm.fabs", value)
        if value.family != "i":
            raise Unknown("the absolute value of what has no sign")
        return self.select(self.new(f"icmp slt {value}, 0"), self.negative(value), value)


def _is_plain(value: Num, kind: str) -> bool:
    """Whether a known number is one of another type, or becomes one by plain rounding."""
    assert value.literal is not None
    if kind[0] not in "iu":
        return kind != "float32" or value.family == "f" or abs(value.literal) <= 2**53
    bits = int(LLVM[kind][1:])
    low, high = (0, 2**bits) if kind[0] == "u" else (-(2**bits) // 2, 2**bits // 2)
    return value.family != "f" and low <= value.literal < high


def _is_unsigned(one: Num, other: Num) -> bool:
    """Whether one is without a sign and the other a known number that needs none."""
    return one.family == "u" and other.kind == "int64" and other.literal is not None and other.literal >= 0
