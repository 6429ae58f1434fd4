"""Numbers as LLVM has them: the types and bits that numba gives, or numpy where numba differs from it."""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from hep_tables_coffea.codegen.native.compile import instructions
from hep_tables_coffea.codegen.native.numbers import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FLOATS = ["float32", "float64"]
WHOLE = ["int8", "int32", "int64", "uint8", "uint64"]

OF_ONE = """sqrt cbrt absolute fabs negative positive floor ceil trunc rint square conjugate exp exp2 expm1 log log2 log10 log1p
 sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh deg2rad rad2deg degrees radians isnan isfinite
 isinf signbit""".split()
OF_TWO = "maximum minimum fmax fmin copysign remainder fmod arctan2 hypot power".split()
OF_MATH = """sqrt exp exp2 expm1 log log2 log10 log1p sin cos tan sinh cosh tanh fabs asin acos atan asinh acosh atanh isnan
 isinf isfinite radians degrees""".split()
COMPARED = "< <= > >= == !=".split()

EXPRESSIONS: list[tuple[tuple[str, ...], str, list[str]]] = []
for one in FLOATS:
    texts = [f"np.{name}(a)" for name in OF_ONE] + [f"math.{name}(a)" for name in OF_MATH]
    texts += "abs(a)|-a|+a|a ** 2|a ** 3|a ** 0|a ** 2.5|a * 2|a * 2.5|2 / a|np.float32(a)|np.float64(a)".split("|")
    texts += "a * np.pi|float(a)|a if a > 0 else 0|a if a > 0 else 0.5|np.inf if a > 0 else a".split("|")
    texts += "-1 < a < 2|a > 1 and a < 2|a < 0 or a > 2|not a > 1|not a|bool(a)|np.bool_(a)".split("|")
    EXPRESSIONS.append(((one,), "float64", texts))
    small = "np.int64(a)|int(a)|np.int32(a)|np.int8(a)"
    EXPRESSIONS.append(((one,), "int64", [f"{text} if abs(a) < 100 else 0" for text in small.split("|")]))
for one, other in itertools.product(FLOATS, FLOATS):
    texts = [f"np.{name}(a, b)" for name in OF_TWO] + [f"a {sign} b" for sign in ["+", "-", "*", "/", *COMPARED]]
    texts += "a ** b|math.copysign(a, b)|math.hypot(a, b)|math.atan2(a, b)|a if b > 0 else b".split("|")
    EXPRESSIONS.append(((one, other), "float64", texts))
for one in WHOLE:
    texts = "-a|~a|a + 1|a * 3|abs(a)|a // 2|a % 3|a // -2|a % -3|a & 5|a | 9|a ^ 3|a << 2|a >> 1|a != 0|a == 1|a > 1"
    texts += (
        "|np.absolute(a)|np.square(a)|np.negative(a)|a if a > 3 else 3|np.int8(a)|np.int32(a)|np.int64(a)|np.uint8(a)"
    )
    texts += "|np.uint64(a)|min(a, 3)|max(a, 3)|int(a)|bool(a)|not a|a ** 3"
    EXPRESSIONS.append(((one,), "int64", texts.split("|")))
    texts = "a / 2|a * 0.5|np.float32(a)|np.float64(a)|np.sqrt(a)|np.exp(a)|float(a)|math.sqrt(a)|a if a > 3 else 0.5|a ** 0.5"
    EXPRESSIONS.append(((one,), "float64", texts.split("|")))
for one, other in itertools.product(WHOLE, WHOLE):
    if "uint64" in (one, other) and "int" in (one[:3], other[:3]):
        continue
    texts = [f"a {sign} b" for sign in ["+", "-", "*", "//", "%", "&", "|", "^", *COMPARED]] + ["a if a > b else b"]
    texts += [f"np.{name}(a, b)" for name in "maximum minimum fmax fmin remainder floor_divide".split()]
    EXPRESSIONS.append(((one, other), "int64", texts))
