"""Functions of C++ that the code generator is told of.

Those that it knows can only be compared in it, and for all that round it has `std::ceil`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["OWN", "cpp_function", "mathematical"]

#: Functions that are not one of the library of C++: what numpy computes.
_CODE = {
    "remainder": (
        "double a = x1, b = x2, rest = std::fmod(a, b); if (b == 0) return rest;"
        " if (rest == 0) return std::copysign(0.0, b); return (b < 0) == (rest < 0) ? rest : rest + b;"
    ),
    "floor_divide": (
        "double a = x1, b = x2, rest = std::fmod(a, b), times = (a - rest) / b; if (b == 0) return a / b;"
        " if (rest != 0 && (b < 0) != (rest < 0)) times -= 1; if (times == 0) return std::copysign(0.0, a / b);"
        " double whole = std::floor(times); return times - whole > 0.5 ? whole + 1 : whole;"
    ),
}
#: Functions that are always ours.
OWN = frozenset({*_CODE, "floor", "ceil", "trunc", "rint", "fmod", "cbrt"})


def mathematical(name: str, arguments: list[str]) -> dict[str, Any]:
    """A function of the mathematical library, or of numpy."""
    if name in _CODE:
        code = f"auto result = [&]() -> double {{ {_CODE[name]} }}();"
    else:
        code = f"auto result = std::{'fabs' if name == 'abs' else name}({', '.join(arguments)});"
    return cpp_function(f"{name}_of", arguments, code, "double")


def cpp_function(name: str, arguments: list[str], code: str, result: str) -> dict[str, Any]:
    """What the generator is told of a function."""
    return {
        "metadata_type": "add_cpp_function",
        "name": name,
        "include_files": ["cmath"],
        "arguments": arguments,
        "code": [code],
        "return_type": result,
    }
