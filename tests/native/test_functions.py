"""Functions of a kernel's text: loops, conditions, variables and calls do what Python does."""

from __future__ import annotations

import re
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from hep_tables_coffea.codegen.native.compile import digest_of, instructions, type_of
from hep_tables_coffea.codegen.native.numbers import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = """\
import math
import numpy as np
from numba import njit, types


def column(dtype):
    return types.Array(dtype, 1, "C", readonly=True)


"""
SIGNATURE = "types.void(types.int64, column(types.int64), column(types.float64), types.int64[::1], types.float64[::1])"


def text_of(body: str, functions: str = "") -> str:
    """A kernel of `n`, whole numbers `k`, numbers `x`, and what it gives: `whole` and `number`."""
    functions = re.sub("^def", '@njit(nogil=True, error_model="numpy")\ndef', f"{functions}\n\n\n", flags=re.MULTILINE)
    body = indent(dedent(body), "    ")
    return f"{HEAD}{functions}@njit({SIGNATURE}, nogil=True)\ndef kernel(n, k, x, whole, number):\n{body}"


def as_python(text: str) -> Any:
    """The kernel as Python runs it."""
    namespace: dict[str, Any] = {"__name__": "kernel"}
    plain = text.replace("from numba import njit, types", "")
    lines = [line for line in plain.splitlines() if not line.startswith("@njit")]
    exec("\n".join(lines), namespace)  # noqa: S102 (the text is our own)
    return namespace["kernel"]


BODIES = {
    "a loop": "for i in range(n):\n    whole[i] = i * i",
    "a loop from somewhere": "for i in range(2, n):\n    whole[i] = k[i - 2]",
    "a loop with steps": "for i in range(1, n, 3):\n    whole[i] = 7",
    "a loop backwards": "total = 0\nfor i in range(n - 1, -1, -2):\n    total = total * 3 + k[i]\nwhole[0] = total",
    "a loop with steps that are computed": "s = k[1]\nfor i in range(0, n, s * s + 1):\n    whole[i] = 1",
    "a loop without rounds": "for i in range(5, 2):\n    whole[0] = 1",
    "its variable after a loop": "for i in range(n):\n    pass\nwhole[0] = i",
    "its variable changed in a loop": "for i in range(n):\n    i = i * 2\n    whole[0] += i",
    "a loop that ends at once": "for i in range(n):\n    if k[i] > 3:\n        break\n    whole[i] = 1",
    "rounds that are left out": "for i in range(n):\n    if k[i] % 2 == 0:\n        continue\n    whole[i] = 1",
    "loops in loops": """\
        place = 0
        for i in range(n):
            for j in range(i + 1, n):
                if k[i] == k[j]:
                    continue
                if j > i + 4:
                    break
                place += k[i] * j
            whole[i] = place
        """,
    "while": "i = 0\nwhile i < n and k[i] != 5:\n    whole[i] = k[i]\n    i += 1\nwhole[n - 1] = i",
    "while with an end inside": """\
        i = 0
        while True:
            i += 1
            if i == 3:
                continue
            if i >= n:
                break
            whole[i] = i
        """,
    "conditions": """\
        for i in range(n):
            if x[i] > 1:
                whole[i] = 1
            elif x[i] > 0:
                whole[i] = 2
            elif x[i] == x[i]:
                whole[i] = 3
            else:
                whole[i] = 4
        """,
    "numbers as conditions": "for i in range(n):\n    if k[i]:\n        whole[i] = 1\n    if x[i]:\n        number[i] = 1.5",
    "what is after `and` is not computed": "for i in range(n + 3):\n    if i < n and x[i] > 0:\n        whole[i] = 1",
    "what is after `or` is not computed": "for i in range(n + 3):\n    if i >= n or x[i] > 0 or k[i] == 0:\n        whole[i % n] += 1",
    "what is after a comparison that fails is not computed": (
        "for i in range(n + 3):\n    whole[i % n] += 0 <= i < n > k[i % n + (i >= n) * 10**12] >= 1"
    ),
    "one value or the other": "for i in range(n):\n    number[i] = x[i] if k[i] > 2 else -1.5 if k[i] == 1 else k[i]",
    "only one value is computed": "for i in range(n + 3):\n    number[i % n] += x[i] if i < n else 0.0",
    "several at once": "a, b = 1, 2\nfor i in range(n):\n    a, b = b, a + b\n    whole[i] = a",
    "one value for several": "a = b = k[0]\nfor i in range(n):\n    a = whole[i] = a + b",
    "elements exchanged": "for i in range(n):\n    whole[i], number[i] = k[i], x[i]",
    "sums in arrays": "for i in range(n):\n    whole[k[i] % n] += 1\n    number[0] -= x[i] if x[i] == x[i] else 0.0",
    "bits in arrays": "for i in range(n):\n    whole[i] |= k[i] << 3\n    whole[i] ^= 5\n    whole[i] >>= 1\n    whole[i] &= 255",
    "a variable that is true or not": "found = False\nfor i in range(n):\n    found = found or k[i] == 3\n    whole[i] = found",
    "a value of a branch": "for i in range(n):\n    if k[i] > 2:\n        v = x[i]\n    else:\n        v = 0.5\n    number[i] = v",
    "a text that says what is done": '"""This and that."""\nwhole[0] = 1',
    "nothing": "pass",
    "an early end": "if k[0] == 3:\n    return\nwhole[0] = 1",
}
K = np.array([3, 1, 2, 1, 5, 0, 2, 8])
X = np.array([0.5, -1.5, 2.5, np.nan, 0.0, np.inf, 1.0, -0.0])