for one, other in [*itertools.product(WHOLE, ["float64"]), ("int32", "float32"), ("int64", "float32")]:
    texts = [f"a {sign} b" for sign in ["+", "-", "*", "/", *COMPARED]] + [
        "b / a",
        "a if b > 1 else b",
        "np.hypot(a, b)",
    ]
    EXPRESSIONS.append(((one, other), "float64", texts))
for one in ("int64", "float64"):
    texts = [f"{x} {sign} {y}" for sign in "+ - * < == != >=".split() for x, y in ("ab", "ba")]
    texts += ["b + True", "-1 < a < b", "-1 < b < np.absolute(b) <= 50 * a"]
    EXPRESSIONS.append((("bool", one), one, texts))
texts = "a and b|a or b|a != b|a == b|a & b|a | b|a ^ b|not a|a if b else False|np.int64(a) + np.int64(b)|a < b"
EXPRESSIONS.append((("bool", "bool"), "int64", texts.split("|")))
EXPRESSIONS.append(
    (("bool", "float32"), "float64", "b if a else np.float32(1)|b if a else 1|np.float32(a) + b".split("|"))
)


def sample(kind: str) -> Any:
    """Numbers of a type, with all that are special. The least whole number divided by -1 ends a process of numba's."""
    random = np.random.default_rng(1)
    if kind == "bool":
        return np.array([True, False] * 4)
    if kind[0] == "f":
        special = [
            0.0,
            -0.0,
            1,
            -1,
            0.5,
            -0.5,
            np.nan,
            np.inf,
            -np.inf,
            1e-40,
            -1e-40,
            1e30,
            -1e30,
            2,
            3,
            -2.5,
            2.5,
            3.5,
        ]
        return np.array([*special, *random.normal(0, 3, 30), *random.uniform(-1, 1, 12)], kind)
    limits = np.iinfo(kind)
    special = [0, 1, 2, 3, 7, limits.max, limits.max - 1, *([limits.min + 1, -1, -2, -3] if limits.min else [4, 5])]
    return np.array([*special, *random.integers(max(limits.min + 1, -50), 50, 30)], kind)


def kernel_of(kinds: Sequence[str], out: str, expressions: Sequence[str]) -> str:
    """The text of a kernel that computes each expression of numbers `a`, `b`."""
    names = [f"x_{name}" for name in "ab"[: len(kinds)]]
    takes = [f"column(types.{kind.replace('bool', 'boolean')})" for kind in kinds]
    given = [f"out_{k}" for k in range(len(expressions))]
    types = ", ".join(["types.int64", *takes, *[f"types.{out}[::1]"] * len(given)])
    lines = [f"{name[2:]} = {name}[i]" for name in names] + [f"{x}[i] = {text}" for x, text in zip(given, expressions)]
    body = "\n".join(f"        {line}" for line in lines)
    return f"""\
import math
import numpy as np
from numba import njit, types


def column(dtype):
    return types.Array(dtype, 1, "C", readonly=True)


@njit(types.void({types}), nogil=True, error_model="numpy")
def kernel({", ".join(["n", *names, *given])}):
    for i in range(n):
{body}
"""


def known(kinds: Sequence[str], out: str, texts: Sequence[str]) -> list[str]:
    """The expressions that are not left to numba."""
    found = []
    for text in texts:
        try:
            instructions(kernel_of(kinds, out, [text]))
        except Unknown:
            continue
        found.append(text)
    return found