def ran(kernel: Any, k: Any = K) -> tuple[list[int], list[float]]:
    whole, number = np.zeros(len(k), np.int64), np.zeros(len(k))
    with np.errstate(all="ignore"):
        kernel(len(k), k, X, whole, number)
    return whole.tolist(), [value if value == value else -99.0 for value in number.tolist()]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_body_does_what_python_does(body: str, native: Callable[[str], Any]) -> None:
    text = text_of(body)
    kernel, plain = native(text), as_python(text)
    for first in (3, 4):
        k = np.array([first, *K[1:]])
        assert ran(kernel, k) == ran(plain, k)


FUNCTIONS = {
    "a function": ("def twice(a):\n    return a * 2", "twice(k[i])"),
    "a function of several types": ("def twice(a):\n    return a + a", "twice(k[i]) + twice(2)"),
    "a function that has several ends": (
        "def size(a):\n    if a > 4:\n        return 2\n    elif a > 2:\n        return 1\n    else:\n        return 0",
        "size(k[i])",
    ),
    "functions that call functions": (
        "def one(a):\n    return a + 1\n\n\ndef two(a):\n    return one(one(a))",
        "two(k[i])",
    ),
    "a loop in a function": (
        "def steps(a):\n    m = 0\n    while a > 0:\n        a //= 2\n        m += 1\n    return m",
        "steps(k[i])",
    ),
    "a function of an array": ("def last(a, m):\n    return a[m - 1]", "last(k, n)"),
    "a constant outside": ("LIMIT = -2\n\n\ndef above(a):\n    return a - LIMIT", "above(k[i])"),
    "its argument changed": ("def less(a):\n    a -= 1\n    return a", "less(k[i]) + k[i]"),
    "the name of a function of Python": ("def max(a, b):\n    return a - b", "max(k[i], 3)"),
}