@pytest.mark.parametrize(
    ("kinds", "out", "texts"), EXPRESSIONS, ids=[f"{' and '.join(kinds)} as {out}" for kinds, out, _ in EXPRESSIONS]
)
def test_numbers_have_the_bits_of_numbas(
    kinds: tuple[str, ...], out: str, texts: list[str], native: Callable[[str], Any]
) -> None:
    expressions = known(kinds, out, texts)
    assert expressions
    text = kernel_of(kinds, out, expressions)
    columns = [sample(kind) for kind in kinds]
    if len(columns) == 2:
        columns = [np.repeat(columns[0], len(columns[1])), np.tile(columns[1], len(columns[0]))]
    namespace: dict[str, Any] = {"__name__": "kernel"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(text, namespace)  # noqa: S102 (the text is our own)
    found, expected = ([np.zeros(len(columns[0]), out) for _ in expressions] for _ in range(2))
    native(text)(len(columns[0]), *columns, *found)
    namespace["kernel"](len(columns[0]), *columns, *expected)
    assert {t: bits(x) for t, x in zip(expressions, found)} == {t: bits(x) for t, x in zip(expressions, expected)}


def bits(values: Any) -> list[str]:
    """Numbers with the sign of zero, and all that are no numbers alike."""
    return ["nan" if value != value else repr(value) for value in values.tolist()]


#: Where numba differs from numpy, the numbers are those of numpy.
OF_NUMPY = {
    "sign": ([0.0, -0.0, 2.5, -2.5, np.nan, np.inf], "float64"),
    "floor_divide": ([-128, 127, 5, -5, 0], "int8"),
    "remainder": ([-128, 127, 5, -5, 0], "int8"),
}


@pytest.mark.parametrize("name", OF_NUMPY)
def test_numbers_are_those_of_numpy(name: str, native: Callable[[str], Any]) -> None:
    values, kind = OF_NUMPY[name]
    column, function = np.array(values, kind), getattr(np, name)
    number, out = function.nin, "int64" if kind[0] == "i" else "float64"
    columns = [np.repeat(column, len(column)), np.tile(column, len(column))] if number == 2 else [column]
    text = f"np.{name}({', '.join('ab'[:number])})"
    found = np.zeros(len(columns[0]), out)
    native(kernel_of([kind] * number, out, [text]))(len(columns[0]), *columns, found)
    with np.errstate(all="ignore"):
        assert bits(found) == bits(function(*columns).astype(out))


@pytest.mark.parametrize("source", FLOATS)
@pytest.mark.parametrize("kind", [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)])
def test_whole_numbers_of_what_does_not_fit_are_those_of_numpy(
    source: str, kind: str, native: Callable[[str], Any]
) -> None:
    ends = [2.0**bits + more for bits in (7, 8, 15, 16, 31, 32, 63, 64) for more in (-0.5, 0, 1)]
    ends += [300, 1e10, 1e19]
    values = np.array([*sample(source), *ends, *(-one for one in ends)], source)
    if kind == "uint32":  # beyond, numpy itself has other numbers in long arrays than in short ones
        values = values[(values > -(2.0**31)) & (values < 2.0**32)]
    found, out = np.zeros(len(values), kind), "uint64" if kind == "uint64" else "int64"
    native(kernel_of([source], kind, [f"np.{kind}(a)"]))(len(values), values, found)
    with np.errstate(invalid="ignore"):
        expected = values.astype(kind)
    assert found.tolist() == expected.tolist()
    wide = np.zeros(len(values), out)
    native(kernel_of([source], out, [f"np.{kind}(a)"]))(len(values), values, wide)
    assert wide.tolist() == expected.tolist()


def test_whole_numbers_of_what_is_known_not_to_fit_are_those_of_numpy(native: Callable[[str], Any]) -> None:
    texts = ["np.int64(np.nan)", "np.int32(1e300)", "np.int64(a if a > 1 else np.inf)", "np.int8(300.0)"]
    found = [np.zeros(2, np.int64) for _ in texts]
    native(kernel_of(["float64"], "int64", texts))(2, np.array([0.5, 1.5]), *found)
    assert [one.tolist() for one in found] == [[-(2**63)] * 2, [-(2**31)] * 2, [-(2**63), 1], [44] * 2]


@pytest.mark.parametrize("kind", ["int64", "uint64"])
def test_shifts_by_any_number_are_those_of_numpy(kind: str, native: Callable[[str], Any]) -> None:
    values, by = np.array([5, 2**62 + 1, 2**63 - 1, 0, 2**62] * 2, kind), np.array([0, 1, 63, 64, 65] * 2, kind)
    if kind == "int64":
        values[5:], by[9] = -values[5:], -1
    texts = ["a << b", "a >> b", "np.int64(1) << np.int64(64)", "np.int64(-1) >> np.int64(200)", "np.int64(1) << b"]
    texts = texts if kind == "int64" else texts[:2]
    found = [np.zeros(len(values), kind) for _ in texts]
    native(kernel_of([kind, kind], kind, texts))(len(values), values, by, *found)
    expected: list[Any] = [values << by, values >> by]
    if kind == "int64":
        expected += [values * 0, values * 0 - 1, np.ones_like(values) << by]
    assert [one.tolist() for one in found] == [one.tolist() for one in expected]


def test_great_whole_number_is_rounded_once(native: Callable[[str], Any]) -> None:
    found = [np.zeros(1, np.float32)]
    native(kernel_of(["float64"], "float32", ["np.float32(9007199791611905)"]))(1, np.zeros(1), *found)
    assert found[0].tolist() == [float(np.int64(9007199791611905).astype(np.float32))]
    assert np.float32(float(9007199791611905)) != found[0][0]


#: What is left to numba, as it is not certain what it gives, or rare.
LEFT = {
    "a + b of int64 and uint64": "whole numbers with and without a sign",
    "a + b of uint8 and float32": "small whole numbers and single precision",
    "a + b of bool and bool": "arithmetic of truth values",
    "np.maximum(a, b) of int32 and float32": "whole numbers and single precision",
    "np.sqrt(a) of int8": "sqrt of whole numbers",
    "np.power(a, b) of int64 and int64": "power of whole numbers",
    "np.fmod(a, b) of int64 and int64": "fmod of whole numbers",
    "np.floor(a) of int64": "floor of whole numbers",
    "int(a) of uint64": "int of these",
    "float(a) of float32": "float of these",
    "+(a > 0) of float64": "arithmetic of truth values",
    "a + b of bool and float32": "arithmetic of truth values",
    "a if b > 0 else b of bool and float64": "truth values and numbers",
    "np.maximum(a) of float64": "what is no kernel, TypeError",
    "a // b of float64 and float64": "FloorDiv of numbers with fractions",
    "a @ b of int64 and int64": "MatMult",
    "a ** -1 of float64": "a power of these",
    "abs(a) of uint8": "the absolute value of what has no sign",
    "~a of float64": "the bits of what is no whole number",
    "a is b of float64 and float64": "Is",
    "np.logaddexp(a, b) of float64 and float64": "logaddexp",
    "np.clip(a, 0.0, 1.0) of float64": "a function of this",
    "math.floor(a) of float64": "a function of a module",
    "round(a) of float64": "the function round",
    "min(a, b) of float64 and float64": "min of these",
    "a and b of float64 and float64": "and, or of numbers",
    "18446744073709551615 of float64": "the constant 18446744073709551615",
    '"a" of float64': "the constant 'a'",
    "math.tau of float64": "math.tau",
    "unknown of float64": "the name unknown",
    "(a, a) of float64": "the expression Tuple",
    "np.maximum(a, out=a) of float64": "an argument by its name",
    "(lambda: a)() of float64": "a function that is computed",
}


@pytest.mark.parametrize("case", LEFT)
def test_what_is_not_certain_is_left_to_numba(case: str) -> None:
    text, _, types = case.partition(" of ")
    with pytest.raises(Unknown) as caught:
        instructions(kernel_of(types.split(" and "), "float64", [text]))
    assert str(caught.value) == LEFT[case]