@pytest.mark.parametrize(("functions", "call"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_function_does_what_python_does(functions: str, call: str, native: Callable[[str], Any]) -> None:
    text = text_of(f"for i in range(n):\n    whole[i] = {call}", functions)
    assert ran(native(text)) == ran(as_python(text))


def test_function_that_gives_nothing_changes_its_array(native: Callable[[str], Any]) -> None:
    text = text_of("fill(whole, n, 7)", "def fill(a, m, v):\n    for i in range(m):\n        a[i] = v")
    assert ran(native(text))[0] == [7] * len(K)


def test_kernel_calls_nothing_that_it_does_not_need(native: Callable[[str], Any]) -> None:
    body = "for i in range(n):\n    if k[i] > 0:\n        number[i] = math.sqrt(x[i])"
    assert "declare double @llvm.sqrt.f64(double) nounwind willreturn memory(none)" in instructions(text_of(body))


def test_another_text_has_another_name() -> None:
    assert digest_of("x = 1") == digest_of("x = 1") != digest_of("x = 2")


@pytest.mark.parametrize(
    ("text", "kinds", "gives"),
    [
        ("def f(a):\n    return a * 2.0", ["float32"], "float64"),
        ("def f(a):\n    return a * 2", ["int32"], "int64"),
        ("def f(a):\n    return a > 2", ["int8"], "bool"),
        ("import numpy as np\n\ndef f(a):\n    return np.sqrt(a)", ["float32"], "float32"),
        ("def f(a):\n    pass", ["float32"], ""),
    ],
)
def test_type_that_a_function_gives(text: str, kinds: list[str], gives: str) -> None:
    assert type_of(text, "f", kinds) == gives


def test_type_that_a_function_gives_for_other_numbers_is_not_known() -> None:
    with pytest.raises(Unknown, match=r"^numbers of other types$"):
        type_of("def f(a):\n    return a", "f", ["complex64"])


LEFT = {
    "two types of one variable": ("a = 1\na = 1.5", "", "a is int64 and float64"),
    "another type in a sum": ("a = 1\na += 1.5", "", "a is int64 and float64"),
    "an array by another name": ("k = 1", "", "an array that is given another name"),
    "a variable that is not there yet": ("whole[0] = a", "", "the name a"),
    "with": ("with x:\n    pass", "", "the statement With"),
    "an error": ("raise ValueError", "", "the statement Raise"),
    "a loop over an array": ("for i in k:\n    pass", "", "a loop over something else than a range"),
    "a range of fractions": ("for i in range(x[0]):\n    pass", "", "a range of other numbers"),
    "else of while": ("while n < 0:\n    pass\nelse:\n    pass", "", "else of a loop"),
    "what a call gives, taken apart": ("a, b = f(n)", "def f(a):\n    return a", "what is taken apart"),
    "an attribute that is set": ("x.size = 3", "", "what is assigned"),
    "a part of an array": ("whole[0] = k[1:3]", "", "the expression Slice"),
    "an element of a variable": ("whole[0] = n[0]", "", "an element of n"),
    "a place with a fraction": ("whole[0] = k[1.0]", "", "a place that is no whole number from zero on"),
    "a place counted from the end": ("whole[0] = k[-1]", "", "a place that is no whole number from zero on"),
    "several that are taken apart": ("a, b = c, d = 1, 2", "", "the expression Tuple"),
    "a range of nothing": ("for i in range():\n    pass", "", "a range of other numbers"),
    "a sum of very many terms": (f"whole[0] = {' + '.join(['n'] * 2000)}", "", "what is no kernel, RecursionError"),
    "an array where a number is due": ("whole[0] = max(k, 1, 2)", "", "max of these"),
    "a function that is not there": ("whole[0] = f(1)", "", "the function f"),
    "a function that calls itself": ("whole[0] = f(1)", "def f(a):\n    return f(a)", "a function that calls itself"),
    "what a function does not give": ("whole[0] = f(1)", "def f(a):\n    pass", "a function that gives nothing"),
    "a function that gives nothing at times": (
        "whole[0] = f(1)", "def f(a):\n    if a > 0:\n        return a", "a function that gives nothing at times",
    ),
    "a function that gives several types": (
        "whole[0] = f(1)",
        "def f(a):\n    if a > 0:\n        return a\n    return 0.5",
        "what is returned has several types",
    ),
    "too few arguments": ("whole[0] = f(1)", "def f(a, b):\n    return a", "how f is called"),
    "a default": ("whole[0] = f(1)", "def f(a=2):\n    return a", "how f is called"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "functions", "reason"), LEFT.values(), ids=LEFT)
def test_what_is_not_known_is_left_to_numba(body: str, functions: str, reason: str) -> None:
    with pytest.raises(Unknown) as caught:
        instructions(text_of(body, functions))
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "kind", ["types.float64[:, ::1]", "types.float64[:]", "types.complex128", "column(types.float16)"]
)
def test_argument_of_another_kind_is_left_to_numba(kind: str) -> None:
    with pytest.raises(Unknown, match=r"^an argument of the type "):
        instructions(f"@njit(types.void({kind}))\ndef kernel(a):\n    pass")


@pytest.mark.parametrize(("gives", "line"), [("int64", "pass"), ("void", "return a")])
def test_kernel_that_gives_something_is_left_to_numba(gives: str, line: str) -> None:
    with pytest.raises(Unknown, match=r"^a kernel that gives something$"):
        instructions(f"@njit(types.{gives}(types.int64))\ndef kernel(a):\n    {line}")


def test_text_without_a_kernel_is_left_to_numba() -> None:
    with pytest.raises(Unknown, match=r"^a text without a kernel$"):
        instructions("x = 1")
